"""The scheduler's lanes: each chore when it is due, none of them stopped by another's trouble.

A disk that is away may keep whoever asks it waiting for as long as it is: what looks at the spool has a lane, a thread,
of its own, and everything else goes on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from copydesk.errors import DatabaseUnavailable, DependencyError
from copydesk.liveness.pulse import pulse
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection

log = structlog.get_logger(__name__)

# For the chores at hand when the process is told to stop; within the grace that any supervisor gives.
STOP_WAIT_S = 8.0


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often. It may raise `DependencyError` and is called again."""

    name: str
    every_s: float
    turn: Callable[[Connection], None]


class Lane:
    """Runs chores one after the other in one thread: two schedulers at once do no harm, each chore sees to that.

    A chore that takes longer than `limit_s` ends the process; None: it may wait for its disk as long as it has to.
    """

    def __init__(self, settings: Settings, name: str, chores: Sequence[Chore], *, limit_s: float | None) -> None:
        self.name = name
        self._settings = settings
        self._chores = chores
        self._limit_s = limit_s
        self._due = {chore.name: 0.0 for chore in chores}
        self._stop = threading.Event()
        self._connection: Connection | None = None

    def stop(self) -> None:
        """Ask the loop to end after the chore at hand."""
        self._stop.set()

    def run(self) -> None:
        """Serve until `stop`."""
        while not self._stop.is_set():
            for chore in self._chores:
                if time.monotonic() >= self._due[chore.name] and not self._stop.is_set():
                    self._run(chore)
                    self._due[chore.name] = time.monotonic() + chore.every_s
            rest_s = max(0.05, min(self._due.values()) - time.monotonic())
            pulse.rest(rest_s)
            self._stop.wait(rest_s)
        self._disconnect()

    def _run(self, chore: Chore) -> None:
        try:
            with pulse.holding("chore", chore.name, limit_s=self._limit_s):
                chore.turn(self._connected())
        except DependencyError as error:
            pulse.back_off(error.dependency)
            log.warning("waiting for a dependency", chore=chore.name, error=str(error))
            if isinstance(error, DatabaseUnavailable):
                self._disconnect()

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                self._settings.postgres_url.get_secret_value(),
                deadline_s=self._settings.database_deadline_s,
                name=f"copydesk scheduler {self.name}",
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Scheduler:
    """Lanes side by side, until told to stop or one of them fails."""

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = lanes
        self._is_over = threading.Event()
        self._failed = False

    def stop(self) -> None:
        """Ask every lane to end after the chore at hand."""
        for lane in self._lanes:
            lane.stop()
        self._is_over.set()

    def run(self) -> bool:
        """Serve until `stop`; False when a lane failed. A lane that its disk keeps waiting is left behind."""
        threads = [
            threading.Thread(target=self._run, args=(lane,), name=lane.name, daemon=True) for lane in self._lanes
        ]
        for thread in threads:
            thread.start()
        log.info("scheduler ready", lanes=[lane.name for lane in self._lanes])
        self._is_over.wait()
        self.stop()
        give_up = time.monotonic() + STOP_WAIT_S
        for thread in threads:
            thread.join(max(0.0, give_up - time.monotonic()))
        return not self._failed

    def _run(self, lane: Lane) -> None:
        try:
            lane.run()
        except Exception:  # the border of the thread: the process ends, and is started anew
            log.exception("a lane failed", lane=lane.name)
            self._failed = True
        finally:
            self._is_over.set()
