"""What the HTTP door takes: requests a second and their latency, and how long until a document is stored.

    python -m benchmarks.http_door [--clients 16] [--seconds 10]

Everything runs on this machine, the clients too: embedded servers, one api, one ingest and two storage workers.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import doors
from benchmarks.texts import articles

TEXTS = 20_000


def main() -> None:
    """Measure 202 under load, then `wait=stored` on an idle stack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--idle", type=int, default=40, help="documents sent one by one with wait=stored")
    parser.add_argument("--group-s", type=float, default=None, help="COPYDESK_HTTP_GROUP_S")
    arguments = parser.parse_args()
    given = {} if arguments.group_s is None else {"http_group_s": arguments.group_s}
    with (
        tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder,
        doors.running(Path(folder), **given) as running,
    ):
        port = running.settings.http_port
        texts = articles(TEXTS, seed=11)

        idle = []
        for _ in range(arguments.idle):
            time.sleep(0.5)  # so that every process waits again
            idle.append(_post(http.client.HTTPConnection("127.0.0.1", port), next(texts), "?wait=stored"))
        idle.sort()
        print(f"wait=stored, idle: p50 {_at(idle, 50):.1f} ms, p95 {_at(idle, 95):.1f} ms")

        started = time.perf_counter()
        taken = _load(port, texts, arguments.clients, arguments.seconds)
        spent = time.perf_counter() - started
        print(
            f"202, {arguments.clients} clients, 3 KB: {len(taken) / spent:,.0f} requests/s, "
            f"p50 {_at(taken, 50):.1f} ms, p95 {_at(taken, 95):.1f} ms, {os.cpu_count()} cores"
        )
        expected = len(taken) + len(idle)
        while running.closed("http") < expected:
            time.sleep(0.1)
        print(f"all {expected} settled after {time.perf_counter() - started:.1f} s")

        lines = b"\n".join(json.dumps({"body": text}).encode() for text, _ in zip(texts, range(5000), strict=False))
        started = time.perf_counter()
        _post(http.client.HTTPConnection("127.0.0.1", port), lines, "", "application/x-ndjson")
        print(f"NDJSON of 5,000: accepted at {5000 / (time.perf_counter() - started):,.0f} documents/s")


def _load(port: int, texts: Iterator[str], clients: int, seconds: float) -> list[float]:
    """Latencies in ms, sorted."""
    taken: list[float] = []
    lock = threading.Lock()
    ends = time.monotonic() + seconds

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < ends:
            with lock:
                text = next(texts, None)
            if text is None:
                return
            latency = _post(connection, text, "")
            with lock:
                taken.append(latency)

    threads = [threading.Thread(target=send) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(taken)


def _post(connection: http.client.HTTPConnection, body: str | bytes, query: str, kind: str = "text/plain") -> float:
    data = body.encode() if isinstance(body, str) else body
    started = time.perf_counter()
    connection.request("POST", f"/v1/documents{query}", data, {"Content-Type": kind})
    answer = connection.getresponse()
    told = answer.read()
    assert answer.status in (200, 202), told
    return 1000 * (time.perf_counter() - started)


def _at(ordered: list[float], percent: int) -> float:
    return statistics.quantiles(ordered, n=100)[percent - 1]


if __name__ == "__main__":
    main()
