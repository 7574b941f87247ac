"""Group commit: small documents of concurrent requests share one job and one fsync."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import structlog

from copydesk.delivery.spool import Spooled, SpoolWriter
from copydesk.errors import SpoolUnavailable
from copydesk.models import Hints, Json
from copydesk.queue.jobs import ITEMS_MAX, new_id
from services.api.batches import JOB_BYTES

log = structlog.get_logger(__name__)

# Up to here a document stays in memory until its group is written; a larger one streams into a file of its own.
SMALL_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Small:
    """One document in memory, and who waits for it to be on disk."""

    source: str
    item_id: str | None
    data: bytes
    sha256: str
    hints: Hints
    meta: Json | None
    reply: asyncio.Future[tuple[Spooled, str]]


class GroupCommit:
    """One thread that collects for `linger_s`, or until a job is full, and answers after the fsync."""

    def __init__(self, folder: Path, linger_s: float, on_accepted: Callable[[list[Spooled]], None]) -> None:
        self._folder = folder
        self._linger_s = linger_s
        self._on_accepted = on_accepted
        self._queue: queue.SimpleQueue[Small | None] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="group-commit", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; answers arrive in `loop`."""
        self._loop = loop
        self._thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(30)

    async def accept(
        self, *, source: str, item_id: str | None, data: bytes, sha256: str, hints: Hints, meta: Json | None
    ) -> tuple[Spooled, str]:
        """Put a document on disk; its job and its id there. Raises `SpoolUnavailable`."""
        reply: asyncio.Future[tuple[Spooled, str]] = asyncio.get_running_loop().create_future()
        self._queue.put(Small(source, item_id, data, sha256, hints, meta, reply))
        return await reply

    def _run(self) -> None:
        while True:
            group, is_last = self._collect()
            if group:
                self._commit(group)
            if is_last:
                return

    def _collect(self) -> tuple[list[Small], bool]:
        first = self._queue.get()
        if first is None:
            return [], True
        group, size = [first], len(first.data)
        ends = time.monotonic() + self._linger_s
        while len(group) < ITEMS_MAX and size < JOB_BYTES:
            try:
                small = self._queue.get(timeout=max(0.0, ends - time.monotonic()))
            except queue.Empty:
                break
            if small is None:
                return group, True
            group.append(small)
            size += len(small.data)
        return group, False

    def _commit(self, group: list[Small]) -> None:
        answers: list[tuple[Small, tuple[Spooled, str] | Exception]] = []
        accepted = []
        for source, chunk in by_job(group):
            try:
                spooled = self._write(source, chunk)
            except Exception as error:  # the border of the thread: whoever waits is told, the next group goes on
                if not isinstance(error, SpoolUnavailable):
                    log.exception("a group could not be written")
                answers += [(small, error) for small in chunk]
                continue
            accepted.append(spooled)
            answers += [(s, (spooled, item.id)) for s, item in zip(chunk, spooled.items, strict=True)]
        self._on_accepted(accepted)
        assert self._loop is not None  # noqa: S101 - `start` set it
        self._loop.call_soon_threadsafe(_reply, answers)

    def _write(self, source: str, chunk: list[Small]) -> Spooled:
        job_id = new_id()
        with SpoolWriter(self._folder, job_id) as writer:
            for number, small in enumerate(chunk):
                writer.write(small.data)
                writer.end_item(small.item_id or f"{job_id}/{number}", small.sha256, small.hints, small.meta)
            return writer.commit(source=source, kind="http", origin=None, received_at=datetime.now(UTC))


def by_job(group: list[Small]) -> list[tuple[str, list[Small]]]:
    """Cut a group into jobs: one source each, and no id twice; of one id the earlier stands in the earlier job."""
    jobs: list[tuple[str, list[Small]]] = []
    open_jobs: dict[str, tuple[list[Small], set[str]]] = {}
    for small in group:
        members, ids = open_jobs.get(small.source, ([], set()))
        if not members or small.item_id in ids:
            members, ids = [], set()
            jobs.append((small.source, members))
            open_jobs[small.source] = (members, ids)
        members.append(small)
        if small.item_id:
            ids.add(small.item_id)
    return jobs


def _reply(answers: list[tuple[Small, tuple[Spooled, str] | Exception]]) -> None:
    for small, answer in answers:
        if small.reply.done():
            continue
        if isinstance(answer, Exception):
            small.reply.set_exception(answer)
        else:
            small.reply.set_result(answer)
