"""What a sender's own CSS selectors find in a page: its story, title, authors and date, and what is no part of it.

They stand over everything else that is known of a page. One that meets nothing is passed over: sites change, and the
page is then read as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bs4 import BeautifulSoup, Tag

from copydesk.formats.dates import read_date
from copydesk.formats.encoding import printable
from copydesk.formats.markup import lines_from_tree
from copydesk.models import Line, PagePart

MET_NOTHING = "page_selector_met_nothing"
"""The warning on a page whose body or title was not where the sender's selectors look for it."""


@dataclass(frozen=True, slots=True)
class Selected:
    """What the selectors found. `page` is the page without what they drop."""

    page: str
    lines: tuple[Line, ...]
    title: str | None
    authors: tuple[str, ...]
    published_at: str | None
    warnings: tuple[str, ...]


def select(page: str, selectors: Mapping[PagePart, Sequence[str]]) -> Selected:
    """Apply selectors; the keys are those of `models.PagePart`, each a list of which the first that meets counts.

    All of `drop` count. Raises `SelectorSyntaxError` of soupsieve for a wrong one; those of profiles were checked.
    """
    soup = BeautifulSoup(page, "lxml")
    for selector in selectors.get("drop", ()):
        for element in soup.select(selector):
            element.decompose()
    body = _first(soup, selectors.get("body", ()))
    title = _first(soup, selectors.get("title", ()))
    date = _first(soup, selectors.get("date", ()))
    lines: list[Line] = []
    for element in body:
        for line in lines_from_tree(element):
            lines.append(Line(len(lines) + 1, line.text, line.role))
    missed = (selectors.get("body") and not lines) or (selectors.get("title") and not title)
    return Selected(
        page=str(soup),
        lines=tuple(lines),
        title=_text(title[0]) if title else None,
        authors=tuple(filter(None, map(_text, _first(soup, selectors.get("author", ()))))),
        published_at=_date(date[0]) if date else None,
        warnings=(MET_NOTHING,) if missed else (),
    )


def _first(soup: BeautifulSoup, selectors: Sequence[str]) -> list[Tag]:
    """Every element that the first selector that meets any finds, none inside another one."""
    for selector in selectors:
        found = soup.select(selector)
        if found:
            chosen = set(map(id, found))
            return [element for element in found if not any(id(parent) in chosen for parent in element.parents)]
    return []


def _text(element: Tag) -> str | None:
    return " ".join(printable(element.get_text(" ")).split()) or None


def _date(element: Tag) -> str | None:
    for stated in (element.get("datetime"), element.get("content"), element.get_text(" ")):
        found = read_date(str(stated)) if stated else None
        if found:
            return found
    return None
