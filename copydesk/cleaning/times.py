"""Finds dates and clock times in a folded line and turns them into ISO 8601. Invents nothing.

A date without a year takes it from elsewhere in the document or stays unknown; relative times settle nothing. A clock
time gets an offset only from the text or from a zone that the caller gives.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from copydesk.cleaning.calendars import from_buddhist, from_hijri, from_jalali
from copydesk.cleaning.lexis import Lexis, is_word_in
from copydesk.cleaning.normalise import has_digit

_DIGITS = {
    code: str(unicodedata.digit(chr(code)))
    for first in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10)
    for code in range(first, first + 10)
}
_HAN_DIGITS = {ord(c): str(i) for i, c in enumerate("〇一二三四五六七八九")} | {ord("零"): "0", ord("○"): "0"}
_HAN_NUMBER = "〇零○一二三四五六七八九十百"
_HAN_DATE = re.compile(rf"[{_HAN_NUMBER}]{{1,6}}年[{_HAN_NUMBER}]{{1,3}}月(?:[{_HAN_NUMBER}]{{1,3}}[日号])?")

_YEAR_FIRST = re.compile(r"(?<![\d.,])(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)")
_YEAR_LAST = re.compile(r"(?<![\d.,-])(\d{1,2})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?![\d%])")
# `2/19(月) 7:05配信`: portals of East Asia leave out the year.
_DAY_WITH_WEEKDAY = re.compile(r"(?<![\d/.-])(\d{1,2})/(\d{1,2})\s?\([^\W\d]\)")
_COMPACT = re.compile(r"(?<!\d)(20\d\d)([01]\d)([0-3]\d)(?!\d)")
_CLOCK = re.compile(r"(?<![\d:.,])(\d{1,2})\s?([:.hu時时시點点])\s?(\d{2})(?:\s?[:.分분]\s?(\d{2})(?!\d))?(?!\d)")
_HOUR_FIRST = re.compile(r"(?<![\d:.,])(\d{1,2})\s?([時时시點点h])(?![\d])")
_BARE_HOUR = re.compile(r"(?<![\d:.,$])(\d{1,2})(?=\s?[ap]\.?m\b)")
_HOUR_BEHIND = re.compile(r"(?<!\w)kl\.?\s(\d{1,2})(?![\d:.]\d|\d)")
_OFFSET = re.compile(r"\s?\(?(?:(?:utc|gmt)\s?)?([+-])\s?(\d{1,2})(?::?([0-5]\d))?(?!\d)")
_DAY_BEFORE = re.compile(r"(?<![\d:.])(\d{1,2})\s?[^\W\d]{0,4}\.?\s?$")
_DAY_AFTER = re.compile(r"^\s?[.,]?\s?(\d{1,2})(?![\d:])")
_YEAR_AFTER = re.compile(r"^\s?[.,]?\s?\(?(\d{4})(?!\d)")
_YEAR_BEFORE = re.compile(r"(?<!\d)(\d{4})\s?[.,]?\s?$")
_SHORT_YEAR_AFTER = re.compile(r"^\s(\d{2})(?![\d:.])")
_FIRST_BUDDHIST = 50
_NEAR = 24
"""Most characters between a date and its clock time: a weekday and a word or two."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, with its clock time and zone if the text gives them."""

    start: int
    end: int
    year: int | None
    month: int
    day: int
    clock: time | None = None
    zone: str | None = None
    """`+08:00` or an IANA name."""


def find_moments(low: str, lexis: Lexis) -> list[Moment]:
    """The dates of a folded line in order of place, each with its clock time if that stands near."""
    if not has_digit(low) and not _HAN_DATE.search(low):
        return []
    text = _read_han(low.translate(_DIGITS) if not low.isascii() else low)
    found: list[Moment] = []
    masked = text
    for moment in _dates(text, lexis):
        if all(moment.end <= other.start or moment.start >= other.end for other in found):
            found.append(moment)
            masked = masked[: moment.start] + "\x00" * (moment.end - moment.start) + masked[moment.end :]
    found.sort(key=lambda m: m.start)
    clocks = list(_clocks(masked, lexis))
    return [_attach(moment, clocks, text, lexis) for moment in found]


def _read_han(text: str) -> str:
    """`text` with dates in Chinese numerals written in digits, padded so that no offset moves."""

    def read(match: re.Match[str]) -> str:
        written = match.group().translate(_HAN_DIGITS)
        written = re.sub(r"(\d)百(?=\d?十)", r"\1", written).replace("百", "0")
        written = re.sub(r"(\d)?十(\d)?", lambda m: f"{m[1] or 1}{m[2] or 0}", written)
        return written.ljust(len(match.group()))[: len(match.group())]

    return _HAN_DATE.sub(read, text) if "年" in text else text


def _dates(text: str, lexis: Lexis) -> Iterator[Moment]:
    for match in _YEAR_FIRST.finditer(text):
        yield from _moment(match, lexis, match[1], match[3], match[4])
    for match in _YEAR_LAST.finditer(text):
        first, second = int(match[1]), int(match[3])
        # Only the slash is put between an American month and day.
        is_month_first = second > 12 or (first <= 12 and lexis.order == "mdy" and match[2] == "/")
        month, day = (match[1], match[3]) if is_month_first else (match[3], match[1])
        year = match[4] if len(match[4]) == 4 else str(_whole_year(int(match[4]), lexis))
        yield from _moment(match, lexis, year, month, day)
    if lexis.order == "ymd":
        for match in _DAY_WITH_WEEKDAY.finditer(text):
            moment = _convert(match.start(), match.end(), None, int(match[1]), int(match[2]), "gregorian")
            if moment:
                yield moment
    yield from _unit_dates(text, lexis)
    for match in _COMPACT.finditer(text):
        yield from _moment(match, lexis, match[1], match[2], match[3])
    yield from _named_dates(text, lexis)


def _whole_year(short: int, lexis: Lexis) -> int:
    """The year of two digits: of this century, or of the Buddhist era where the press counts by it."""
    return 2500 + short if lexis.language == "th" and short >= _FIRST_BUDDHIST else 2000 + short


def _moment(match: re.Match[str], lexis: Lexis, year: str, month: str, day: str) -> Iterator[Moment]:
    calendar = "jalali" if lexis.language == "fa" and 1300 <= int(year) <= 1499 else "gregorian"
    moment = _convert(match.start(), match.end(), int(year), int(month), int(day), calendar)
    if moment:
        yield moment


def _convert(  # noqa: PLR0917  # a place and the three numbers of a date
    start: int, end: int, year: int | None, month: int, day: int, calendar: str
) -> Moment | None:
    """The Gregorian moment, None where there is no such day."""
    if year is not None and 2400 <= year <= 2700:
        year = from_buddhist(year)
    try:
        if calendar == "gregorian" or year is None:
            date(year or 2000, month, day)
            return Moment(start, end, year, month, day) if calendar == "gregorian" else None
        found = from_hijri(year, month, day) if calendar == "hijri" else from_jalali(year, month, day)
    except ValueError:
        return None
    return Moment(start, end, found.year, found.month, found.day)


def _unit_dates(text: str, lexis: Lexis) -> Iterator[Moment]:
    """Dates whose numbers carry their unit: 2024年6月4日, 民國113年6月4日, 6월 4일."""
    for unit in lexis.dates.get("month", ()):
        place = text.find(unit)
        while place >= 0:
            moment = _unit_date(text, place, unit, lexis)
            if moment:
                yield moment
            place = text.find(unit, place + 1)


def _unit_date(text: str, place: int, unit: str, lexis: Lexis) -> Moment | None:
    head = text[max(0, place - 24) : place]
    month = re.search(r"(\d{1,2})\s?$", head)
    rest = text[place + len(unit) : place + len(unit) + 8]
    day = re.match(r"\s?(\d{1,2})\s?", rest)
    day_unit = next((u for u in lexis.dates.get("day", ()) if day and rest.startswith(u, day.end())), None)
    if not month or not day or not day_unit:
        return None
    end = place + len(unit) + day.end() + len(day_unit)
    start = place - len(head) + month.start()
    year, year_start = _unit_year(head[: month.start()], lexis)
    if year is not None:
        start = place - len(head) + year_start
    return _convert(start, end, year, int(month[1]), int(day[1]), "gregorian")


def _unit_year(head: str, lexis: Lexis) -> tuple[int | None, int]:
    """The year that closes `head` and where it begins there."""
    for unit in lexis.dates.get("year", ()):
        match = re.search(rf"(\d{{1,4}}|元)\s?{re.escape(unit)}\s?$", head)
        if match:
            number = 1 if match[1] == "元" else int(match[1])
            before = head[: match.start()].rstrip()
            era = next((name for name in lexis.eras if before.endswith(name)), None)
            if era:
                return lexis.eras[era] + number, len(before) - len(era)
            return (number, match.start()) if number > 1000 else (None, 0)
    return None, 0


def _named_dates(text: str, lexis: Lexis) -> Iterator[Moment]:
    """Dates with a month's name, in any order: June 4, 2024 · 4. Juni 2024 · 4 de junio de 2024."""
    for match in lexis.month_pattern.finditer(text):
        number, calendar = lexis.months[match.group()]
        left = _strip_connectors(text[max(0, match.start() - 16) : match.start()], lexis, at_end=True)
        right = text[match.end() : match.end() + 32]
        day = _DAY_BEFORE.search(left)
        start, end = match.start(), match.end()
        year = None
        if day and _is_ordinal(left[day.end(1) :], lexis):
            start = match.start() - min(16, match.start()) + day.start(1)
            skipped = 0
        else:
            day = _DAY_AFTER.match(right)
            if not day:
                continue
            skipped = day.end() + _ordinal_length(right[day.end() :], lexis)
            end = match.end() + skipped
            before = _YEAR_BEFORE.search(left)
            if before:
                year = int(before[1])
                start = match.start() - min(16, match.start()) + before.start(1)
        if year is None:
            tail = right[skipped:]
            connected = _strip_connectors(tail, lexis, at_end=False)
            after = _YEAR_AFTER.match(connected)
            if after is None and lexis.language == "th":
                after = _SHORT_YEAR_AFTER.match(connected)
            if after:
                year = int(after[1]) if len(after[1]) == 4 else _whole_year(int(after[1]), lexis)
                end = match.end() + skipped + (len(tail) - len(connected)) + after.end()
        moment = _convert(start, end, year, number, int(day[1]), calendar)
        if moment:
            yield moment


def _is_ordinal(rest: str, lexis: Lexis) -> bool:
    """True when what stands between a day's number and the month's name is nothing, or an ordinal ending."""
    word = rest.strip(" .,")
    return not word or word in lexis.dates.get("ordinals", ())


def _ordinal_length(rest: str, lexis: Lexis) -> int:
    return max((len(o) for o in lexis.dates.get("ordinals", ()) if rest.startswith(o)), default=0)


def _strip_connectors(text: str, lexis: Lexis, *, at_end: bool) -> str:
    """`text` without the words that tie the parts of a date: "of", "de", "năm"."""
    for word in lexis.dates.get("connectors", ()):
        if at_end and text.rstrip().endswith(word):
            rest = text.rstrip()[: -len(word)]
            if not rest or not rest[-1].isalpha():
                return rest
        core = text.lstrip(" ,.")
        if not at_end and core.startswith(word) and not core[len(word) : len(word) + 1].isalpha():
            return core[len(word) :]
    return text


def find_clock(low: str, lexis: Lexis) -> Moment | None:
    """The first clock time of a folded text, as a moment whose day is not known (month and day 0)."""
    text = low if low.isascii() else low.translate(_DIGITS)
    return next(_clocks(text, lexis), None)


def _clocks(text: str, lexis: Lexis) -> Iterator[Moment]:
    """Clock times as moments without a date."""
    for match in _CLOCK.finditer(text):
        yield from _clock(text, match, lexis, (match[1], match[3], match[4]))
    for pattern in (_HOUR_FIRST, _BARE_HOUR, _HOUR_BEHIND, lexis.hour_pattern):
        for match in pattern.finditer(text):
            yield from _clock(text, match, lexis, (match[1], "0", None))


def _clock(text: str, match: re.Match[str], lexis: Lexis, parts: tuple[str, str, str | None]) -> Iterator[Moment]:
    hour, minute, second = parts
    start, end = match.span()
    number = int(hour)
    half, end = _find_half(text, start, end, lexis)
    if half == "pm" and number < 12:
        number += 12
    if half == "am" and number == 12:
        number = 0
    try:
        clock = time(number % 24 if number == 24 else number, int(minute), int(second or 0))
    except ValueError:
        return
    zone, end = _find_zone(text, end, lexis)
    yield Moment(start, end, None, 0, 0, clock, zone)


def _find_half(text: str, start: int, end: int, lexis: Lexis) -> tuple[str, int]:
    after = text[end : end + 16].lstrip()
    skipped = len(text[end : end + 16]) - len(after)
    before = text[max(0, start - 8) : start].rstrip()
    for half in ("pm", "am"):
        for word in lexis.dates.get(half, ()):
            if after.startswith(word) and not after[len(word) : len(word) + 1].isalpha():
                return half, end + skipped + len(word)
            if before.endswith(word):
                return half, end
    return "", end


def _find_zone(text: str, end: int, lexis: Lexis) -> tuple[str | None, int]:
    offset = _OFFSET.match(text, end)
    if offset and int(offset[2]) <= 14:
        return f"{offset[1]}{int(offset[2]):02}:{offset[3] or '00'}", offset.end()
    if text.startswith("z", end) and not text[end + 1 : end + 2].isalpha():
        return "+00:00", end + 1
    tail = text[end : end + 40]
    best = ""
    place = len(tail)
    for word in lexis.zones:
        found = tail.find(word)
        if 0 <= found <= 12 and (found, -len(word)) < (place, -len(best)) and is_word_in(word, tail):
            best, place = word, found
    if not best:
        return None, end
    inner = _OFFSET.match(text, end + place)
    if inner and best in ("utc", "gmt"):
        return f"{inner[1]}{int(inner[2]):02}:{inner[3] or '00'}", inner.end()
    return lexis.zones[best], end + place + len(best)


def _attach(moment: Moment, clocks: list[Moment], text: str, lexis: Lexis) -> Moment:
    """`moment` with the nearest clock time beside it."""
    near = [c for c in clocks if _gap(moment, c) <= _NEAR]
    if not near:
        return moment
    clock = min(near, key=lambda c: (_gap(moment, c), c.start < moment.start))
    zone = clock.zone or _find_zone(text, max(moment.end, clock.end), lexis)[0]
    return replace(
        moment, start=min(moment.start, clock.start), end=max(moment.end, clock.end), clock=clock.clock, zone=zone
    )


def _gap(left: Moment, right: Moment) -> int:
    return right.start - left.end if right.start >= left.end else left.start - right.end


def format_moment(moment: Moment, zone: str | None, year: int | None = None) -> str | None:
    """ISO 8601 of the moment: with an offset where its own zone or `zone` gives one, a bare date without clock time.

    `year` stands in for a missing one; None comes back where there is none.
    """
    whole_year = moment.year or year
    if whole_year is None:
        return None
    try:
        day = date(whole_year, moment.month, moment.day)
    except ValueError:
        return None
    if moment.clock is None:
        return day.isoformat()
    local = datetime.combine(day, moment.clock)
    zoned = _with_zone(local, moment.zone or zone)
    return zoned.isoformat()


def _with_zone(local: datetime, zone: str | None) -> datetime:
    if zone is None:
        return local
    if zone[0] in "+-":
        sign = -1 if zone[0] == "-" else 1
        delta = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        return local.replace(tzinfo=timezone(sign * delta))
    try:
        return local.replace(tzinfo=ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return local
