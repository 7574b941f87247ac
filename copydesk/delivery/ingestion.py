"""Carries jobs into the article stream: what `workers/ingest` does with each.

A job is in hand until its entries are in the stream. While Redis or the disk is away it stays in hand; a job that
ended its worker twice is taken item by item, and an item that does it again, alone, is dead.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog

from copydesk import metrics
from copydesk.cleaning import load_rules, prepare
from copydesk.dedupe.likeness import read_thresholds
from copydesk.delivery import claims, cutting, restoring, spool
from copydesk.delivery.judging import Judging
from copydesk.delivery.knowledge import Knowledge
from copydesk.delivery.limited import LimitedParser
from copydesk.delivery.publication import Limits, Read, entries_of, job_ref, refused_item, refused_job
from copydesk.errors import CopydeskError, DependencyError, InvalidJob, MissingInput, ProcessingError
from copydesk.liveness.pulse import pulse
from copydesk.models import Outcome
from copydesk.queue import streams
from copydesk.queue.entries import CloseEntry, JobRef, Outgoing
from copydesk.queue.jobs import Job, JobItem, read_job, safe_id
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import ENTRIES_AT_ONCE, ArticleStream
from copydesk.queue.tries import Tries
from copydesk.settings import Settings

log = structlog.get_logger(__name__)

# From this try on a job is taken item by item: twice may be somebody else's kill.
ALONE_FROM = 3

# An item is dead when it has ended its process this often while alone.
TRIES_ALONE = 2

# Above, a chunk of entries is published early, to keep a feed of large articles out of memory.
CHUNK_BYTES = 8 * 1024 * 1024

# How often the stream is measured against its high-water mark.
MEASURE_EVERY_S = 1.0

T = TypeVar("T")


class Ingestion:
    """One ingest worker's rules and connections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        files = load_rules([settings.rules_dir] if settings.rules_dir else [])
        prepare(files)
        self._knowledge = Knowledge(files, settings.postgres_url.get_secret_value())
        client = streams.connect(settings.redis_url.get_secret_value())
        self._stream = ArticleStream(client)
        self._tries = Tries(client)
        self._window = timedelta(days=settings.dedupe_window_days)
        self._index = LikenessIndex.on(client, settings)
        self._judging = Judging(self._index, self._restore_index, read_thresholds(settings.dedupe_thresholds))
        self._limits = Limits(settings.job_item_bytes_max, settings.document_bytes_max)
        self._parser = LimitedParser(
            # The other half is cleaning's: past the whole the worker itself is ended.
            seconds=min(settings.parse_seconds_max, settings.item_seconds_max / 2),
            memory_bytes=settings.parse_memory_bytes_max,
        )
        self._measured = 0.0

    def carry(self, payload: object, *, task_id: str, now: datetime) -> None:
        """Publish what comes of a job. Returns when its entries, the closing one too, are in the stream."""
        with (
            structlog.contextvars.bound_contextvars(job_id=task_id),
            pulse.holding("job", task_id),
            metrics.job_seconds.time(),
        ):
            try:
                job = read_job(payload, task_id=task_id, now=now)
            except InvalidJob as error:
                log.warning("a job was refused", error=str(error))
                self.refuse(task_id, error, _as_bytes(payload))
                return
            try:
                self._carry(job)
            except Exception as error:  # the border of the process: Celery would log it and drop the job
                log.exception("a job could not be carried")
                failure = ProcessingError(task_id, f"{type(error).__name__}: {error}")
                self._publish(refused_job(job_ref(job), failure, _as_bytes(payload), outcome=Outcome.DEAD))

    def refuse(self, task_id: str, error: CopydeskError, payload: bytes) -> None:
        """Record a message that is no job of ours, with its bytes."""
        ref = JobRef(id=safe_id(task_id), source="celery", kind="celery", origin=None, received_at=datetime.now(UTC))
        self._publish(refused_job(ref, error, payload, outcome=Outcome.REJECTED))

    def _carry(self, job: Job) -> None:
        self._wait_below_mark()
        if job.kind == "celery":
            # Its documents are named by it: read anew at a redelivery, they would look like copies of themselves.
            first = self._insist(lambda: self._tries.first_received(job.id, job.received_at))
            job = job.model_copy(update={"received_at": first})
        tries = self._insist(lambda: self._tries.begin(job.id))
        if tries < ALONE_FROM:
            self._publish(self._entries(job))
            subjects = [job.id]
        else:
            log.warning("a job is taken item by item: it was begun before and not finished", tries=tries)
            self._publish_one_by_one(job)
            subjects = [job.id, *(f"{job.id}/{item.id}" for item in job.items)]
        self._insist(lambda: self._tries.finish(*subjects))
        log.info("carried", source=job.source, items=len(job.items))

    def _entries(self, job: Job) -> Iterator[Outgoing]:
        try:
            yield from entries_of(
                job,
                self._knowledge.rules(),
                self._reader(job),
                self._limits,
                on_item=self._begin_item,
                parse=self._parser.parse,
            )
        finally:
            structlog.contextvars.unbind_contextvars("item_id")
            pulse.end("item")

    def _publish(self, entries: Iterable[Outgoing]) -> None:
        for chunk in in_chunks(entries):
            self._insist(lambda chunk=chunk: self._judge_and_publish(chunk))  # type: ignore[misc]  # mypy#12557: default binds the loop's value

    def _judge_and_publish(self, chunk: Sequence[Outgoing]) -> None:
        # Asked again, the index gives the same answer; and nothing is published twice.
        with metrics.publish_seconds.time():
            self._stream.publish(self._judging.judged(chunk, datetime.now(UTC)))

    def _restore_index(self) -> None:
        restoring.ensure(
            self._index,
            self._stream,
            self._settings.postgres_url.get_secret_value(),
            now=datetime.now(UTC),
            window=self._window,
            # The index is a dependency that is not there yet: what is in hand waits for it.
            on_progress=lambda: pulse.back_off("the likeness index"),
        )

    def _publish_one_by_one(self, job: Job) -> None:
        total = 0
        for item in job.items:
            subject = f"{job.id}/{item.id}"
            tries = self._insist(lambda subject=subject: self._tries.begin(subject))  # type: ignore[misc]  # as above
            if tries > TRIES_ALONE:
                detail = f"it ended its worker {tries - 1} times while it was alone"
                failure = ProcessingError(item.id, detail)
                entries = [refused_item(job, item, failure, self._reader(job), self._limits)]
            else:
                one = job.model_copy(update={"items": (item,)})
                entries = [e for e in self._entries(one) if not isinstance(e.entry, CloseEntry)]
            total += len(entries)
            self._publish(entries)
            if tries <= TRIES_ALONE:  # what came through is not counted again because of another item
                self._insist(lambda subject=subject: self._tries.finish(subject))  # type: ignore[misc]  # as above
        self._publish([Outgoing(CloseEntry(job=job_ref(job), total=total))])

    def _begin_item(self, item: JobItem) -> None:
        structlog.contextvars.bind_contextvars(item_id=item.id)
        pulse.begin("item", item.id, limit_s=self._settings.item_seconds_max)

    def _reader(self, job: Job) -> Read:
        """Reads the job's refs where its door keeps them; a stranger's job has none, and reads nobody's."""

        def read(ref: str, limit: int) -> bytes:
            if job.kind == "file":
                read_ref = cutting.read if cutting.is_part(ref) else claims.read
                return self._insist(lambda: read_ref(self._settings.inbox, ref, limit))
            if job.kind in ("http", "feed", "bulk"):
                return self._insist(lambda: spool.read(self._settings.spool, ref, limit))
            raise MissingInput(ref, "only the doors of copydesk may refer to an input")

        return read

    def _insist(self, call: Callable[[], T]) -> T:
        """Call until it works: a dependency that is away is waited for, with a back-off of up to five seconds."""
        wait = 0.1
        while True:
            try:
                return call()
            except DependencyError as error:
                log.warning("waiting for a dependency", error=str(error), wait_s=wait)
                pulse.back_off(error.dependency)
                time.sleep(wait)
                wait = min(wait * 2, 5.0)

    def _wait_below_mark(self) -> None:
        """Pause while the stream is fuller than its mark: storage frees it, and the jobs are safe where they are."""
        while time.monotonic() - self._measured >= MEASURE_EVERY_S:
            size = self._insist(self._stream.size_bytes)
            if size <= self._settings.stream_bytes_max:
                self._measured = time.monotonic()
                self._insist(self._index.tidy)
                return
            log.warning(
                "paused: the article stream is above its mark", bytes=size, mark=self._settings.stream_bytes_max
            )
            pulse.pause("the article stream's mark")
            time.sleep(0.5)


def _as_bytes(payload: object) -> bytes:
    # It was read under the limit, but at a shallower place than this.
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(2 * limit)
    try:
        return json.dumps(payload, default=repr, ensure_ascii=False).encode("utf-8", "surrogatepass")
    finally:
        sys.setrecursionlimit(limit)


def in_chunks(entries: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    """Cut entries into runs that are published at once: by number, and by the raw bytes that ride along."""
    chunk: list[Outgoing] = []
    size = 0
    for outgoing in entries:
        chunk.append(outgoing)
        size += len(outgoing.raw or b"")
        if len(chunk) >= ENTRIES_AT_ONCE or size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk
