"""Records what lay on a queue and was no message: rejected, with its bytes, as any job that cannot be carried.

The transport sets such bytes aside in Redis, since nothing that it could tell would read them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import structlog

from copydesk.delivery.publication import refused_job
from copydesk.errors import UnreadableMessage
from copydesk.models import Outcome
from copydesk.queue.custody import take_unreadable
from copydesk.queue.entries import JobRef
from copydesk.queue.jobs import sha256
from copydesk.queue.streams import ArticleStream, connect, translated_errors
from copydesk.storage.connection import Connection

log = structlog.get_logger(__name__)


class Unreadable:
    """`turn` is called every second or so; two schedulers at once record the same once."""

    def __init__(self, redis_url: str) -> None:
        self._redis = connect(redis_url)
        self._stream = ArticleStream(self._redis)

    def turn(self, _: Connection) -> None:
        """Record everything that was set aside. Raises `QueueUnavailable`."""
        with translated_errors("unreadable messages"):
            take_unreadable(self._redis, self._record)

    def _record(self, message: bytes) -> None:
        job_id = f"unreadable{sha256(message)[:32]}"
        ref = JobRef(id=job_id, source="celery", kind="celery", origin=None, received_at=datetime.now(UTC))
        error = UnreadableMessage(job_id, f"{len(message):,} bytes")
        self._stream.publish(refused_job(ref, error, message, outcome=Outcome.REJECTED))
        log.warning("an unreadable message was recorded", job_id=job_id, bytes=len(message))
