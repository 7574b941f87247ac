"""Where a site's feeds and news sitemaps may be: what its page and its robots.txt name, and common paths. Pure.

Addresses only. Whether a feed is there is known when it has been fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import NamedTuple
from urllib.parse import urljoin

from protego import Protego

from copydesk.errors import AddressRefused
from copydesk.fetching.client import parsed

# In order of how often each is the one. WordPress, Hugo and Jekyll, Drupal, Ghost, Blogger.
COMMON_PATHS = (
    "/feed",
    "/rss",
    "/rss.xml",
    "/feed.xml",
    "/atom.xml",
    "/index.xml",
    "/feed.json",
    "/feeds/posts/default",
)

# Where news sitemaps stand that no robots.txt names.
SITEMAP_PATHS = ("/sitemap-news.xml", "/news-sitemap.xml", "/sitemap_news.xml")

_FEED_TYPES = frozenset(
    (
        "application/atom+xml",
        "application/feed+json",
        "application/rdf+xml",
        "application/rss+xml",
    )
)

# By pattern and in a bounded part: a page that no parser reads still says where its feeds are.
_HEAD_CHARS = 500_000
_TAG = re.compile(r"<(?:link|a)\s([^<>]{1,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-z]{1,20})\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_LOOKS_LIKE_FEED = re.compile(r"(?:/(?:rss|atom|feeds?)(?:[./?]|$)|\.(?:rss|atom|rdf)(?:\?|$))", re.IGNORECASE)


class Candidate(NamedTuple):
    """An address where a feed may be, and what its site calls it."""

    url: str
    title: str | None


def candidates(page: str, url: str) -> list[Candidate]:
    """What a page names as its feeds, then links that look like one, then common paths; no address twice."""
    named: list[Candidate] = []
    linked: list[Candidate] = []
    for tag in _TAG.finditer(page[:_HEAD_CHARS]):
        found = {m[1].lower(): unescape(next(filter(None, m.groups()[1:]), "")) for m in _ATTRIBUTE.finditer(tag[1])}
        href = found.get("href", "").strip()
        relations = found.get("rel", "").lower().split()
        media_type = found.get("type", "").partition(";")[0].strip().lower()
        title = found.get("title", "").strip() or None
        if href and ("feed" in relations or ("alternate" in relations and media_type in _FEED_TYPES)):
            named.append(Candidate(href, title))
        elif href and tag[0][1] in "aA" and _LOOKS_LIKE_FEED.search(href):
            linked.append(Candidate(href, None))
    return _absolute((*named, *linked, *(Candidate(path, None) for path in COMMON_PATHS)), url)


def sitemap_candidates(robots: str, url: str) -> list[Candidate]:
    """What a site's robots.txt names as its sitemaps, those of news first; common paths where it names none."""
    named = sorted(Protego.parse(robots).sitemaps, key=lambda address: "news" not in address.lower())
    return _absolute((Candidate(address, "sitemap") for address in named or SITEMAP_PATHS), url)


def _absolute(found: Iterable[Candidate], base: str) -> list[Candidate]:
    unique: dict[str, Candidate] = {}
    for candidate in found:
        try:
            url = str(parsed(urljoin(base, candidate.url)))
        except (AddressRefused, ValueError):
            continue
        unique.setdefault(url, Candidate(url, candidate.title))
    return list(unique.values())
