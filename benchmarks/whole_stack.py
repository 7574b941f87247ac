"""Articles a second from each door to the row, and which process the CPU time went to.

    python -m benchmarks.whole_stack [--documents 10000]

Everything runs on this machine: embedded servers, one inbox, one ingest and two storage workers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from celery import Celery

from benchmarks.texts import articles
from copydesk import stack
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import samples
from copydesk.supervisor import Supervisor

CHUNK = 50

TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure both doors, one after the other, on one stack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--ingest", type=int, default=1, help="ingest workers")
    arguments = parser.parse_args()
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
        settings = load({}, data_dir=folder, ingest_processes=arguments.ingest)
        settings, owned = cleanup.enter_context(stack.servers(settings, embedded=True))
        stack.prepare(settings)
        supervisor = cleanup.enter_context(
            Supervisor([*owned, *stack.programs(settings)], log_dir=folder / "logs", terminal=None)
        )
        supervisor.wait_ready(60)
        connection = cleanup.enter_context(database.connect(settings.postgres_url.get_secret_value()))
        print(f"{arguments.documents} texts of 3 KB, {os.cpu_count()} cores, {arguments.ingest} ingest, 2 storage")
        for door, put in (("celery", _send), ("file", _drop)):
            texts = list(articles(arguments.documents, seed=len(door)))
            before = _cpu(supervisor)
            started = time.perf_counter()
            put(settings, texts)
            _wait(lambda door=door: samples.closed_items(connection, door), len(texts))
            seconds = time.perf_counter() - started
            spent = {name: cpu - before.get(name, 0.0) for name, cpu in _cpu(supervisor).items()}
            total = sum(spent.values())
            print(f"\n{door} door: {len(texts) / seconds:,.0f} documents/s")
            for name, cpu in spent.items():
                print(f"  {name:12} {1e6 * cpu / len(texts):7.0f} µs CPU a document  {100 * cpu / total:5.1f} %")


def _send(settings: Settings, texts: list[str]) -> None:
    with Celery(broker=settings.redis_url.get_secret_value(), set_as_current=False) as producer:
        for start in range(0, len(texts), CHUNK):
            items = [{"id": f"t{start + n}", "body": text} for n, text in enumerate(texts[start : start + CHUNK])]
            producer.send_task("copydesk.ingest", args=[{"v": 1, "source": "bench", "items": items}])


def _drop(settings: Settings, texts: list[str]) -> None:
    staging = settings.data_dir / "staging"
    staging.mkdir()
    for number, text in enumerate(texts):
        (staging / f"story-{number}.txt").write_text(text, encoding="utf-8")
    staging.rename(settings.inbox / "bench")


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
