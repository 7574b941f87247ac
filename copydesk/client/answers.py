"""What an answer of the door means: a value, an error, or a pause before the same is asked again. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from copydesk.client.calls import Call
from copydesk.client.errors import (
    ArticleDeleted,
    ClientError,
    DoorUnavailable,
    NotAllowed,
    NotFound,
    NotStoredYet,
    RequestRefused,
    UnexpectedAnswer,
)

T = TypeVar("T")

# Without a Retry-After: doubled with each try, up to the last.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0

_WAITED = ("not_stored_yet", "stopping")

_ERRORS: Mapping[int, type[ClientError]] = {
    401: NotAllowed,
    403: NotAllowed,
    404: NotFound,
    410: ArticleDeleted,
    429: DoorUnavailable,
    502: DoorUnavailable,
    503: DoorUnavailable,
    504: DoorUnavailable,
}


def read(call: Call[T], status: int, body: bytes) -> T:
    """The value of an answer. Raises `ClientError`."""
    if not 200 <= status < 300:
        raise error_of(f"{call.method} {call.path}", status, body)
    try:
        return call.read(body)
    except (ValidationError, ValueError, KeyError, TypeError) as error:
        raise UnexpectedAnswer(f"{call.method} {call.path}", str(error)[:500], status) from error


def error_of(subject: str, status: int, body: bytes) -> ClientError:
    """The error that an answer is."""
    problem = _problem(body)
    detail = str(problem.get("detail") or body[:200].decode("utf-8", "replace") or f"status {status}")
    if status == 503 and problem.get("code") in _WAITED:
        return NotStoredYet(subject, detail, status, problem)
    kind = _ERRORS.get(status) or (RequestRefused if 400 <= status < 500 else UnexpectedAnswer)
    return kind(subject, detail, status, problem)


def unreachable(call: Call[Any], error: Exception) -> DoorUnavailable:
    """The error of a call that got no answer."""
    failure = DoorUnavailable(f"{call.method} {call.path}", str(error) or type(error).__name__)
    failure.__cause__ = error
    return failure


def pause_s(tries: int, retry_after: str | None) -> float:
    """Seconds before a call that found the door unavailable is made again; `tries` were made, at least one."""
    own = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * float(1 << min(tries - 1, 10)))
    try:
        return max(own, float(retry_after or 0))
    except ValueError:  # a date; the door sends seconds, a proxy in between may not
        return own


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
