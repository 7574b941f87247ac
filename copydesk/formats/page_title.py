"""The headline of a page: what it states, held against its first-level heading, without the site's name.

Sites add their name or a section to stated titles, cut them, or write them for search engines; the heading is what
the reader saw.
"""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from copydesk.formats.markup import text_from_html

_BARS = re.compile(r"\s+[|\-–—·•»:]\s+|\s*[|ㅣ｜]\s*")
_ELLIPSIS = ("...", "…")
_ALIKE = 0.5
"""Share of the shorter one's words that a heading and a stated title have in common where both are one headline."""
_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 2


def find_title(tree: HtmlElement, headline: str | None, stated: str | None, publisher: str | None) -> str | None:
    """The headline; `headline` is the structured data's, `stated` that of the meta elements."""
    headings = _headings(tree)
    for title in (headline, stated):
        if title:
            return _choose(_strip_site(title, publisher), headings, trusted=title is headline)
    if len(headings) == 1:
        return headings[0]
    element = next(tree.iter("title"), None)
    text = text_from_html(element.text) if element is not None and element.text else None
    return _choose(_strip_site(text, publisher), headings, trusted=False) if text else None


def _headings(tree: HtmlElement) -> list[str]:
    found = (" ".join(heading.text_content().split()) for heading in tree.iter("h1"))
    return list(dict.fromkeys(text for text in found if text))


def _choose(title: str, headings: list[str], *, trusted: bool) -> str:
    """The heading that says the same in full, else the stated title; a trusted one gives way only where it is cut."""
    low = _fold(title)
    for heading in headings:
        other = _fold(heading)
        is_cut = title.endswith(_ELLIPSIS) and other.startswith(low.rstrip(".… "))
        is_inside = len(_WORD.findall(other)) > _FEWEST_WORDS and any(_fold(part) == other for part in _parts(title))
        if is_cut or is_inside or (not trusted and _are_alike(low, other)):
            return heading
    return title


def _are_alike(one: str, other: str) -> bool:
    first, second = set(_WORD.findall(one)), set(_WORD.findall(other))
    shorter = min(len(first), len(second))
    return shorter > _FEWEST_WORDS and len(first & second) >= _ALIKE * shorter


def _parts(title: str) -> list[str]:
    """What a title is but for one end that stands behind or before a bar."""
    cuts = list(_BARS.finditer(title))
    return [title[: cut.start()] for cut in cuts] + [title[cut.end() :] for cut in cuts]


def _strip_site(title: str, publisher: str | None) -> str:
    """`Headline | Publisher` and `Publisher - Headline` without the publisher."""
    if publisher:
        name = _fold(publisher)
        for cut in _BARS.finditer(title):
            if _fold(title[cut.end() :]) == name:
                return title[: cut.start()] or title
            if _fold(title[: cut.start()]) == name:
                return title[cut.end() :] or title
    return title


def _fold(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("‘", "'").split())
