"""From a file dropped, or a job sent, to its row, on an idle stack: median and 95th percentile, in milliseconds.

python -m benchmarks.idle_latency [--times 40]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from celery import Celery

from benchmarks.texts import articles
from copydesk import stack
from copydesk.settings import load
from copydesk.storage import connection as database
from copydesk.storage import samples
from copydesk.supervisor import Supervisor


def main() -> None:
    """One document at a time through each door, a pause between two."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=40)
    times = parser.parse_args().times
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
        settings, owned = cleanup.enter_context(stack.servers(load({}, data_dir=folder), embedded=True))
        stack.prepare(settings)
        programs = [*owned, *stack.programs(settings)]
        cleanup.enter_context(Supervisor(programs, log_dir=folder / "logs", terminal=None)).wait_ready(60)
        connection = cleanup.enter_context(database.connect(settings.postgres_url.get_secret_value()))
        producer = cleanup.enter_context(Celery(broker=settings.redis_url.get_secret_value(), set_as_current=False))
        source = settings.inbox / "bench"
        source.mkdir()
        texts = list(articles(2 * times))

        def drop(number: int, text: str) -> None:
            (source / f"story-{number}.txt").write_text(text, encoding="utf-8")

        def send(number: int, text: str) -> None:
            items = [{"id": f"t{number}", "body": text}]
            producer.send_task("copydesk.ingest", args=[{"v": 1, "source": "bench", "items": items}])

        doors: tuple[tuple[str, Callable[[int, str], None]], ...] = (("file", drop), ("celery", send))
        for half, (door, put) in enumerate(doors):
            taken = []
            for number, text in enumerate(texts[half * times : (half + 1) * times]):
                # Idle: watchdog holds back what follows a rename out of a folder for half a second.
                time.sleep(0.8)
                started = time.perf_counter()
                put(number, text)
                while samples.closed_items(connection, door) <= number:
                    time.sleep(0.002)
                taken.append(1000 * (time.perf_counter() - started))
            tail = statistics.quantiles(taken, n=20)[-1]
            print(f"{door:6} door to row: median {statistics.median(taken):.0f} ms, 95 % under {tail:.0f} ms")


if __name__ == "__main__":
    main()
