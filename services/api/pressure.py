"""Measures, beside the requests, whether the door may take more: the spool's disk, the stream's bytes, who is up."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from copydesk.errors import DependencyError, SpoolUnavailable
from copydesk.queue import streams
from copydesk.queue.streams import ArticleStream
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection
from services.api.problems import Refused, come_back

log = structlog.get_logger(__name__)

MEASURE_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The newest measurements; `stream_bytes` is the last that Redis told, 0 when it does not answer."""

    is_writable: bool = False
    free_bytes: int = 0
    stream_bytes: int = 0
    redis_up: bool = False
    postgres_up: bool = False


def refusal(measured: Measured, *, free_bytes_min: int, stream_bytes_max: int) -> Refused | None:
    """Why nothing is taken now; None when something is. A silent Redis or Postgres is no reason."""
    if not measured.is_writable:
        return come_back(503, "spool_unavailable", "The spool cannot be written.")
    if measured.free_bytes < free_bytes_min:
        return come_back(503, "disk_full", "The disk of the spool is below its mark.", after_s=30)
    if measured.stream_bytes > stream_bytes_max:
        return come_back(429, "too_much", "More articles wait to be stored than the mark allows.")
    return None


class Pressure:
    """Two threads: one for disk and Redis, one for Postgres, each with short waits of its own."""

    def __init__(self, settings: Settings, beside: Callable[[], None]) -> None:
        """`beside` is called after each measurement of the disk: upkeep that needs the spool."""
        self._settings = settings
        self._beside = beside
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(step,), name=step.__name__, daemon=True)
            for step in (self._measure_disk, self._measure_redis, self._measure_postgres)
        ]
        self._stream = ArticleStream(streams.connect(settings.redis_url.get_secret_value(), socket_timeout_s=2.0))
        self._connection: Connection | None = None
        self.measured = Measured()

    def start(self) -> None:
        """Measure the disk, then begin."""
        self._measure_disk()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; nothing is waited for."""
        self._stop.set()

    def refusal(self) -> Refused | None:
        """Why nothing is taken now, by the newest measurements."""
        return refusal(
            self.measured,
            free_bytes_min=self._settings.spool_free_bytes_min,
            stream_bytes_max=self._settings.stream_bytes_max,
        )

    def check(self) -> None:
        """Raises `SpoolUnavailable` while nothing is taken because of the spool's disk."""
        refused = refusal(
            self.measured, free_bytes_min=self._settings.spool_free_bytes_min, stream_bytes_max=sys.maxsize
        )
        if refused:
            raise SpoolUnavailable(str(self._settings.spool), refused.detail)

    def _run(self, step: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                step()
            except Exception:  # the border of the thread: a door that no longer measures would take anything
                log.exception("a measurement failed")
            self._stop.wait(MEASURE_EVERY_S)

    def _measure_disk(self) -> None:
        folder = self._settings.spool
        try:
            folder.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(folder).free
            _probe(folder)
        except OSError as error:
            log.error("the spool cannot be written", error=str(error))
            self._note(is_writable=False)
            return
        self._note(is_writable=True, free_bytes=free)
        self._beside()

    def _measure_redis(self) -> None:
        try:
            size = self._stream.size_bytes()
        except DependencyError:
            self._note(redis_up=False, stream_bytes=0)
        else:
            self._note(redis_up=True, stream_bytes=size)

    def _measure_postgres(self) -> None:
        try:
            if self._connection is None or self._connection.closed:
                url = self._settings.postgres_url.get_secret_value()
                self._connection = database.connect(url, deadline_s=3.0, name="copydesk api watch")
            with database.deadline(self._connection, 3.0):
                database.ping(self._connection)
        except DependencyError:
            self._note(postgres_up=False)
            if self._connection is not None:
                with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                    self._connection.close()
                self._connection = None
        else:
            self._note(postgres_up=True)

    def _note(self, **changes: bool | int) -> None:
        with self._lock:
            self.measured = replace(self.measured, **changes)  # type: ignore[arg-type]  # each name with its own type


def _probe(folder: Path) -> None:
    """Write and remove a file. Raises `OSError`."""
    path = folder / f"probe-{os.getpid()}.writing"
    try:
        path.write_bytes(b"x")
    finally:
        path.unlink(missing_ok=True)
