"""What an answer's headers say of its freshness, its type and when to come back. Pure: the time comes in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

# Longer than any of our intervals; a server may send any number.
SECONDS_MAX = 366 * 24 * 3600.0

# What is kept is sent again with each request; a longer one is of no use.
_VALIDATOR_MAX = 1000

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)
_NEVER_FRESH = re.compile(r"(?:^|[\s,])no-(?:cache|store)\b", re.IGNORECASE)


def fresh_for_s(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that the answer is fresh from now on, by Cache-Control, Age and Expires (RFC 9111); 0 where unknown."""
    control = headers.get("cache-control", "")
    if _NEVER_FRESH.search(control):
        return 0.0
    if found := _MAX_AGE.search(control):
        return _bounded(float(found[1]) - _seconds(headers.get("age")))
    expires = _moment(headers.get("expires"))
    if expires is None:
        return 0.0
    return _bounded((expires - (_moment(headers.get("date")) or now)).total_seconds())


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds that the server asks to be left alone; 0 where it does not."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return _seconds(value)
    moment = _moment(value)
    return _bounded((moment - now).total_seconds()) if moment else 0.0


def validator(value: str | None) -> str | None:
    """A validator that can be sent back as it came."""
    value = (value or "").strip()
    return value if value and value.isprintable() and value.isascii() and len(value) <= _VALIDATOR_MAX else None


def content_type(value: str | None) -> tuple[str | None, str | None]:
    """(media type, charset) as declared; None for what is not."""
    if not value:
        return None, None
    message = Message()
    message["content-type"] = value
    charset = message.get_content_charset()
    media_type = value.partition(";")[0].strip().lower()
    return (media_type if "/" in media_type else None), charset


def _seconds(value: str | None) -> float:
    value = (value or "").strip()
    return _bounded(float(value[:12])) if value.isascii() and value.isdigit() else 0.0


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), SECONDS_MAX)


def _moment(value: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
