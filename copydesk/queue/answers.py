"""Answers of workers to who waits for them: one list a question, gone a minute after it was written.

For questions of people only. What must not be lost is answered by Postgres.
"""

from __future__ import annotations

import redis

from copydesk.queue.streams import translated_errors

_PREFIX = "copydesk:answer:"
_KEPT_S = 60


def give(client: redis.Redis, question: str, answer: bytes) -> None:
    """Answer a question. Raises `QueueUnavailable`."""
    with translated_errors("answer"):
        pipe = client.pipeline(transaction=False)
        pipe.rpush(_PREFIX + question, answer)
        pipe.expire(_PREFIX + question, _KEPT_S)
        pipe.execute()


def wait(client: redis.Redis, question: str, timeout_s: float) -> bytes | None:
    """The answer to a question; None when none came in time. Raises `QueueUnavailable`.

    `timeout_s` must be less than the client's own timeout on its socket.
    """
    with translated_errors("answer"):
        found = client.blpop([_PREFIX + question], timeout=timeout_s)
        answer = found[1] if found else None
        return answer.encode() if isinstance(answer, str) else answer
