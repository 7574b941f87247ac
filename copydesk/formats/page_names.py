"""Authors' names as pages state them, taken apart and cleaned: roles, handles, addresses and publishers' names go.

Knows words only; which statement is believed is decided in `page_authors.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
_NO_SHOWN_NAME = re.compile(
    r"\d|(?-i:^[A-Z]{2,5}$)|\b(?:about|advice|all|archives?|bio|check(?:ed)?|click|comments?|contact|contributors?|desk|editors?"
    r"|editorial|email|experts?|fact|follow|full|get|learn|links?|login|manufacturer|menu|more|mehr|name|newsletter|photo|posted"
    r"|posts?|profile|published|read|redakt(?:ion|eur|eurin)|reporters?|reviewed|see|senior|share|sign|staff|subscribe|twitter"
    r"|updated|view|weiter|writers?)\b",
    re.IGNORECASE,
)
"""In what is shown where a name may stand: dates, labels, roles, buttons."""
_ORGANISATION = re.compile(
    r"\b(?:agenc(?:e|y|ies)|agencia|agentur|associated|broadcasting|daily|magazine|media|network|news|nachrichten|post|press|presse"
    r"|radio|reuters|times|tribune|tv|zeitung)\b",
    re.IGNORECASE,
)
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_SPACELESS_LONGEST = 12
"""Letters of scripts that write no spaces; a name in them is shorter."""
_AND = re.compile(r"\s(?:and|&|und|et|y|e|og|och)\s+(?=[A-ZÀ-Þ])")
_LONGEST = 100
_MOST_WORDS = 6
_CHAIN_FEWEST_WORDS = 2


def split_names(statements: Iterable[str], publisher: str | None) -> tuple[str, ...]:
    """The names in some statements, each once: `By Jane Roe and John Doe, The Paper` gives the two."""
    names: dict[str, None] = {}
    for statement in statements:
        text = _CREDENTIALS.sub("", _BY.sub("", statement.strip()))
        parts = [_TAIL.sub("", part).strip(" .,|:-") for part in _BETWEEN.split(text)]
        people = [part for part in parts if _is_name(part) or is_publisher(part, publisher)]
        if len(people) > 1:
            people = [part for part in people if not is_publisher(part, publisher)] or people
        names.update(dict.fromkeys(people))
    return tuple(names)


def names_several(statement: str) -> bool:
    """True for `Jane Roe and John Doe`; commas alone may stand before a role or a place."""
    return _AND.search(statement) is not None


def split_shown(statements: Iterable[str], publisher: str | None) -> tuple[str, ...]:
    """The names of persons in what a page shows near its headline, where labels, roles and dates stand too."""
    return tuple(
        name
        for name in split_names(statements, publisher)
        if not _NO_SHOWN_NAME.search(name) and not _ORGANISATION.search(name) and not name[0].islower()
    )


def is_publisher(name: str, publisher: str | None) -> bool:
    """True for the publisher's own name, also with a word for its desk: `The Paper staff`."""
    if not publisher:
        return False
    low, site = _letters(name), _letters(publisher)
    if not low or not site:
        return False
    return (
        low == site
        or (len(site) > 3 and (low.startswith(site) or low == "the" + site))
        or _is_short_for(low, publisher)
    )


def _is_short_for(low: str, publisher: str) -> bool:
    """True for the first words of a longer name, and for its initials where they are three or more."""
    words = publisher.casefold().split()
    starts = (_letters(" ".join(words[:number])) for number in range(1, len(words)))
    return (len(low) > 3 and low in starts) or (len(low) >= 3 and low == "".join(word[0] for word in words))


def _is_name(text: str) -> bool:
    if not text or len(text) > _LONGEST or len(text.split()) > _MOST_WORDS or _NO_NAME.search(text):
        return False
    return len(_SPACELESS.findall(text)) <= _SPACELESS_LONGEST


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
