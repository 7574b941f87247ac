"""The scheduler's lanes: what one of them waits for does not hold up the others."""

from __future__ import annotations

import threading
from pathlib import Path

from copydesk.settings import Settings, load
from copydesk.storage.connection import Connection
from services.scheduler.app import Chore, Lane, Scheduler
from tests.waiting import wait_until


def settings_of(database_url: str, folder: Path) -> Settings:
    return load({}, postgres_url=database_url, data_dir=folder)


def test_a_lane_that_its_disk_keeps_waiting_holds_up_no_other(database_url: str, tmp_path: Path) -> None:
    settings = settings_of(database_url, tmp_path)
    disk, turns = threading.Event(), threading.Semaphore(0)

    def ask_the_disk(_: Connection) -> None:
        disk.wait(30)

    scheduler = Scheduler(
        [
            Lane(settings, "disk", [Chore("ask the disk", 0.01, ask_the_disk)], limit_s=None),
            Lane(settings, "others", [Chore("count", 0.01, lambda _: turns.release() and None)], limit_s=30),
        ]
    )
    running = threading.Thread(target=scheduler.run)
    running.start()
    try:
        came_round = [turns.acquire(timeout=20) for _ in range(3)]
        is_waiting = not disk.is_set()
    finally:
        disk.set()
        scheduler.stop()
        running.join(30)

    assert came_round == [True] * 3
    assert is_waiting
    assert not running.is_alive()


def test_a_lane_that_fails_ends_the_scheduler(database_url: str, tmp_path: Path) -> None:
    settings = settings_of(database_url, tmp_path)

    def fail(_: Connection) -> None:
        raise ZeroDivisionError

    scheduler = Scheduler(
        [
            Lane(settings, "failing", [Chore("fail", 0.01, fail)], limit_s=30),
            Lane(settings, "others", [Chore("rest", 0.01, lambda _: None)], limit_s=30),
        ]
    )
    ended: list[bool] = []
    running = threading.Thread(target=lambda: ended.append(scheduler.run()))
    running.start()
    try:
        wait_until(lambda: ended, 30, "the end of the scheduler")
    finally:
        scheduler.stop()
        running.join(30)

    assert ended == [False]
