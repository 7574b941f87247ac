"""Every input format, and how one is told from another.

One file a format. A format is a module with two plain functions, `matches(opening) -> bool` and
`parse(data, hints) -> list[Parsed]`; adding one takes that file, a line in the list here and a folder of cases.
Nothing here cleans: lines come out as they stood, with what explicit structure says about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from copydesk.errors import UnknownFormat
from copydesk.formats import (
    archive,
    feed,
    feed_pages,
    html,
    iptc_7901,
    jsonfeed,
    mail,
    markdown,
    newsml_1,
    newsml_g2,
    ninjs,
    nitf,
    records,
    sitemap,
    table,
    text,
)
from copydesk.formats.opening import Opening, look
from copydesk.models import Hints, Parsed

Parser = Callable[[bytes, Hints], list[Parsed]]


class Format(Protocol):
    """What a format module offers."""

    def matches(self, opening: Opening) -> bool:
        """True where the input is of this format, given what can be seen of it."""

    def parse(self, data: bytes, hints: Hints) -> list[Parsed]:
        """The article candidates in `data`; raises MalformedInput where it is damaged beyond reading."""


FORMATS: Mapping[str, Format] = {
    "archive": archive,
    "feed_pages": feed_pages,
    "iptc_7901": iptc_7901,
    "nitf": nitf,
    "newsml_g2": newsml_g2,
    "newsml_1": newsml_1,
    "ninjs": ninjs,
    "feed": feed,
    "sitemap": sitemap,
    "jsonfeed": jsonfeed,
    "mail": mail,
    "table": table,
    "records": records,
    "markdown": markdown,
    "html": html,
    "text": text,
}
"""In order of trial: the first that matches wins."""

PARSERS: Mapping[str, Parser] = {name: module.parse for name, module in FORMATS.items()}


def detect(data: bytes, hints: Hints) -> str:
    """The name of the format, from declared type, file name and a bounded prefix.

    Raises EmptyInput, BinaryInput or UnknownFormat, whose detail says what was seen.
    """
    opening = look(data, hints)
    for name, module in FORMATS.items():
        if module.matches(opening):
            return name
    raise UnknownFormat(opening.subject, opening.seen)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The article candidates in `data`, in its own order; a feed of no items gives none."""
    return PARSERS[detect(data, hints)](data, hints)


def within(place: str, name: str | None, candidates: Iterable[Parsed]) -> list[Parsed]:
    """The candidates of one member of a container, named by its place; what told them apart in it still does."""
    found = []
    for one in candidates:
        fields = one.fields
        if one.key is not None and not one.is_position:
            fields = replace(fields, guid=one.key)
        key = place if one.key is None else f"{place}#{one.key}"
        own_name = one.name or (name if one.key is None else None)
        found.append(replace(one, key=key, is_position=True, name=own_name, fields=fields))
    return found
