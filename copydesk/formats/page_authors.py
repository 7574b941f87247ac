"""Who wrote a page: what its data, its meta elements and its head say, the first that names a person.

A statement that names the same people and more is preferred; one that names the publisher alone is the last resort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lxml.html import HtmlElement

from copydesk.formats.markup import text_from_html
from copydesk.formats.page_head import read_bylines
from copydesk.formats.page_names import is_publisher, names_several, split_names, split_shown

_META = (
    "author",
    "article:author_name",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "dc.author",
    "byl",
    "cxenseparse:author",
    "article:author",
    "og:article:author",
)
"""Names of meta elements, the most trusted first."""
_LONGEST = 100
_ELEMENTS_READ = 3


def find_authors(
    tree: HtmlElement,
    head: Sequence[HtmlElement],
    *,
    stated: Any,
    meta: Mapping[str, list[str]],
    publisher: str | None,
) -> tuple[str, ...]:
    """The names; `stated` is the `author` of the structured data, `head` what stands behind the headline."""
    best: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    persons, organisations = _people(stated)
    for statement in (persons, *(meta.get(name, []) for name in _META)):
        names = split_names(map(text_from_html, statement), publisher)
        best = _fuller(best, tuple(name for name in names if not is_publisher(name, publisher)))
        last = last or names
    shown = read_bylines(head)
    best = best and _fuller(best, split_shown(filter(names_several, shown.said), publisher))
    best = best or split_shown(shown.linked, publisher) or split_names(_read_marked(tree), publisher)
    best = best or split_shown(shown.marked, publisher) or split_shown(shown.said, publisher)
    return best or split_names(map(text_from_html, organisations), publisher) or last


def _fuller(names: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """The others where they are the same names and more, or where there are none."""
    return others if {*map(str.casefold, names)} < {*map(str.casefold, others)} else names


def _people(stated: Any) -> tuple[list[str], list[str]]:
    """The names of a JSON-LD `author`: of persons and of what says no type, then of organisations."""
    persons: list[str] = []
    organisations: list[str] = []
    for value in stated if isinstance(stated, list) else [stated]:
        names = value.get("name") if isinstance(value, dict) else value
        is_organisation = isinstance(value, dict) and "Organization" in str(value.get("@type"))
        found = organisations if is_organisation else persons
        found.extend(name for name in (names if isinstance(names, list) else [names]) if isinstance(name, str))
    return persons, organisations


def _read_marked(tree: HtmlElement) -> list[str]:
    """What stands in elements marked as an author by `rel` or `itemprop`, the first few."""
    found = []
    for element in tree.iter("a", "div", "meta", "span", "p"):
        marked = f"{element.get('rel') or ''} {element.get('itemprop') or ''}".lower().split()
        if "author" in marked:
            named = next((inner for inner in element.iter() if inner.get("itemprop") == "name"), element)
            text = " ".join((named.get("content") or named.text_content()).split())
            if text and len(text) <= _LONGEST:
                found.append(text)
    return found[:_ELEMENTS_READ]
