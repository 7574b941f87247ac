"""The article stream between ingest and storage, and the stream that tells of closed jobs.

An entry is one JSON envelope, the article's sketch and, where it is the first of its item, the raw input, compressed.
Producers write a job's entries in chunks, one script call each; consumers read their own pending entries first and
settle outside MULTI, because a full Redis refuses every command inside MULTI and the consumer is what frees its memory
(docs/promises.md).
"""

from __future__ import annotations

import itertools
import ssl
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.retry import Retry

from copydesk.errors import IndexIncomplete, QueueFull, QueueNotTrusted, QueueUnavailable
from copydesk.liveness.pulse import pulse
from copydesk.queue.entries import Incoming, Outgoing
from copydesk.queue.likeness_scripts import PUBLISH

ARTICLES = "articles"
GROUP = "storage"
CLOSED = "copydesk:closed"
LIKENESS = "copydesk:like"

# Best effort: whoever waits falls back on Postgres, so a listener that is this far behind loses nothing.
CLOSED_KEPT = 10_000

# One event-loop turn of Redis reads about 16 KB: one call of 100 articles costs one fsync where a plain pipeline
# costs twenty (appendfsync always: 60,000 against 16,000 entries a second).
ENTRIES_AT_ONCE = 100

# A killed worker's job comes back within seconds; what is published again later finds its receipt in Postgres. Short,
# so that a stream that was lost by other means is made good by its doors.
PUBLISHED_KEPT_S = 120


class _Patience(ExponentialBackoff):
    """Notes each try that failed: a call on a silent Redis takes longer than a standstill may, and is none."""

    def compute(self, failures: int) -> float:
        pulse.back_off("redis")
        return super().compute(failures)


def connect(url: str, *, socket_timeout_s: float = 10.0, retries: int = 3) -> redis.Redis:
    """A client for streams: binary replies, bounded waits, a few quick retries of a broken connection.

    A retry may repeat an XADD whose reply was lost; storing is idempotent on the item id, so that is harmless.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=socket_timeout_s,
        socket_connect_timeout=3,
        # A Unix socket has no peer that could go silent on the way.
        **({} if url.startswith("unix:") else {"socket_keepalive": True}),
        health_check_interval=10,
        retry=Retry(_Patience(cap=1, base=0.05), retries),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError],
    )


class translated_errors:  # noqa: N801 - a context manager that reads as a clause
    """Turns redis-py's errors into ours at the border."""

    def __init__(self, subject: str) -> None:
        self._subject = subject

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, redis.exceptions.OutOfMemoryError) or (
            isinstance(error, redis.exceptions.ExecAbortError | redis.ResponseError) and "OOM" in str(error)
        ):
            raise QueueFull(self._subject, str(error)) from error
        if isinstance(error, redis.RedisError | OSError):
            raise unavailable(self._subject, error) from error


def unavailable(subject: str, error: BaseException) -> QueueUnavailable:
    """What to raise for a server that was not reached: `QueueNotTrusted` where TLS is at the bottom of it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLError):
            return QueueNotTrusted(subject, str(found))
        found = found.__cause__ or found.__context__
    return QueueUnavailable(subject, str(error) or type(error).__name__)


class ArticleStream:
    """Reads and writes the article stream. Raises `QueueUnavailable` or `QueueFull`, nothing of redis-py."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._reader = _without_retries(client)
        self._claim_cursor = "0-0"
        self._publish = client.register_script(PUBLISH)

    def create_group(self) -> None:
        """Make the stream and its group, at deploy: a full Redis refuses XGROUP CREATE. Reads from the beginning."""
        with translated_errors("create group"):
            try:
                self._redis.xgroup_create(ARTICLES, GROUP, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    def publish(self, entries: Sequence[Outgoing]) -> None:
        """Append entries, in order; `ENTRIES_AT_ONCE` of a job are there whole or not at all, documents once.

        Raises `IndexIncomplete` where articles were judged by an index that was lost since: they must be judged again.
        """
        for job_id, of_job in itertools.groupby(entries, lambda outgoing: outgoing.entry.job.id):
            while chunk := list(itertools.islice(of_job, ENTRIES_AT_ONCE)):
                arguments: list[Any] = [PUBLISHED_KEPT_S]
                for outgoing in chunk:
                    arguments += (
                        uuid.UUID(outgoing.document).bytes if outgoing.document else b"",
                        outgoing.entry.model_dump_json(),
                        b"" if outgoing.raw is None else zlib.compress(outgoing.raw, 1),
                        outgoing.sketch or b"",
                        outgoing.epoch or "",
                    )
                with translated_errors("publish"):
                    refused = self._publish([ARTICLES, job_key(job_id), LIKENESS], arguments)
                if refused:
                    raise IndexIncomplete("likeness index", "it was loaded anew since these articles were judged")

    def read_own(self, consumer: str, count: int) -> list[Incoming]:
        """What this consumer took before and did not settle, oldest first."""
        return self._read(consumer, "0", count, block_ms=None)

    def read_new(self, consumer: str, count: int, block_ms: int) -> list[Incoming]:
        """Entries that nobody has taken; waits up to `block_ms`."""
        return self._read(consumer, ">", count, block_ms=block_ms)

    def claim_stale(self, consumer: str, idle_s: float, count: int) -> list[Incoming]:
        """Take over what another consumer has left unsettled for `idle_s` seconds; call again while it gives some."""
        with translated_errors("claim"):
            try:
                cursor, entries, *_ = self._redis.xautoclaim(
                    ARTICLES,
                    GROUP,
                    consumer,
                    min_idle_time=int(idle_s * 1000),
                    start_id=self._claim_cursor,
                    count=count,
                )
            except redis.ResponseError as error:
                self._recreate_group(error)
                return []
            self._claim_cursor = cursor.decode() if isinstance(cursor, bytes) else str(cursor)
            return self._with_deliveries(consumer, list(_entries(entries)))

    def unsettled(self, count: int) -> Iterator[list[Incoming]]:
        """Every entry that stands in the stream, waiting or in hand, oldest first, `count` at a time."""
        position = "-"
        while True:
            with translated_errors("look through"):
                reply: Any = self._redis.xrange(ARTICLES, min=position, count=count)
            found = list(_entries(reply))
            if not found:
                return
            yield found
            position = f"({found[-1].stream_id}"

    def settle(self, stream_ids: Sequence[str]) -> None:
        """Acknowledge and delete, after the commit; a plain pipeline, see the module's head."""
        if not stream_ids:
            return
        with translated_errors("settle"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.xack(ARTICLES, GROUP, *stream_ids)
            pipe.xdel(ARTICLES, *stream_ids)
            pipe.execute()

    def forget_consumer(self, consumer: str) -> None:
        """Drop a consumer that has nothing pending, at a clean stop."""
        with translated_errors("forget consumer"):
            # Asked of the pending list itself: deleting a consumer loses what is pending, and reading hides entries
            # that were deleted meanwhile.
            if not self._redis.xpending_range(ARTICLES, GROUP, min="-", max="+", count=1, consumername=consumer):
                self._redis.xgroup_delconsumer(ARTICLES, GROUP, consumer)

    def depth(self) -> int:
        """Entries not yet settled: waiting and in hand."""
        return articles_waiting(self._redis)

    def size_bytes(self) -> int:
        """Memory of the stream, as Redis estimates it from a sample of its nodes."""
        with translated_errors("size"):
            return int(self._redis.memory_usage(ARTICLES, samples=5) or 0)

    def tell_closed(self, job_ids: Sequence[str]) -> None:
        """Say which jobs have all their receipts, for whoever waits; capped, best effort."""
        if not job_ids:
            return
        with translated_errors("tell closed"):
            pipe = self._redis.pipeline(transaction=False)
            for job_id in job_ids:
                pipe.xadd(CLOSED, {"job": job_id}, maxlen=CLOSED_KEPT, approximate=True)
            pipe.execute()

    def closed_since(self, cursor: str, block_ms: int) -> tuple[str, list[str]]:
        """Ids of jobs closed after `cursor` (`$` for from now on), and the cursor to go on from."""
        with translated_errors("closed jobs"):
            if cursor == "$":  # given back as a place, or what is told between two calls would be missed
                newest = self._redis.xrevrange(CLOSED, count=1)
                cursor = text(newest[0][0]) if newest else "0-0"
            reply = self._redis.xread({CLOSED: cursor}, count=1000, block=block_ms)
            found = list(_entries(_only_stream(reply)))
            ids = [str(entry.payload.decode()) for entry in found]
            return (found[-1].stream_id if found else cursor), ids

    def _read(self, consumer: str, position: str, count: int, block_ms: int | None) -> list[Incoming]:
        with translated_errors("read"):
            try:
                reply = self._reader.xreadgroup(GROUP, consumer, {ARTICLES: position}, count=count, block=block_ms)
            except redis.ResponseError as error:
                self._recreate_group(error)
                return []
            found = list(_entries(_only_stream(reply)))
            return self._with_deliveries(consumer, found) if position != ">" else found

    def _with_deliveries(self, consumer: str, found: list[Incoming]) -> list[Incoming]:
        """How often each entry was handed out; asked only for what was handed out before, and is this consumer's."""
        if not found:
            return found
        pending = self._redis.xpending_range(
            ARTICLES,
            GROUP,
            min=found[0].stream_id,
            max=found[-1].stream_id,
            count=max(len(found) * 4, 100),
            consumername=consumer,
        )
        counts = {text(p["message_id"]): int(p["times_delivered"]) for p in pending}
        return [replace(i, deliveries=counts.get(i.stream_id, 1)) for i in found]

    def _recreate_group(self, error: redis.ResponseError) -> None:
        """After a Redis that lost its data the group is gone; anything else is not ours to handle."""
        if "NOGROUP" not in str(error):
            raise error
        self.create_group()


def _without_retries(client: redis.Redis) -> redis.Redis:
    """A client for reads that must not be repeated unseen.

    Entries whose reply was lost are ours by then: read again, `>` passes over them, and they would wait for a claim.
    """
    pool = client.connection_pool
    settings = {**pool.connection_kwargs, "retry": Retry(NoBackoff(), 0)}
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **settings))


def articles_waiting(client: redis.Redis) -> int:
    """Entries not yet settled: waiting and in hand. Raises `QueueUnavailable`."""
    with translated_errors("depth"):
        return int(client.xlen(ARTICLES))


def job_key(job_id: str) -> str:
    """Where the answers of the likeness index to a job's documents are kept, and which of them are published."""
    return f"{LIKENESS}:job:{job_id}"


def memory(client: redis.Redis) -> tuple[int, int]:
    """(bytes that Redis uses, bytes that it may use, 0 for any). Raises `QueueUnavailable`."""
    with translated_errors("memory"):
        found: Any = client.info("memory")
        return int(found["used_memory"]), int(found.get("maxmemory", 0))


def text(value: object) -> str:
    """A name or id as Redis gives it."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _only_stream(reply: object) -> list[tuple[bytes, dict[bytes, bytes]]]:
    """The entries of a reply about one stream, in the shape of RESP2 (list) or RESP3 (dict)."""
    if not reply:
        return []
    if isinstance(reply, dict):
        (entries,) = reply.values()
        return entries[0] if entries and isinstance(entries[0], list) else entries
    return reply[0][1]  # type: ignore[index,no-any-return]  # redis-py types the reply as Any | Awaitable


def _entries(found: Sequence[tuple[bytes, dict[bytes, bytes] | None]]) -> Iterator[Incoming]:
    for stream_id, fields in found:
        if fields is None:  # deleted while pending; Redis 7 and later drop it from the pending list by themselves
            continue
        payload = fields.get(b"d", fields.get(b"job", b""))
        epoch = fields.get(b"epoch", b"").decode() or None
        yield Incoming(text(stream_id), payload, fields.get(b"raw"), sketch=fields.get(b"sketch"), epoch=epoch)
