"""Takes batches off the article stream into Postgres: one transaction, commit, then settle.

What is transient keeps the batch and backs off for ever; what Postgres refuses is found by bisection and becomes a
dead letter in the transaction of the good ones; an entry that ended its process twice while alone is dead.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from copydesk import metrics
from copydesk.delivery import restoring
from copydesk.delivery.transaction import Committed, bury, commit, give_up_leaders
from copydesk.errors import DatabaseUnavailable, QueueFull, QueueUnavailable, RowRefused
from copydesk.liveness.pulse import pulse
from copydesk.queue.entries import Incoming
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import ArticleStream
from copydesk.storage import attempts
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection

log = structlog.get_logger(__name__)

# From this delivery on an entry is taken alone: twice may be a kill or an outage of somebody else.
ALONE_FROM = 3

# It is dead when it has ended the process this often while alone.
TRIES_ALONE = 2

# A transaction of more could not be sure to end before its deadline (10 MB/s is a slow disk's pace).
BATCH_BYTES = 16 * 1024 * 1024

# A batch that used up its deadline this often may be too much for it; once may be a moment of the disk.
SLOW_TRIES = 2

# Followers of a document that does not come are judged without it after this long; its job came again long before.
LEADER_WAIT_S = 3600.0

# Between two looks for such followers.
LOOK_EVERY_S = 60.0

T = TypeVar("T")


class _TooSlow(Exception):
    """The batch does not end within its deadline."""


def by_bytes(batch: Sequence[Incoming], limit: int) -> list[list[Incoming]]:
    """Cut a batch into runs whose payloads are at most `limit` bytes together; a larger entry stands alone."""
    chunks: list[list[Incoming]] = []
    room = 0
    for entry in batch:
        size = len(entry.payload) + len(entry.raw or b"")
        if not chunks or size > room:
            chunks.append([])
            room = limit
        chunks[-1].append(entry)
        room -= size
    return chunks


class Writer:
    """One storage worker. Keeps its connection; every public method may be called again after any error."""

    def __init__(
        self,
        stream: ArticleStream,
        index: LikenessIndex,
        postgres_url: str,
        consumer: str,
        *,
        batch_size: int,
        claim_idle_s: float,
        deadline_s: float,
        pause: Callable[[float], object],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._stream = stream
        self._index = index
        self._url = postgres_url
        self._consumer = consumer
        self._batch_size = batch_size
        self._claim_idle_s = claim_idle_s
        self._deadline_s = deadline_s
        self._pause = pause
        self._is_stopping = is_stopping
        self._connection: Connection | None = None
        self._has_own = True
        self._looked = time.monotonic()

    def step(self) -> int:
        """Read a batch, commit it, settle it; returns how many entries. Waits up to a second when there is nothing.

        Raises `QueueUnavailable`; a database that is away is waited for.
        """
        batch = self._next_batch()
        pulse.finish("look into the stream")
        if batch:
            alone = [e for e in batch if e.deliveries >= ALONE_FROM]
            together = [e for e in batch if e.deliveries < ALONE_FROM]
            for chunk in by_bytes(together, BATCH_BYTES):
                metrics.batch_entries.observe(len(chunk))
                with pulse.holding("batch", f"of {len(chunk)}"), metrics.batch_seconds.time():
                    self._carry(chunk)
            for entry in alone:
                with pulse.holding("entry", entry.stream_id):
                    self._carry_alone(entry)
        if time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            if given_up := self._persist(lambda connection: give_up_leaders(connection, LEADER_WAIT_S)):
                log.warning("followers were judged without documents that did not come", documents=given_up)
        return len(batch)

    def after_error(self) -> None:
        """The last settle may not have arrived: read own pending entries first, again."""
        pulse.back_off(QueueUnavailable.dependency)
        self._has_own = True

    def close(self) -> None:
        """Hand back nothing (pending entries stay with the stream) and close the connection."""
        with contextlib.suppress(QueueUnavailable):
            self._stream.forget_consumer(self._consumer)
        self._disconnect()

    def _next_batch(self) -> list[Incoming]:
        if self._has_own:
            batch = self._stream.read_own(self._consumer, self._batch_size)
            if batch:
                return batch
            self._has_own = False
        stale = self._stream.claim_stale(self._consumer, self._claim_idle_s, self._batch_size)
        if stale:
            return stale
        return self._stream.read_new(self._consumer, self._batch_size, block_ms=1000)

    def _carry(self, batch: Sequence[Incoming]) -> None:
        try:
            done = self._persist(lambda connection: commit(connection, batch), may_split=len(batch) > 1)
        except _TooSlow:
            half = len(batch) // 2
            log.warning("a batch does not end within the deadline, it is halved", entries=len(batch))
            self._carry(batch[:half])
            self._carry(batch[half:])
            return
        if done is not None:
            self._settle(batch, done)

    def _carry_alone(self, entry: Incoming) -> None:
        tries = self._persist(lambda connection: attempts.load(connection, entry.stream_id))
        if tries is None:
            return
        if tries >= TRIES_ALONE:
            refusal = RowRefused(entry.stream_id, f"it ended the process {tries} times while it was alone")
            done = self._persist(lambda connection: bury(connection, entry, refusal))
        else:
            if self._persist(lambda connection: attempts.note(connection, entry.stream_id, tries + 1)) is None:
                return
            done = self._persist(lambda connection: commit(connection, [entry]))
        if done is None:
            return
        self._settle([entry], done)
        self._persist(lambda connection: attempts.forget(connection, entry.stream_id))

    def _settle(self, batch: Sequence[Incoming], done: Committed) -> None:
        for outcome, count in done.outcomes.items():
            metrics.items.labels(outcome).inc(count)
        # Before they are settled: a writer that is killed in between finds them again.
        try:
            if late := restoring.enter_late(self._index, batch, datetime.now(UTC)):
                log.info("entered into the likeness index, which was loaded without them", documents=late)
        except QueueFull as error:  # settling is what frees a full Redis
            log.warning("the likeness index lacks documents until it is loaded again", error=str(error))
        self._stream.settle([entry.stream_id for entry in batch])
        with contextlib.suppress(QueueUnavailable):  # told best effort: whoever waits asks Postgres in the end
            self._stream.tell_closed(done.closed)

    def _persist(self, work: Callable[[Connection], T], *, may_split: bool = False) -> T | None:
        """Do `work` in one transaction, again and again until Postgres takes it; None when told to stop meanwhile.

        Raises `_TooSlow` where that is allowed and the work has used up its deadline `SLOW_TRIES` times in a row.
        """
        wait, slow = 0.1, 0
        while True:
            started = time.monotonic()
            try:
                connection = self._connected()
                with database.bounded_transaction(connection, "commit", self._deadline_s):
                    answer = work(connection)
                pulse.finish("transaction")
                return answer
            except DatabaseUnavailable as error:
                pulse.back_off(error.dependency)
                self._disconnect()
                if self._is_stopping():
                    return None
                slow = slow + 1 if time.monotonic() - started >= self._deadline_s else 0
                if may_split and slow >= SLOW_TRIES:
                    raise _TooSlow from error
                log.warning("postgres is away, the batch is kept", error=str(error), wait_s=wait)
                self._pause(wait)
                wait = min(wait * 2, 2.0)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                self._url, deadline_s=self._deadline_s, name=f"copydesk storage {self._consumer}"
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                self._connection.close()
            self._connection = None
