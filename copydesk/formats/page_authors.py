"""Authors' names as pages state them, taken apart and cleaned: roles, handles, addresses and publishers' names go.

Reads names only; which statement is believed is decided in `page_metadata.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml.html import HtmlElement

_NO_NAME = re.compile(
    r"https?://|www\.|@|^[\W\d]*$|\.(?:com|de|net|org)\b"
    r"|^(?:admin|administrator|editor|staff|author|none|null|undefined|published on|link copied)$",
    re.IGNORECASE,
)
_BY = re.compile(
    r"^(?:(?:written|reported|words|story|posted)\s+)?(?:by|von|par|por|autor(?:in)?|author)\b[:\s]+", re.IGNORECASE
)
_TAIL = re.compile(
    r"\s*(?:\([^()]*\)|\|.*|link copied|\s기자|\s記者|,\s*(?:[A-Z]{2,5}|M\.?[AD]\.?|Ph\.?D\.?)(?=,|$))+\s*$",
    re.IGNORECASE,
)
_CREDENTIALS = re.compile(r"(?:,?\s+(?:MS|MD|RDN?|LD|PhD|MPH|RN|CPT|MA|BSN)\b\.?)+(?:,.*)?$")
_BETWEEN = re.compile(r"\s*(?:;|\s/\s|,\s+(?:and|und|et|y)\s+|,\s*|\s+(?:and|&|und|et|y|e|og|och)\s+(?=[A-ZÀ-Þ]))\s*")
_LONGEST = 100
_MOST_WORDS = 6
_CHAIN_FEWEST_WORDS = 2


def split_authors(statements: Iterable[str], publisher: str | None) -> tuple[str, ...]:
    """The names in some statements, each once: `By Jane Roe and John Doe, The Paper` gives the two."""
    names: dict[str, None] = {}
    for statement in statements:
        text = _CREDENTIALS.sub("", _BY.sub("", statement.strip()))
        parts = [_TAIL.sub("", part).strip(" .,|:-") for part in _BETWEEN.split(text)]
        people = [part for part in parts if _is_name(part)]
        if len(people) > 1:
            people = [part for part in people if not is_publisher(part, publisher)] or people
        names.update(dict.fromkeys(people))
    return tuple(names)


def is_publisher(name: str, publisher: str | None) -> bool:
    """True for the publisher's own name, also with a word for its desk: `The Paper staff`."""
    if not publisher:
        return False
    low, site = _letters(name), _letters(publisher)
    return bool(site) and (low == site or (len(site) > 3 and (low.startswith(site) or low == "the" + site)))


def read_author_elements(tree: HtmlElement) -> list[str]:
    """What stands in elements marked as an author by `rel` or `itemprop`, the first three."""
    found = []
    for element in tree.iter("a", "div", "meta", "span", "p"):
        marked = f"{element.get('rel') or ''} {element.get('itemprop') or ''}".lower().split()
        if "author" in marked:
            named = next((inner for inner in element.iter() if inner.get("itemprop") == "name"), element)
            text = " ".join((named.get("content") or named.text_content()).split())
            if text and len(text) <= _LONGEST:
                found.append(text)
    return found[:3]


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= _LONGEST and len(text.split()) <= _MOST_WORDS and not _NO_NAME.search(text)


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
