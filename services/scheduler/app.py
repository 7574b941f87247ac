"""The scheduler's loop: each chore when it is due, none of them stopped by another's trouble."""

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


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to do every so often. It may raise `DependencyError` and is called again."""

    name: str
    every_s: float
    turn: Callable[[Connection], None]


class Scheduler:
    """Runs chores one after the other in one thread: two schedulers at once do no harm, each chore sees to that."""

    def __init__(self, settings: Settings, chores: Sequence[Chore]) -> None:
        self._settings = settings
        self._chores = chores
        self._due = {chore.name: 0.0 for chore in chores}
        self._stop = threading.Event()
        self._connection: Connection | None = None

    def stop(self) -> None:
        """Ask the loop to end after the chore at hand."""
        self._stop.set()

    def run(self) -> None:
        """Serve until `stop`."""
        log.info("scheduler ready", chores=[chore.name for chore in self._chores])
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
            with pulse.holding("chore", chore.name):
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
                name="copydesk scheduler",
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
