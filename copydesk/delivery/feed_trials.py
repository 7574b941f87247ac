"""Feeds looked at before anything is stored: what would come in of one, and where a site has any.

Asked for by a person at a command line, one address after the other; no queue and no database are needed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin

from copydesk import formats, pipeline
from copydesk.cleaning import Rules
from copydesk.delivery.full_text import hints_of, recent
from copydesk.delivery.polling import feed_format
from copydesk.errors import FetchError, FetchSoft, InputError
from copydesk.fetching import Fetched
from copydesk.fetching.discovery import Candidate, candidates, sitemap_candidates
from copydesk.formats import sitemap
from copydesk.formats.feed_pace import asked_interval_s
from copydesk.formats.feed_pages import looks_short
from copydesk.formats.opening import look
from copydesk.models import Document, RawItem

Fetch = Callable[[str], Fetched]
"""Fetches an address. Raises `FetchError`."""

# A site that names more has one a topic; the first ones are the general ones.
TRIED_MAX = 20
SITEMAPS_MAX = 8


@dataclass(frozen=True, slots=True)
class TriedItem:
    """One item of a feed: the document it would become, or why it would not."""

    document: Document | None
    reason: str
    is_short: bool
    """It seems to carry a summary only."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come in of a feed."""

    url: str
    """Where it was, after redirects."""
    moved_to: str | None
    format: str
    size: int
    asked_s: float
    """Seconds between two polls that the feed and its server ask for; 0 where they do not."""
    has_validators: bool
    items: tuple[TriedItem, ...]


def try_feed(url: str, fetch: Fetch, rules: Rules, *, source: str, now: datetime) -> Trial:
    """Fetch a feed and take it through everything but storing.

    Raises `FetchError` where it cannot be fetched, or is no feed.
    """
    fetched = fetch(url)
    try:
        found = feed_format(fetched)
        entries = formats.parse(fetched.body, hints_of(fetched))
        processed = pipeline.process(RawItem(fetched.body, source, now, hints_of(fetched)), rules)
    except InputError as error:
        raise FetchSoft(fetched.url, f"not a feed: {error}", status=fetched.status) from error
    validators = fetched.validators
    return Trial(
        url=fetched.url,
        moved_to=fetched.moved_to,
        format=found,
        size=len(fetched.body),
        asked_s=max(fetched.fresh_for_s, asked_interval_s(fetched.body)),
        has_validators=bool(validators.etag or validators.last_modified),
        items=tuple(
            TriedItem(one.document, one.reason, looks_short(entry))
            for one, entry in zip(processed, entries, strict=True)
        ),
    )


def discover(url: str, fetch: Fetch, fetch_page: Fetch, now: datetime) -> Iterator[tuple[Candidate, int]]:
    """The feeds and news sitemaps of a site with the number of their items: the address itself, or what it leads to.

    Raises `FetchError` where the address itself cannot be fetched. No two with the same bytes are given.
    """
    first = fetch_page(url)
    count = _items_in(first)
    if count is not None:
        yield Candidate(first.url, None), count
        return
    yield from _feeds(first, fetch)
    yield from _sitemaps(first.url, fetch, now)


def _feeds(first: Fetched, fetch: Fetch) -> Iterator[tuple[Candidate, int]]:
    seen: set[str] = set()
    for candidate in candidates(first.body.decode("utf-8", "replace"), first.url)[:TRIED_MAX]:
        try:
            fetched = fetch(candidate.url)
        except FetchError:
            continue
        count = _items_in(fetched)
        if count is not None and fetched.sha256 not in seen:
            seen.add(fetched.sha256)
            yield candidate, count


def _sitemaps(url: str, fetch: Fetch, now: datetime) -> Iterator[tuple[Candidate, int]]:
    """The site's sitemaps that date any page within the last days, with the number of those; indexes a level deep."""
    try:
        robots = fetch(urljoin(url, "/robots.txt")).body.decode("utf-8", "replace")
    except FetchError:
        robots = ""
    waiting = deque(sitemap_candidates(robots, url)[:SITEMAPS_MAX])
    for _ in range(SITEMAPS_MAX):
        if not waiting:
            return
        candidate = waiting.popleft()
        try:
            fetched = fetch(candidate.url)
            hints = hints_of(fetched)
            if formats.detect(fetched.body, hints) != "sitemap":
                continue
            entries = sitemap.parse(fetched.body, hints)
        except (FetchError, InputError):
            continue
        if sitemap.is_index(look(fetched.body, hints)):
            inner = sorted((entry.fields.url or "" for entry in entries), key=lambda u: "news" not in u.lower())
            waiting.extend(Candidate(address, candidate.title) for address in inner[:SITEMAPS_MAX])
        elif count := len(recent(entries, now)):
            yield candidate, count


def _items_in(fetched: Fetched) -> int | None:
    """None where it is no feed."""
    try:
        feed_format(fetched)
        return len(formats.parse(fetched.body, hints_of(fetched)))
    except (FetchError, InputError):
        return None
