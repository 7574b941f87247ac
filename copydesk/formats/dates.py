"""The dates that feeds and page metadata write, read only where they can mean one thing.

feedparser is not asked: it takes the first number that fits and fills the rest in from the day of the run. What is
not read here is no date. The zone of an item without one is for the caller: the result then has no offset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

# Hours east of Greenwich of the zone names that mean one thing. Left out: CST (China, Chicago), IST (India, Ireland,
# Israel), BST (Britain, Bangladesh), AST, SST, GST, ECT: they count as no zone. EST, MST and PST are RFC 822's.
ZONES: Mapping[str, float] = {
    "ACST": 9.5,
    "AEDT": 11,
    "AEST": 10,
    "AKDT": -8,
    "AKST": -9,
    "AWST": 8,
    "BRT": -3,
    "CAT": 2,
    "CDT": -5,
    "CEST": 2,
    "CET": 1,
    "EAT": 3,
    "EDT": -4,
    "EEST": 3,
    "EET": 2,
    "EST": -5,
    "GMT": 0,
    "HKT": 8,
    "HST": -10,
    "ICT": 7,
    "JST": 9,
    "KST": 9,
    "MDT": -6,
    "MSK": 3,
    "MST": -7,
    "NPT": 5.75,
    "NZDT": 13,
    "NZST": 12,
    "PDT": -7,
    "PHT": 8,
    "PKT": 5,
    "PST": -8,
    "SAST": 2,
    "SGT": 8,
    "UT": 0,
    "UTC": 0,
    "WAT": 1,
    "WEST": 1,
    "WET": 0,
    "WIB": 7,
    "WIT": 9,
    "WITA": 8,
    "Z": 0,
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"[a-z]+\.?,?"
_DAY = r"(?P<day>\d{1,2})"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?:\s*(?P<half>[ap])\.?m\.?)?(?:\s*(?P<zone>[a-z]{1,5}(?![a-z])|(?:GMT|UTC|UT)?\s*[+\-−]\d{1,2}:?(?:\d{2})?))?"
    r"(?:\s*\([^)]*\))?"
)
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # W3C-DTF and ISO 8601, also with slashes, dots or a space; the year first, so nothing to mistake.
        rf"(?P<year>\d{{4}})[-/.](?P<nmonth>\d{{1,2}})[-/.]{_DAY}(?:(?:T|[\s,]+){_CLOCK})?",
        r"(?P<year>\d{4})(?P<nmonth>\d{2})(?P<day>\d{2})"
        r"(?:T?(?P<hour>\d{2})(?P<minute>\d{2})(?P<second>\d{2})?(?P<zone>Z|[+-]\d{2}:?\d{2})?)?",
        # RFC 822 and RFC 2822, with full names, a missing comma or missing seconds.
        rf"(?:{_WEEKDAY}\s*)?{_DAY}(?:st|nd|rd|th)?[\s\-]*{_MONTH},?[\s\-]*(?P<year>\d{{4}}|\d{{2}})"
        rf"(?:[\s,T]+(?:at\s+)?{_CLOCK})?",
        # May 25, 2024 15:23; Sat, May 25 2024 at 3:23 pm; 15:23, May 25, 2024
        rf"(?:{_WEEKDAY}\s+)?{_MONTH}\s*{_DAY}(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?:[\s,]+(?:at\s+)?{_CLOCK})?",
        rf"{_CLOCK},?\s+{_MONTH}\s*{_DAY},?\s+(?P<year>\d{{4}})",
        # asctime: Sat May 25 15:23:00 2024, and with a zone before the year as `date` prints it
        rf"[a-z]{{3}}\s+{_MONTH}\s+{_DAY}\s+{_CLOCK}\s+(?P<year>\d{{4}})",
        # 2024年05月25日 15:23, 2024年5月25日15时23分; 2024년 5월 25일 15:23
        rf"(?P<year>\d{{4}})\s*[年년]\s*(?P<nmonth>\d{{1,2}})\s*[月월]\s*{_DAY}\s*[日일](?:\s*[(（].[)）])?(?:\s*{_CLOCK})?",
        rf"(?P<year>\d{{4}})\s*年\s*(?P<nmonth>\d{{1,2}})\s*月\s*{_DAY}\s*日\s*"
        r"(?P<hour>\d{1,2})\s*[时時]\s*(?P<minute>\d{1,2})\s*分(?:\s*(?P<second>\d{1,2})\s*秒)?",
    )
)


def read_date(text: str) -> str | None:
    """ISO 8601 of a date string: with offset, without where it names no zone, or a bare date; None if unreadable.

    The zero dates that software writes for "none" (1 January of 1, 1900 and 1970 at midnight) are no dates.
    """
    stripped = " ".join(text.split())
    if len(stripped) > 80:
        return None
    for pattern in _PATTERNS:
        found = pattern.fullmatch(stripped)
        if found:
            return _build(found.groupdict())
    return None


def _build(parts: Mapping[str, str | None]) -> str | None:
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 1900 if year >= 70 else 2000
    month = (
        int(parts["nmonth"] or 0) if parts.get("nmonth") else _MONTHS.index((parts.get("month") or "")[:3].lower()) + 1
    )
    hour, minute = int(parts.get("hour") or 0), int(parts.get("minute") or 0)
    second = min(int(parts.get("second") or 0), 59)  # a leap second is kept in the minute it ends
    half = (parts.get("half") or "").lower()
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    next_day = hour == 24 and minute == second == 0
    try:
        moment = datetime(year, month, int(parts["day"] or 0), 0 if next_day else hour, minute, second)  # noqa: DTZ001 - the zone is set below where there is one
    except ValueError:
        return None
    if not 1900 <= year <= 2200 or moment in _ZEROES:
        return None
    if not parts.get("hour"):
        return moment.date().isoformat()
    if next_day:
        moment += timedelta(days=1)
    offset = _offset(parts.get("zone") or "")
    return moment.replace(tzinfo=timezone(offset) if offset is not None else None).isoformat()


_ZEROES = {datetime(1900, 1, 1), datetime(1970, 1, 1)}  # noqa: DTZ001 - compared with times that have no zone yet


def _offset(zone: str) -> timedelta | None:
    """What a zone is from Greenwich; None for a name that means nothing or several things."""
    name = zone.strip().upper().replace("−", "-")
    if name in ZONES:
        return timedelta(hours=ZONES[name])
    found = re.fullmatch(r"(?:GMT|UTC|UT)?\s*([+-])(\d{1,2}):?(\d{2})?", name)
    if not found:
        return None
    hours, minutes = int(found[2]), int(found[3] or 0)
    if hours > 14 or minutes > 59:  # Kiribati is at +14
        return None
    size = timedelta(hours=hours, minutes=minutes)
    return -size if found[1] == "-" else size
