"""The headline of a page: what it states, held against its first-level headings, without the site's name.

Sites add their name or a section to stated titles, cut them, or write them for search engines; the heading is what
the reader saw. Where statements disagree, those that agree with one another are believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from copydesk.formats.markup import text_from_html

_BARS = re.compile(r"\s+[|\-–—·•»:]+\s+|\s*[|ㅣ｜]\s*")
_SECTION_BAR = re.compile(r"\s*[|\-–—·•»:ㅣ｜]\s*")
_ELLIPSIS = ("...", "…")
_ALIKE = 0.5
"""Share of the shorter one's words that a heading and a stated title have in common where both are one headline."""
_WORD = re.compile(r"\w+")
_FEWEST_WORDS = 2
_SOFT = str.maketrans("", "", "\xad\u200b")


@dataclass(frozen=True, slots=True)
class Site:
    """What titles may carry beside the headline: names of the site, folded to letters, and the page's section."""

    names: frozenset[str]
    section: str = ""


def name_site(publisher: str | None, url: str | None, section: str | None) -> Site:
    """The publisher, and the host with and without its last label: `example.org` is `exampleorg` and `example`."""
    host = (urlsplit(url or "").hostname or "").removeprefix("www.")
    names = (publisher or "", host, host.rpartition(".")[0])
    return Site(frozenset(filter(None, map(_letters, names))), _letters(section or ""))


def find_title(tree: HtmlElement, headline: str | None, stated: str | None, site: Site) -> str | None:
    """The headline; `headline` is the structured data's, `stated` that of the meta elements."""
    headings = _headings(tree, site)
    element = next(tree.iter("title"), None)
    shown = _strip_site(text_from_html(element.text) if element is not None and element.text else None, site)
    headline, stated = _strip_site(headline, site), _strip_site(stated, site)
    if headline:
        whole = {_fold(part) for part in (stated, *_parts(stated))} if stated else set()
        agreed = next(
            (heading for heading in headings if _fold(heading) in whole and len(_words(heading)) > _FEWEST_WORDS), None
        )
        if agreed and shown and _words(shown) == _words(headline) != _words(agreed):
            return agreed  # the data repeats the title for search engines, the other two say what is to be read
        return _choose(headline, headings, trusted=True)
    if stated:
        return _choose(stated, headings, trusted=False)
    if len(headings) == 1:
        return headings[0]
    return _choose(shown, headings, trusted=False) if shown else None


def _headings(tree: HtmlElement, site: Site) -> list[str]:
    found = (" ".join(heading.text_content().translate(_SOFT).split()) for heading in tree.iter("h1"))
    return [text for text in dict.fromkeys(found) if text and _letters(text) not in site.names]


def _choose(title: str, headings: Sequence[str], *, trusted: bool) -> str:
    """The heading that says the same in full, else the stated title; a trusted one gives way only where it is cut.

    A heading that has something in front of the whole title, as a kicker or a section, gives way to it.
    """
    low = _fold(title)
    parts = {_fold(part) for part in _parts(title)}
    for heading in headings:
        other = _fold(heading)
        is_cut = title.endswith(_ELLIPSIS) and other.startswith(low.rstrip(".… "))
        is_long = len(_words(heading)) > _FEWEST_WORDS or len(headings) == 1
        if is_cut or (is_long and other in parts):
            return heading
    if trusted:
        return title
    heading = next((heading for heading in headings if _are_alike(low, _fold(heading))), title)
    if len(_words(title)) > _FEWEST_WORDS and _fold(heading).endswith(" " + low):
        return title
    return _without_kicker(heading, low) or heading


def _without_kicker(heading: str, title: str) -> str | None:
    """What a heading and a folded title end with alike, where what stands before it has no word in common."""
    for part in _parts(heading):
        tail = " " + _fold(part)
        if title.endswith(tail) and len(_words(part)) > _FEWEST_WORDS and _fold(heading).endswith(tail):
            before = set(_words(heading[: -len(part)]))
            return part if before.isdisjoint(_WORD.findall(title[: -len(tail)])) else None
    return None


def _are_alike(one: str, other: str) -> bool:
    first, second = set(_WORD.findall(one)), set(_WORD.findall(other))
    shorter = min(len(first), len(second))
    return shorter > _FEWEST_WORDS and len(first & second) >= _ALIKE * shorter


def _parts(title: str) -> list[str]:
    """What a title is but for one end that stands behind or before a bar."""
    cuts = list(_BARS.finditer(title))
    return [title[: cut.start()] for cut in cuts] + [title[cut.end() :] for cut in cuts]


def _strip_site(title: str | None, site: Site) -> str | None:
    """`Headline | Section | Publisher - Slogan` and `Publisher - Headline` as the headline; None for the site alone."""
    if not title or _letters(title) in site.names:
        return None
    title = title.translate(_SOFT)
    bars = list(_BARS.finditer(title))
    start, end = 0, len(title)
    ends = [*(bar.start() for bar in bars[1:]), len(title)]
    for cut, until in zip(bars, ends, strict=False):
        if not start and _letters(title[: cut.start()]) in site.names:
            start = cut.end()
        elif _letters(title[cut.end() : until]) in site.names:
            end = cut.start()
            break
    title = title[start:end]
    last = list(_SECTION_BAR.finditer(title))[-1:]
    if site.section and last and last[0].start() and _letters(title[last[0].end() :]) == site.section:
        title = title[: last[0].start()]
    return title.strip() or None


def _words(text: str) -> list[str]:
    return _WORD.findall(_fold(text))


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _fold(text: str) -> str:
    return " ".join(text.casefold().replace("’", "'").replace("‘", "'").split())
