"""The likeness index in Redis: documents a second, waits, bytes a document, and how fast it is loaded.

    python -m benchmarks.dedupe_index [--documents 1000000] [--clients 4]

Keys and sketches are random, since only their number and length count here; every fifth document shares keys with one
before it. The index is filled as `copydesk dedupe rebuild` fills it, then the clients add to it one document a call,
then 50 a call as a worker with full jobs does.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import random
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from copydesk.embedded import ValkeyServer
from copydesk.queue import streams
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import job_key

NOW = datetime.now(UTC)
WINDOW_S = 28 * 86400.0

# Packed sketches of English news texts of 3 KB.
SKETCH_BYTES = 816
AT_ONCE = 200
ADDED = 20_000


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        server = ValkeyServer(Path(folder))
        server.start()
        try:
            _measure(server.url, arguments.documents, arguments.clients)
        finally:
            server.stop()


def _measure(url: str, count: int, clients: int) -> None:
    client = streams.connect(url)
    index = _index(url)
    before = client.info("memory")["used_memory"]
    index.begin(NOW, expected=count)
    started = time.perf_counter()
    for start in range(0, count, AT_ONCE):
        numbers = range(start + 1, min(start + AT_ONCE, count) + 1)
        index.load([(n, each) for n, each in zip(numbers, _documents(start, len(numbers)), strict=True)], NOW)
    seconds = time.perf_counter() - started
    index.lock("benchmark")
    index.finish("benchmark", index.state().server_run, count)
    size = (client.info("memory")["used_memory"] - before) / count
    print(f"loaded {count:,}: {count / seconds:,.0f} documents/s, {size:,.0f} bytes a document", end="")
    print(f", {size - SKETCH_BYTES:,.0f} without its sketch")
    for at_once in (1, 50):
        cpu, started = _cpu(client), time.perf_counter()
        with multiprocessing.Pool(clients) as pool:
            found = pool.starmap(_add, [(url, n, count, at_once) for n in range(clients)])
            waits = sorted(itertools.chain.from_iterable(found))
        seconds = time.perf_counter() - started
        added = ADDED * clients
        spent = 1e6 * (_cpu(client) - cpu) / added
        p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
        print(f"{clients} clients, {at_once} a call: {added / seconds:,.0f} documents/s, ", end="")
        print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms a call, {spent:.0f} µs of Redis a document")


def _add(url: str, which: int, count: int, at_once: int) -> list[float]:
    index, client = _index(url), streams.connect(url)
    waits = []
    for start in range(0, ADDED, at_once):
        documents = list(_documents(count + which * ADDED + start + at_once * 10**9, at_once))
        job_id = f"{which}-{start}-{at_once}"
        began = time.perf_counter()
        index.add(job_id, documents, NOW)
        waits.append(time.perf_counter() - began)
        client.delete(job_key(job_id))
    return waits


def _documents(first: int, count: int) -> Iterator[Keyed]:
    for number in range(first, first + count):
        own = random.Random(number)
        keys = [own.getrandbits(64) for _ in range(16)]
        if number % 5 == 0:
            keys[:8] = [random.Random(max(number % 10**9 - 100, 0)).getrandbits(64) for _ in range(8)]
        document = str(uuid.UUID(int=own.getrandbits(128)))
        yield Keyed(Record(document, NOW, "agency", own.randbytes(SKETCH_BYTES)), keys)


def _index(url: str) -> LikenessIndex:
    return LikenessIndex(streams.connect(url), window_s=WINDOW_S, bytes_max=1 << 40)


def _cpu(client: object) -> float:
    used = client.info("cpu")  # type: ignore[attr-defined]  # redis-py types it as Awaitable too
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


if __name__ == "__main__":
    main()
