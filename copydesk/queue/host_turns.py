"""Whose turn it is to ask a host: shared by every thread of every fetch worker, kept in Redis.

A turn is a time, at least the host's spacing behind the one before, and one of few places. What is lost with Redis is
a pause of seconds. Whose hosts are one, and how far apart, is decided by the caller.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import redis

from copydesk.errors import QueueUnavailable
from copydesk.queue.streams import translated_errors

# KEYS: when the next turn may be, who is asking. ARGV: token, spacing, longest wait, places, hold; all in milliseconds.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[4]) then
    return {0, math.max(at - now, 1000)}
end
if at - now > tonumber(ARGV[3]) then
    return {0, at - now}
end
redis.call('SET', KEYS[1], at + ARGV[2], 'PX', at - now + ARGV[2] + 1000)
redis.call('ZADD', KEYS[2], at + ARGV[5], ARGV[1])
redis.call('PEXPIRE', KEYS[2], at - now + ARGV[5])
return {1, at - now}
"""


class Turn(NamedTuple):
    """Whether there is one, and in how many seconds; without one, when it is worth asking again."""

    is_given: bool
    wait_s: float


class HostTurns:
    """Raises `QueueUnavailable`."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._take = client.register_script(_TAKE)

    @contextmanager
    def turn(
        self, domain: str, *, spacing_s: float, requests_max: int, patience_s: float, hold_s: float
    ) -> Iterator[Turn]:
        """A turn at most `patience_s` away, held for the block; its place is free after `hold_s` at the latest."""
        token = uuid.uuid4().hex
        keys = [f"copydesk:host:{{{domain}}}:next", f"copydesk:host:{{{domain}}}:asking"]
        spacing, patience, hold = (round(seconds * 1000) for seconds in (spacing_s, patience_s, hold_s))
        with translated_errors(f"a turn at {domain}"):
            answer: Any = self._take(keys=keys, args=[token, spacing, patience, requests_max, hold])
        turn = Turn(bool(answer[0]), int(answer[1]) / 1000)
        try:
            yield turn
        finally:
            if turn.is_given:
                # A place that cannot be given back now is free after its hold.
                with contextlib.suppress(QueueUnavailable), translated_errors(f"a turn at {domain}"):
                    self._redis.zrem(keys[1], token)
