"""Pages that a feed's entries link to: which of them a poll fetches, and what becomes of the others.

An entry that is stored as it stands in the feed is not asked for again. A new one whose turn does not come is stored
as the feed has it, and completed later; a changed one is left for a later poll, since its fuller text is stored.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import structlog

from copydesk.dedupe.identity import guid_key, identity_keys
from copydesk.errors import FetchError, FetchSoft, FetchTemporary, HostBusy, InputError
from copydesk.fetching import Fetched
from copydesk.fetching.hosts import domain_of
from copydesk.formats import feed_pages
from copydesk.formats.feed_pages import FeedPages, Page, entries_of, looks_short, name_of
from copydesk.models import Hints, IdentityKey, Parsed

log = structlog.get_logger(__name__)

# A larger feed is taken in as it is: reading it twice costs more than its pages are worth.
FEED_BYTES_MAX = 4 * 1024 * 1024

# From so many items on, a poll nearly all of whose items are new may be one of a feed that has renamed them.
RENAMED_MIN = 8
RENAMED_SHARE = 0.8

SITEMAP_REACH = timedelta(days=3)
"""Google's news sitemaps hold two days; a page that an older entry names is not fetched."""

_PAGE_TYPES = frozenset({None, "text/html", "application/xhtml+xml", "text/plain", "application/xml"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of the pages of one poll: how many, seconds after which none is begun, bytes of the whole with its feed."""

    pages: int
    seconds: float
    whole_bytes: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Entries whose page is wanted: those never seen, and those that are stored in another version."""

    new: tuple[Parsed, ...]
    changed: tuple[Parsed, ...]


@dataclass(slots=True)
class Collected:
    """What became of the wanted pages."""

    pages: list[Page] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    omitted: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    is_partial: bool = False
    """The next poll goes on where this one stopped."""


def read_entries(fetched: Fetched) -> list[Parsed]:
    """The entries of a fetched feed; none where it is too large or cannot be read, which ingest will say."""
    if len(fetched.body) > FEED_BYTES_MAX:
        return []
    try:
        return entries_of(fetched.body, hints_of(fetched))
    except InputError:
        return []


def recent(entries: Iterable[Parsed], now: datetime) -> list[Parsed]:
    """The entries of a sitemap that it dates within the last days, newest first: the others are its archive."""
    dated = [(when, entry) for entry in entries if (when := _moment(entry)) and when > now - SITEMAP_REACH]
    return [entry for _, entry in sorted(dated, key=lambda pair: pair[0], reverse=True)]


def only_pages(collected: Collected, entries: Iterable[Parsed]) -> Collected:
    """The same, with every entry that has no page left out: in a sitemap nothing else is an article."""
    done = {page.entry for page in collected.pages} | set(collected.failed)
    return replace(collected, pending=[], omitted=[name for e in entries if (name := name_of(e)) not in done])


def hints_of(fetched: Fetched) -> Hints:
    """What the server said about a body."""
    return Hints(url=fetched.url, media_type=fetched.media_type, encoding=fetched.charset)


def keys_of(source: str, entry: Parsed) -> tuple[IdentityKey, ...]:
    """The names under which an entry may be stored."""
    named = identity_keys(source=source, title=None, body=(), url=entry.fields.url)[:-1]
    return (*(guid_key(source, name) for name in dict.fromkeys((entry.fields.guid, entry.key)) if name), *named)


def reject_key(entry: Parsed) -> str:
    """The name under which it is noted that an entry is no article: the end of its item's id."""
    return f"#{name_of(entry)}"


def choose(
    entries: Iterable[Parsed],
    policy: str,
    source: str,
    seen: Mapping[IdentityKey, str],
    rejected: Collection[str],
) -> Wanted:
    """Which entries want their page, by a policy of `never`, `short` or `always`.

    `seen` is the hash last seen under a key, `rejected` the `reject_key`s of no articles.
    """
    new: list[Parsed] = []
    changed: list[Parsed] = []
    for entry in entries:
        if policy == "never" or not entry.fields.url or (policy == "short" and not looks_short(entry)):
            continue
        hashes = [seen[key] for key in keys_of(source, entry) if key in seen]
        if hashlib.sha256(entry.raw).hexdigest() in hashes or reject_key(entry) in rejected:
            continue
        (changed if hashes else new).append(entry)
    return Wanted(tuple(new), tuple(changed))


def looks_renamed(wanted: Wanted, entries: Sequence[Parsed]) -> bool:
    """Whether nearly all of a feed that was read before is new to us: its ids may have changed, and not its items."""
    return len(wanted.new) >= RENAMED_MIN and len(wanted.new) >= RENAMED_SHARE * len(entries)


def without_known(wanted: Wanted, titles: Collection[str]) -> Wanted:
    """Entries with these titles count as changed: they wait for their page, and are not stored again by halves."""
    known = [entry for entry in wanted.new if entry.fields.title in titles]
    new = tuple(entry for entry in wanted.new if entry.fields.title not in titles)
    return Wanted(new, (*known, *wanted.changed))


def collect(
    wanted: Wanted, fetch: Callable[[str], Fetched], bounds: Bounds, *, on_page: Callable[[str], None]
) -> Collected:
    """Fetch the wanted pages one after the other, new entries first, within bounds.

    A host that does not answer is not asked again. `fetch` raises `FetchError`.
    """
    collected = Collected()
    ends = time.monotonic() + bounds.seconds
    asked = 0
    room = bounds.whole_bytes
    resting: set[str] = set()
    entries = [*((entry, True) for entry in wanted.new), *((entry, False) for entry in wanted.changed)]
    for entry, is_new in entries:
        url = entry.fields.url or ""
        if asked >= bounds.pages or time.monotonic() >= ends or room <= 0:
            _put_off(collected, entry, is_new=is_new)
            collected.is_partial = True
            continue
        try:
            domain = domain_of(url)
            if domain in resting:
                _put_off(collected, entry, is_new=is_new)
                continue
            asked += 1
            on_page(url)
            page = _page(entry, fetch(url))
        except FetchTemporary as error:
            resting.add(domain)
            # A host that is busy will have time; one that fails is asked when the feed brings something new.
            collected.is_partial |= isinstance(error, HostBusy)
            _put_off(collected, entry, is_new=is_new)
            log.info("a page is left for later", url=url, error=str(error))
        except FetchError as error:
            collected.failed.append(name_of(entry))
            log.info("a page cannot be had", url=url, error=str(error))
        else:
            room -= len(page.body.encode())
            if room > 0:
                collected.pages.append(page)
            else:
                _put_off(collected, entry, is_new=is_new)
                collected.is_partial = True
    # Where nothing was had, coming back early would bring nothing either.
    collected.is_partial &= bool(collected.pages or collected.failed)
    return collected


def bundle(fetched: Fetched, collected: Collected) -> bytes:
    """The feed and its pages as one input."""
    return FeedPages(
        url=fetched.url,
        media_type=fetched.media_type,
        charset=fetched.charset,
        body=fetched.body.decode("latin-1"),
        pages=tuple(collected.pages),
        pending=tuple(collected.pending),
        omitted=tuple(collected.omitted),
        failed=tuple(collected.failed),
    ).packed()


def bundle_hints(fetched: Fetched) -> Hints:
    """What is said of a bundle."""
    return Hints(url=fetched.url, media_type=feed_pages.MEDIA_TYPE)


def named(source: str, entries: Sequence[Parsed]) -> list[IdentityKey]:
    """Every key of every entry."""
    return list(dict.fromkeys(key for entry in entries for key in keys_of(source, entry)))


def _moment(entry: Parsed) -> datetime | None:
    stamp = entry.fields.updated_at or entry.fields.published_at
    if not stamp:
        return None
    when = datetime.fromisoformat(stamp)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _put_off(collected: Collected, entry: Parsed, *, is_new: bool) -> None:
    # Without a text of its own it would be rejected now, and known as such from then on.
    has_text = any(line.text.strip() for line in entry.lines)
    (collected.pending if is_new and has_text else collected.omitted).append(name_of(entry))


def _page(entry: Parsed, fetched: Fetched) -> Page:
    if fetched.media_type not in _PAGE_TYPES:
        raise FetchSoft(fetched.url, f"not a page but {fetched.media_type}")
    body = fetched.body.decode("latin-1")
    return Page(
        entry=name_of(entry), url=fetched.url, media_type=fetched.media_type, charset=fetched.charset, body=body
    )
