"""Tells waiting requests that their jobs are complete: one thread that hears, one that asks, however many wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence

import structlog

from copydesk.errors import DatabaseUnavailable, QueueUnavailable
from copydesk.queue import streams
from copydesk.queue.streams import ArticleStream
from copydesk.storage import receipts
from copydesk.storage.connection import Connection
from copydesk.storage.receipts import Receipt
from services.api.database import Database

log = structlog.get_logger(__name__)

# Postgres is asked for all that wait this often, for when nobody told.
ASK_EVERY_S = 1.0

ASKED_AT_ONCE = 1000

# A job may be told of before its request begins to wait.
REMEMBERED = 10_000


class Stopping(Exception):
    """The process ends before the job is complete."""


class Waiting:
    """Futures by job."""

    def __init__(self, redis_url: str, questions: Database) -> None:
        self._redis_url = redis_url
        self._database = questions
        self._lock = threading.Lock()
        self._futures: dict[str, list[asyncio.Future[list[Receipt]]]] = {}
        self._told: set[str] = set()
        self._remembered: OrderedDict[str, None] = OrderedDict()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads = [
            threading.Thread(target=self._listen, name="closed-jobs", daemon=True),
            threading.Thread(target=self._ask, name="asking", daemon=True),
        ]

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; answers arrive in `loop`."""
        self._loop = loop
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Every wait ends now with `Stopping`, and every later one; safe to call from a signal handler."""
        self._stop.set()
        self._wake.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end_all)

    async def receipts_of(self, job_ids: Sequence[str], timeout_s: float) -> dict[str, list[Receipt]]:
        """The receipts of jobs, once all are complete. Raises `TimeoutError`, `Stopping`."""
        futures = {job_id: self._register(job_id) for job_id in job_ids}
        try:
            async with asyncio.timeout(timeout_s):
                return {job_id: await future for job_id, future in futures.items()}
        finally:
            self._forget(futures)

    def _register(self, job_id: str) -> asyncio.Future[list[Receipt]]:
        if self._stop.is_set():
            raise Stopping
        future: asyncio.Future[list[Receipt]] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._futures.setdefault(job_id, []).append(future)
            is_told = job_id in self._remembered
            if is_told:
                self._told.add(job_id)
        if is_told:
            self._wake.set()
        return future

    def _forget(self, futures: dict[str, asyncio.Future[list[Receipt]]]) -> None:
        with self._lock:
            for job_id, future in futures.items():
                future.cancel()
                left = [f for f in self._futures.get(job_id, []) if f is not future]
                if left:
                    self._futures[job_id] = left
                else:
                    self._futures.pop(job_id, None)

    def _end_all(self) -> None:
        with self._lock:
            waiting = [future for futures in self._futures.values() for future in futures]
        for future in waiting:
            if not future.done():
                future.set_exception(Stopping())

    def _listen(self) -> None:
        stream = ArticleStream(streams.connect(self._redis_url))
        cursor = "$"
        while not self._stop.is_set():
            try:
                cursor, closed = stream.closed_since(cursor, block_ms=1000)
            except QueueUnavailable:
                cursor = "$"  # whatever was told meanwhile is asked for
                self._stop.wait(1.0)
                continue
            if closed:
                self._remember(closed)

    def _remember(self, closed: Sequence[str]) -> None:
        with self._lock:
            for job_id in closed:
                self._remembered[job_id] = None
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            told = self._futures.keys() & set(closed)
            self._told |= told
        if told:
            self._wake.set()

    def _ask(self) -> None:
        asked = 0.0
        while not self._stop.is_set():
            self._wake.wait(ASK_EVERY_S)
            self._wake.clear()
            with self._lock:
                wanted = self._told & self._futures.keys()
                self._told.clear()
                if time.monotonic() - asked >= ASK_EVERY_S:
                    asked = time.monotonic()
                    wanted = set(self._futures)
            ids = sorted(wanted)
            try:
                for start in range(0, len(ids), ASKED_AT_ONCE):
                    self._answer(ids[start : start + ASKED_AT_ONCE])
            except DatabaseUnavailable as error:
                log.warning("cannot tell those who wait", waiting=len(ids), error=str(error))
            except Exception:  # the border of the thread: it must go on for those who wait
                log.exception("asking for complete jobs failed")

    def _answer(self, job_ids: list[str]) -> None:
        def question(connection: Connection) -> dict[str, list[Receipt]]:
            with connection.transaction():
                return receipts.of_closed_jobs(connection, job_ids)

        found = self._database.ask_here(question)
        if found and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, found)

    def _resolve(self, found: dict[str, list[Receipt]]) -> None:
        with self._lock:
            ready = [(future, found[job_id]) for job_id in found for future in self._futures.get(job_id, [])]
        for future, of_job in ready:
            if not future.done():
                future.set_result(of_job)
