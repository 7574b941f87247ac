"""Counts how often a job or item was begun and not finished, so that one that kills its worker is found.

Best effort: a full Redis refuses the count, and then nothing is counted.
"""

from __future__ import annotations

import contextlib

import redis

from copydesk.errors import QueueFull
from copydesk.queue.streams import translated_errors

# A job is finished or taken up again long before.
_KEPT_S = 7 * 24 * 3600


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

    def finish(self, *subjects: str) -> None:
        """Forget subjects that came through."""
        with translated_errors("forget tries"):
            self._redis.delete(*(_key(s) for s in subjects))


def _key(subject: str) -> str:
    return f"copydesk:tries:{subject}"
