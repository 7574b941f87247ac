"""When a page was published and changed: what its data and meta elements state, then the date shown in its head.

What a page states of its publication stands, whatever else it shows. Dates of the visible text below the head, and of
the address, are left to htmldate.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone

from lxml.html import HtmlElement

from copydesk.formats.dates import read_date
from copydesk.formats.page_head import short_text

_PUBLISHED = (
    "article:published_time",
    "article:published",
    "og:published_time",
    "datepublished",
    "parsely-pub-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.issued",
    "dcterms.created",
    "dc.date",
    "dcterms.date",
    "pubdate",
    "publishdate",
    "publish-date",
    "publish_date",
    "publication_date",
    "date",
    "cxenseparse:recs:publishtime",
)
"""Names of meta elements, the most trusted first."""
_UPDATED = ("article:modified_time", "article:modified", "og:updated_time", "datemodified", "dcterms.modified")
# Not `last-modified`: on many servers a file is written each time that it is sent.

_LABEL = re.compile(
    r"^(?:(?:first )?published|posted|date|veröffentlicht|erstellt|erschienen|publié|publicado|pubblicato|gepubliceerd"
    r"|опубликовано|发布时间|發布時間|掲載|公開|입력|등록)?(?:\s*(?:on|am|le|el|il|op|at))?\s*[:|]?\s*",
    re.IGNORECASE,
)
_CHANGED = re.compile(
    r"updated?|modified|edited|aktualisiert|geändert|mis à jour|modifié|actualizado|aggiornato|bijgewerkt|обновлено"
    r"|更新|수정",
    re.IGNORECASE,
)
_DAY_FIRST = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})(?:\D{1,6}(\d{1,2})[:.](\d{2})(?:\s*(?:Uhr|h))?)?")
_WIDEST = timedelta(hours=14)
_QUARTER = timedelta(minutes=15)


def find_dates(
    head: Sequence[HtmlElement], published: str | None, updated: str | None, meta: Mapping[str, list[str]]
) -> tuple[str | None, str | None]:
    """Publication and change, as ISO 8601; `published` and `updated` are the structured data's.

    A publication that is stated in UTC is given in the page's own zone where another statement shows that zone.
    """
    stamps = [published, *_all(meta, _PUBLISHED)]
    first = _first(stamps)
    changed = _first([updated, *_all(meta, _UPDATED)])
    if first is None:
        first = _shown(head)
    else:
        first = _local(first, [*stamps[1:], *(element.get("datetime") for element in head)])
    return first, changed if changed != first else None


def _shown(head: Sequence[HtmlElement]) -> str | None:
    """The first date among the short texts of the head that is not one of a change, else the first at all."""
    changed = None
    for element in head:
        text = short_text(element)
        date = read_date(element.get("datetime") or "") if element.tag == "time" else None
        date = date or (_read_shown(text) if text else None)
        if date and not _CHANGED.search(text):
            return date
        changed = changed or date
    return changed


def _read_shown(text: str) -> str | None:
    bare = _LABEL.sub("", text, count=1) if not _CHANGED.search(text) else text
    dotted = _DAY_FIRST.fullmatch(bare.strip(" |,"))
    if dotted:
        day, month, year, hour, minute = dotted.groups()
        return read_date(f"{year}-{month}-{day}" + (f" {hour}:{minute}" if hour else ""))
    return read_date(bare.strip(" |,"))


def _local(stamp: str, others: Iterable[str | None]) -> str:
    """A time in UTC in the zone in which the page states it elsewhere: with an offset, or as a clock showed it."""
    moment = datetime.fromisoformat(stamp)
    if moment.utcoffset() != timedelta(0):
        return stamp
    is_round = moment.minute % 15 == 0 and moment.second == 0  # as any other time may be, so it proves no zone
    for other in others:
        date = read_date(other or "")
        if not date or len(date) == len("2024-05-25"):
            continue
        again = datetime.fromisoformat(date)
        if again.tzinfo is None:
            if is_round:
                continue
            away = again.replace(tzinfo=UTC) - moment
            if away and abs(away) <= _WIDEST and away % _QUARTER == timedelta(0):
                return again.replace(tzinfo=timezone(away)).isoformat()
        elif again == moment and again.utcoffset():
            return date
    return stamp


def _all(meta: Mapping[str, list[str]], names: Iterable[str]) -> list[str]:
    return [value for name in names for value in meta.get(name, ())]


def _first(values: Iterable[str | None]) -> str | None:
    return next((date for value in values if (date := read_date(value or ""))), None)
