"""Which name an item of a feed has: feeds repeat ids, put headlines into them and move between hosts.

`key` names an item within its feed and is its guid to all that follows; `alias` is what is left of it when the host
in its address changes. Which article a name belongs to is not decided here.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from copydesk.models import Parsed

_ADDRESS = re.compile(r"(?:https?:)?//[^/\s?#]+(/[^\s#]*)", re.IGNORECASE)


def key_of(guid: str | None, url: str | None, title: str, texts: Iterable[str]) -> str:
    """The guid, else the link, else a hash of title and text."""
    return guid or url or short_hash(title, *texts)


def alias_of(guid: str | None, url: str | None, title: str) -> str | None:
    """Path and query of the link, and the headline; None where the guid outlives both, being neither of them.

    A source may be a planet of several sites, of which two may have the same path: hence the headline.
    """
    found = _ADDRESS.fullmatch(url or guid or "")
    if found is None or not title or len(found[1]) < 2:
        return None
    if guid and not _ADDRESS.fullmatch(guid) and title not in guid:
        return None
    return f"{found[1]}#{short_hash(' '.join(title.split()).casefold())}"


def tell_apart(parsed: list[Parsed]) -> list[Parsed]:
    """Leave out exact repeats, and add to shared keys what tells their holders apart: the link, else the content."""
    unique = list({(item.key, item.raw): item for item in reversed(parsed)}.values())[::-1]
    shared = Counter(item.key for item in unique)
    if max(shared.values(), default=1) == 1:
        return unique
    links = Counter((item.key, item.fields.url) for item in unique)
    return [
        item
        if shared[item.key] == 1
        else replace(item, key=f"{item.key}#{_difference(item, links[item.key, item.fields.url])}")
        for item in unique
    ]


def short_hash(*texts: str) -> str:
    """Sixteen hex digits that stand for texts."""
    return hashlib.sha256("\n".join(texts).encode("utf-8", "replace")).hexdigest()[:16]


def _difference(item: Parsed, holders_of_link: int) -> str:
    if item.fields.url and holders_of_link == 1:
        return short_hash(item.fields.url)
    return short_hash(item.fields.url or "", item.fields.title or "", *(line.text for line in item.lines))
