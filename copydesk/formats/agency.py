"""What the agency formats share: kinds of items, status, embargo, and what these make of an item.

The formats read their own structure and hand it over here; nothing here knows XML or JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from copydesk.formats.dates import read_date
from copydesk.models import Hints, Line, Parsed, Status

ARTICLE_KINDS = frozenset(("", "composite", "text"))
"""Of items that may hold an article; a composite does where it holds a text."""

_NOTE_KEPT = 500
"""Characters of an editor's note that a reason repeats."""

_FARTHEST_WEST = timedelta(hours=12)
"""A moment without a zone has come everywhere once it has come here."""

_DAY_WITH_ZONE = re.compile(r"(\d{4}-?\d\d-?\d\d)(?:Z|[+-]\d\d:?\d\d)")

_STATUSES: Mapping[str, Status] = {
    "cancel": Status.CANCELED,
    "canceled": Status.CANCELED,
    "cancelled": Status.CANCELED,
    "deleted": Status.CANCELED,
    "kill": Status.CANCELED,
    "killed": Status.CANCELED,
    "spiked": Status.CANCELED,
    "withheld": Status.WITHHELD,
    "withhold": Status.WITHHELD,
}


def status_of(word: str) -> Status:
    """The status that a word, qcode or URI names; usable where it names none."""
    return _STATUSES.get(tail(word).lower(), Status.USABLE)


def tail(code: str) -> str:
    """The last part of a qcode or URI: `stat:usable` is `usable`."""
    return code.strip().rstrip("/").replace("#", "/").rpartition("/")[2].rpartition(":")[2]


def moment(text: str) -> str | None:
    """ISO 8601 of what an agency writes, its basic form too; a day's zone is not kept."""
    return read_date(text) or read_date(_DAY_WITH_ZONE.sub(r"\1", text.strip()))


def embargo(text: str, hints: Hints) -> str | None:
    """The end of an embargo in UTC, None where the text is no moment.

    One without a zone counts in the sender's, else ends when it has come everywhere on earth.
    """
    stamp = moment(text)
    if not stamp:
        return None
    when = datetime.fromisoformat(stamp)
    if when.tzinfo is None:
        try:
            when = (
                when.replace(tzinfo=ZoneInfo(hints.zone)) if hints.zone else when.replace(tzinfo=UTC) + _FARTHEST_WEST
            )
        except (ZoneInfoNotFoundError, ValueError):
            when = when.replace(tzinfo=UTC) + _FARTHEST_WEST
    try:
        when = when.astimezone(UTC)
    except OverflowError:
        return None
    return when.isoformat() if 1970 <= when.year <= 9000 else None


def times(created: Iterable[str], versions: Iterable[str]) -> tuple[str | None, str | None]:
    """When an item was first published and when this version was made, from strings in order of preference.

    The time of the version counts as publication where there is no other.
    """
    published = next((stamp for text in created if (stamp := moment(text))), None)
    updated = next((stamp for text in versions if (stamp := moment(text))), None)
    return published or updated, updated if published and updated != published else None


def details(**said: str | Iterable[str] | None) -> dict[str, tuple[str, ...]]:
    """What is said under each name, without what is empty."""
    found = {}
    for name, value in said.items():
        values = (value,) if isinstance(value, str) else tuple(value or ())
        if kept := tuple(dict.fromkeys(text for text in values if text)):
            found[name] = kept
    return found


def conclude(parsed: Parsed, *, status: Status, embargo_text: str | None, hints: Hints) -> Parsed:
    """The item with what its kind, status and embargo make of it.

    `embargo_text` is None where there is no embargo; where it names no moment the item is withheld, since nobody
    can tell when it ends.
    """
    fields = parsed.fields
    if embargo_text is not None:
        end = embargo(embargo_text, hints)
        fields = replace(fields, embargo_until=end)
        if end is None and status is Status.USABLE:
            return _withdrawn(parsed, Status.WITHHELD, "embargoed with no time at which that ends")
    parsed = replace(parsed, fields=fields)
    if parsed.kind not in ARTICLE_KINDS:
        return replace(parsed, reason=f"{_with_article(parsed.kind)} item")
    if status is not Status.USABLE:
        notes = " ".join(fields.details.get("ednote", ()))[:_NOTE_KEPT]
        said = f"its sender says that it is {status.value}"
        return _withdrawn(parsed, status, f"{said}: {notes}" if notes else said)
    if not parsed.lines:
        what = "composite" if parsed.kind == "composite" else "text"
        return replace(parsed, kind=what, reason=f"a {what} item that holds no text")
    return replace(parsed, kind=parsed.kind or "text")


def _withdrawn(parsed: Parsed, status: Status, reason: str) -> Parsed:
    if not parsed.fields.guid:
        return replace(parsed, reason=f"{reason}, but not which item")
    return replace(parsed, kind=parsed.kind or "text", status=status, reason=reason)


def _with_article(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def renumber(parts: Iterable[Iterable[Line]]) -> tuple[Line, ...]:
    """Lines of several parts as those of one text."""
    return tuple(replace(line, number=number) for number, line in enumerate((x for p in parts for x in p), start=1))


def tell_apart(parsed: Iterable[Parsed]) -> list[Parsed]:
    """The items of a message with keys that differ: the guid, with the version where an item comes more than once."""
    items = list(parsed)
    keys = [item.fields.guid or f"#{number}" for number, item in enumerate(items, start=1)]
    times_met = Counter(keys)
    return [
        replace(item, key=key if times_met[key] == 1 else f"{key}#{item.fields.version or number}")
        for number, (item, key) in enumerate(zip(items, keys, strict=True), start=1)
    ]


def rights_of(notice: str, holder: str, terms: Iterable[str]) -> tuple[str, ...]:
    """The notice, else the holder as one, then the terms of use."""
    first = notice or (f"© {holder}" if holder else "")
    return tuple(dict.fromkeys(text for text in (first, *terms) if text))
