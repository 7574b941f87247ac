"""Questions to Postgres from the event loop: few connections, bounded waits, no queue at a database that is away."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import to_thread

from copydesk.errors import DatabaseUnavailable
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection

CONNECTIONS = 2

# After a failure every question fails at once for so long.
PAUSE_S = 1.0

T = TypeVar("T")


class Database:
    """A handful of connections, opened when they are first needed."""

    def __init__(self, url: str, deadline_s: float) -> None:
        self._url = url
        self._deadline_s = deadline_s
        self._idle: queue.SimpleQueue[Connection] = queue.SimpleQueue()
        self._limiter = anyio.CapacityLimiter(CONNECTIONS)
        self._failed_at = float("-inf")

    async def ask(self, question: Callable[[Connection], T]) -> T:
        """The answer, off the event loop; what it changed is committed. Raises `DatabaseUnavailable`."""
        return await to_thread.run_sync(self.ask_here, question, limiter=self._limiter)

    def ask_here(self, question: Callable[[Connection], T]) -> T:
        """The answer, in this thread. Raises `DatabaseUnavailable`."""
        if time.monotonic() - self._failed_at < PAUSE_S:
            raise DatabaseUnavailable("question", "it did not answer a moment ago")
        try:
            connection = self._idle.get_nowait()
        except queue.Empty:
            connection = None
        try:
            if connection is None or connection.closed:
                connection = database.connect(self._url, deadline_s=self._deadline_s, name="copydesk api")
            with database.deadline(connection, self._deadline_s), database.translated_errors("question"):
                answer = question(connection)
                # A statement outside a transaction of its own began one: left open, the next question's would be part
                # of it and never be committed. Nothing is asked of Postgres where there is none.
                connection.commit()
        except BaseException as error:
            if isinstance(error, DatabaseUnavailable):
                self._failed_at = time.monotonic()
            if connection is not None:
                with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                    connection.close()
            raise
        self._idle.put(connection)
        return answer

    def close(self) -> None:
        """Close what is idle."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
