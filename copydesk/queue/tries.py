"""Counts how often a job or item was begun and not finished, so that one that kills its worker is found.

Best effort: a full Redis refuses the count, and then nothing is counted.
"""

from __future__ import annotations

import contextlib
from datetime import datetime

import redis

from copydesk.errors import QueueFull
from copydesk.queue.streams import translated_errors

# A job is finished or taken up again long before.
_KEPT_S = 7 * 24 * 3600

# Twice the last net of the broker (`visibility_timeout_s`): by then nothing delivers a job again.
_RECEIVED_KEPT_S = 7200


class Tries:
    """Counters in Redis, one key a subject. Raises `QueueUnavailable`."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def begin(self, subject: str) -> int:
        """Count a try before it is made; returns which one this is, 1 where Redis is full."""
        with contextlib.suppress(QueueFull), translated_errors("count a try"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.incr(_key(subject))
            pipe.expire(_key(subject), _KEPT_S)
            return int(pipe.execute()[0])
        return 1

    def first_received(self, job_id: str, received_at: datetime) -> datetime:
        """When a job was first read: the same however often it is delivered; `received_at` where Redis is full."""
        key = f"copydesk:received:{job_id}"
        with contextlib.suppress(QueueFull), translated_errors("note a job"):
            pipe = self._redis.pipeline(transaction=False)
            pipe.set(key, received_at.isoformat(), nx=True, ex=_RECEIVED_KEPT_S)
            pipe.get(key)
            return datetime.fromisoformat(pipe.execute()[1].decode())
        return received_at

    def finish(self, *subjects: str) -> None:
        """Forget subjects that came through."""
        with translated_errors("forget tries"):
            self._redis.delete(*(_key(s) for s in subjects))


def _key(subject: str) -> str:
    return f"copydesk:tries:{subject}"
