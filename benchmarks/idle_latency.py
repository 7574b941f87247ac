"""From each door to the row, on an idle stack: median and 95th percentile, in milliseconds.

    python -m benchmarks.idle_latency [--times 40]

A file dropped, a job sent, a request answered 202, a feed added. The feed door's figure holds the wait for the
scheduler's next look (COPYDESK_FEEDS_LOOK_EVERY_S, 1 s) and the fetch.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import doors
from benchmarks.texts import articles


def main() -> None:
    """One document at a time through each door, a pause between two."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--times", type=int, default=40)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder, doors.running(Path(folder)) as running:
        texts = articles(len(doors.NAMES) * times)
        for door in doors.NAMES:
            taken = []
            for number in range(times):
                # Idle: watchdog holds back what follows a rename out of a folder for half a second. Uneven, so that
                # the scheduler is met anywhere between two of its looks.
                time.sleep(0.8 + number / times)
                started = time.perf_counter()
                running.put(door, f"one-{number}", [next(texts)])
                while running.closed(door) <= number:
                    time.sleep(0.002)
                taken.append(1000 * (time.perf_counter() - started))
            tail = statistics.quantiles(taken, n=20)[-1]
            print(f"{door:6} door to row: median {statistics.median(taken):.0f} ms, 95 % under {tail:.0f} ms")


if __name__ == "__main__":
    main()
