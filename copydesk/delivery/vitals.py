"""Watches over one process from inside: asks its dependencies, ends it when it is stuck, answers for it over HTTP.

`Vitals(…).start()` in a process's `__main__` is all there is to do; what the process does is noted where it is done,
in `copydesk.liveness.pulse`.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import redis
import structlog

from copydesk import metrics
from copydesk.errors import DependencyError
from copydesk.liveness.guard import Guard
from copydesk.liveness.listener import Listener, write_address
from copydesk.liveness.pulse import pulse
from copydesk.queue import streams
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection

log = structlog.get_logger(__name__)

ASK_EVERY_S = 1.0

# A server that is silent for so long is away. Connecting to a silent Postgres takes 3 s to fail: with the second in
# between that is a sign every 4 s, and the least `stuck_after_s` is 5.
ANSWER_WITHIN_S = 2.0

Check: TypeAlias = Callable[[], None]
"""Asks a dependency once. Raises `DependencyError` where it is away."""


class Vitals:
    """One process's guard, listener and one thread a dependency. All of them end with the process."""

    def __init__(self, settings: Settings, kind: str, checks: Mapping[str, Check], *, longest_s: float = 0.0) -> None:
        """`checks`: what the process needs, by name. `longest_s`: the longest limit of an item that it has in hand."""
        self._settings = settings
        self._name = settings.worker_name or f"{kind}-{os.getpid()}"
        self._checks = checks
        self._is_started = False
        self._states = dict.fromkeys(checks, "not asked yet")
        self._patience_s = max(settings.stuck_after_s, longest_s)
        self._guard = Guard(pulse, stuck_after_s=settings.stuck_after_s, patience_s=self._patience_s)

    def start(self) -> None:
        """Begin; once. A port or a folder that cannot be had is logged: the work goes on without."""
        if self._is_started:
            return
        self._is_started = True
        for name in self._checks:
            threading.Thread(target=self._ask, args=(name,), name=f"ask-{name}", daemon=True).start()
        self._guard.start()
        try:
            address = (self._settings.health_host, self._settings.health_port)
            listener = Listener(address, self._guard.verdict, lambda: dict(self._states), metrics.exposition)
        except OSError as error:
            log.error("nobody answers for this process", port=self._settings.health_port, error=str(error))
            return
        listener.start()
        if self._settings.health_port == 0:
            self._tell(listener.port)

    def _ask(self, name: str) -> None:
        pause = threading.Event()
        while True:
            try:
                self._checks[name]()
                self._states[name] = "up"
            except DependencyError as error:
                self._states[name] = str(error)
                pulse.back_off(name)
            except Exception:  # the border of the thread: without it a server that is away would look like a standstill
                log.exception("a dependency could not be asked", dependency=name)
            pause.wait(ASK_EVERY_S)

    def _tell(self, port: int) -> None:
        path = self._settings.run / f"{self._name}.json"
        try:
            forget_the_dead(path.parent)
            write_address(path, port, self._patience_s)
        except OSError as error:
            log.warning("nobody is told where this process answers", path=str(path), port=port, error=str(error))
            return
        atexit.register(path.unlink, missing_ok=True)


def redis_check(settings: Settings, waiting: Callable[[redis.Redis], int] | None = None) -> Check:
    """Asks Redis; with `waiting`, how much work waits for this process."""
    url = settings.redis_url.get_secret_value()
    client = streams.connect(url, socket_timeout_s=ANSWER_WITHIN_S, retries=0)

    def check() -> None:
        if waiting is None:
            with streams.translated_errors("ping"):
                client.ping()
        else:
            pulse.note_waiting(is_waiting=waiting(client) > 0)

    return check


def postgres_check(settings: Settings, kind: str) -> Check:
    """Asks Postgres, on a connection of its own."""
    url = settings.postgres_url.get_secret_value()
    kept: list[Connection] = []

    def check() -> None:
        try:
            if not kept:
                kept.append(database.connect(url, deadline_s=ANSWER_WITHIN_S, name=f"copydesk {kind} watch"))
            with database.deadline(kept[0], ANSWER_WITHIN_S):
                database.ping(kept[0])
        except DependencyError:
            while kept:
                with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                    kept.pop().close()
            raise

    return check


def forget_the_dead(folder: Path) -> None:
    """Delete what processes said of themselves that were killed since."""
    for path in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            if not _is_there(json.loads(path.read_text(encoding="utf-8"))["pid"]):
                path.unlink(missing_ok=True)


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
