"""The watchdog ends a process whose item takes too long, and nothing else does."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading

from copydesk.delivery.watchdog import EXIT_CODE, Watchdog


def _watchdog(limit_s: float) -> tuple[Watchdog, queue.Queue[int]]:
    ended: queue.Queue[int] = queue.Queue()
    return Watchdog(limit_s, look_every_s=0.01, end_process=ended.put), ended


def test_an_item_past_its_limit_ends_the_process() -> None:
    watchdog, ended = _watchdog(0.05)
    watchdog.begin("item")

    assert ended.get(timeout=10) == EXIT_CODE


def test_what_is_finished_or_waits_for_a_dependency_does_not() -> None:
    watchdog, ended = _watchdog(1.0)
    beat = threading.Event()
    for _ in range(30):  # 1.5 s in all, in steps that the limit allows
        watchdog.begin("item")
        beat.wait(0.05)
    watchdog.begin("the one that waits")
    for _ in range(30):
        beat.wait(0.05)
        watchdog.start_again()
    watchdog.end()
    beat.wait(1.2)

    assert ended.empty()


def test_the_clock_does_not_start_without_an_item() -> None:
    watchdog, ended = _watchdog(0.01)
    watchdog.begin("item")
    watchdog.end()
    watchdog.start_again()
    threading.Event().wait(0.2)

    assert ended.empty()


def test_a_real_process_that_hangs_is_ended_with_its_own_status() -> None:
    program = (
        "import time\n"
        "from copydesk.delivery.watchdog import Watchdog\n"
        "Watchdog(0.05, look_every_s=0.01).begin('item')\n"
        "time.sleep(60)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], timeout=30, check=False, capture_output=True, text=True)

    assert ended.returncode == EXIT_CODE
    assert "took too long" in ended.stdout + ended.stderr
