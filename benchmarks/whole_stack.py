"""Articles a second from each door to the row, and which process the CPU time went to.

    python -m benchmarks.whole_stack [--documents 10000] [--appendfsync always]

Everything runs on this machine: embedded servers, one of each process and two storage workers. Celery jobs and feeds
have 50 texts each; the HTTP door takes one NDJSON request.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import redis

from benchmarks import doors
from benchmarks.texts import articles
from copydesk.supervisor import Supervisor

TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure the four doors, one after the other, on one stack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--ingest", type=int, default=1, help="ingest workers")
    parser.add_argument("--appendfsync", default="everysec", choices=("always", "everysec"), help="of Redis")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder,
        doors.running(Path(folder), ingest_processes=arguments.ingest) as running,
    ):
        with redis.Redis.from_url(running.settings.redis_url.get_secret_value()) as client:
            client.config_set("appendfsync", arguments.appendfsync)
        print(
            f"{arguments.documents} texts of 3 KB, {os.cpu_count()} cores, {arguments.ingest} ingest, 2 storage, "
            f"appendfsync {arguments.appendfsync}"
        )
        for door in doors.NAMES:
            _measure(running, door, arguments.documents)


def _measure(running: doors.Doors, door: str, documents: int) -> None:
    texts = list(articles(documents, seed=doors.NAMES.index(door)))
    before = _cpu(running.supervisor)
    started = time.perf_counter()
    running.put(door, "bulk", texts)
    # A polled feed is one item of its job; its entries are counted by their articles.
    wanted = -(-documents // doors.CHUNK) if door == "feed" else documents
    _wait(lambda: running.closed(door), wanted)
    seconds = time.perf_counter() - started
    spent = {name: cpu - before.get(name, 0.0) for name, cpu in _cpu(running.supervisor).items()}
    total = sum(spent.values())
    print(f"\n{door} door: {documents / seconds:,.0f} documents/s, {1e6 * total / documents:,.0f} µs CPU a document")
    for name, cpu in spent.items():
        print(f"  {name:12} {1e6 * cpu / documents:7.0f} µs CPU a document  {100 * cpu / total:5.1f} %")


def _wait(count: Callable[[], int], wanted: int) -> None:
    give_up = time.monotonic() + 600
    while count() < wanted:
        if time.monotonic() > give_up:
            raise TimeoutError(f"{count()} of {wanted}")
        time.sleep(0.1)


def _cpu(supervisor: Supervisor) -> dict[str, float]:
    """Seconds of CPU by process, children that have ended and children that run (Postgres's backends) included."""
    return {s.name: _cpu_of_tree(s.pid) for s in supervisor.statuses() if s.pid}


def _cpu_of_tree(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    return sum(int(f) for f in fields[11:15]) / TICKS + sum(_cpu_of_tree(int(child)) for child in children)


if __name__ == "__main__":
    main()
