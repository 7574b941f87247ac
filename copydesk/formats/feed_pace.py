"""What a feed itself says about how often it may be read: RSS `ttl`, and `updatePeriod` of the syndication module.

A look at its head by pattern: whoever polls needs no more, and a broken feed has these too. RSS `skipHours` and
`skipDays` too, both in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# Channel elements stand before the items nearly always.
HEAD_BYTES = 32 * 1024

_TTL = re.compile(rb"<ttl>\s*(\d{1,7})\s*</ttl>", re.IGNORECASE)
_PERIOD = re.compile(rb"<(?:\w+:)?updatePeriod>\s*(hourly|daily|weekly|monthly|yearly)\s*<", re.IGNORECASE)
_FREQUENCY = re.compile(rb"<(?:\w+:)?updateFrequency>\s*(\d{1,6})\s*<", re.IGNORECASE)

_PERIODS_S = {b"hourly": 3600, b"daily": 86400, b"weekly": 7 * 86400, b"monthly": 30 * 86400, b"yearly": 365 * 86400}

_SKIP_HOURS = re.compile(rb"<skipHours>(.{0,2000}?)</skipHours>", re.IGNORECASE | re.DOTALL)
_SKIP_DAYS = re.compile(rb"<skipDays>(.{0,1000}?)</skipDays>", re.IGNORECASE | re.DOTALL)
_HOUR = re.compile(rb"<hour>\s*(\d{1,2})\s*</hour>", re.IGNORECASE)
_DAY = re.compile(rb"<day>\s*(mon|tues|wednes|thurs|fri|satur|sun)day\s*</day>", re.IGNORECASE)
_DAYS = (b"mon", b"tues", b"wednes", b"thurs", b"fri", b"satur", b"sun")
_WEEK_HOURS = 7 * 24


def asked_interval_s(data: bytes) -> float:
    """The least seconds between two readings that the feed asks for; 0 where it does not. Of two, the longer."""
    head = data[:HEAD_BYTES]
    asked = 0.0
    if found := _TTL.search(head):
        asked = int(found[1]) * 60.0
    if found := _PERIOD.search(head):
        often = _FREQUENCY.search(head)
        asked = max(asked, _PERIODS_S[found[1].lower()] / max(int(often[1]) if often else 1, 1))
    return asked


def skipped_s(data: bytes, at: datetime) -> float:
    """Seconds from `at` to the first hour in which the feed may be read; 0 where it may be, or never may be."""
    head = data[:HEAD_BYTES]
    within = [_within(_SKIP_HOURS, _HOUR, head), _within(_SKIP_DAYS, _DAY, head)]
    hours = {int(hour) % 24 for hour in within[0] if int(hour) <= 24}  # 24 is midnight in old RSS
    days = {_DAYS.index(day.lower()) for day in within[1]}
    moment = at.astimezone(UTC)
    for _ in range(_WEEK_HOURS + 1):
        if moment.hour not in hours and moment.weekday() not in days:
            return max(0.0, (moment - at).total_seconds())
        moment = moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return 0.0


def _within(outer: re.Pattern[bytes], inner: re.Pattern[bytes], head: bytes) -> list[bytes]:
    found = outer.search(head)
    return inner.findall(found[1]) if found else []
