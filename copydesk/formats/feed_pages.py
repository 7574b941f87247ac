"""A feed together with pages that its entries link to, as one input: what `workers/fetch` hands over.

One input, so that what was fetched is kept, replayed and cleaned anew as it came. The entry's own fields win over
its page's; of the two texts the longer one is kept. Which pages are fetched is decided elsewhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from pydantic import ValidationError

from copydesk.errors import InputError, MalformedInput
from copydesk.formats import feed, html, jsonfeed, sitemap
from copydesk.formats.opening import Opening, look
from copydesk.models import Fields, Hints, Parsed, Wire

MEDIA_TYPE = "application/vnd.copydesk.feed-pages+json"

# An entry of fewer characters is taken for a summary: of 341 descriptions in the open feeds 95 % are below 472.
SHORT = 500

# How entries end that were cut.
_CUT = re.compile(
    r"(?:…|\.\.\.|\[(?:…|\.\.\.)\]|\b(?:read more|continue reading|weiterlesen|lire la suite|leer más)\W*)\s*$",
    re.IGNORECASE,
)

# A wall, a consent form and a site's front page share little with the entry that led to them.
_WORD = re.compile(r"[^\W\d_]{4,}")
_WORDS_MIN = 5
_SHARED_MIN = 0.3

_START = '{"copydesk_feed_pages":'


class Page(Wire):
    """A page as it was fetched; of its body, each byte is a character."""

    entry: str
    """`name_of` the entry that links to it."""
    url: str
    media_type: str | None
    charset: str | None
    body: str


class FeedPages(Wire):
    """A feed as it was fetched, its body as in `Page`, and what is known about the pages of its entries."""

    copydesk_feed_pages: Literal[1] = 1
    url: str
    media_type: str | None
    charset: str | None
    body: str
    pages: tuple[Page, ...] = ()
    pending: tuple[str, ...] = ()
    """Entries whose page is to be fetched later: as they are now they count as another version."""
    omitted: tuple[str, ...] = ()
    """Entries that are left for a later poll."""
    failed: tuple[str, ...] = ()
    """Entries whose page cannot be had."""

    def packed(self) -> bytes:
        """As one input."""
        return self.model_dump_json().encode("utf-8")


def name_of(entry: Parsed) -> str:
    """A short name of an entry within its feed."""
    return hashlib.sha256((entry.key or "").encode("utf-8", "surrogatepass")).hexdigest()[:16]


def looks_short(entry: Parsed) -> bool:
    """Whether an entry seems to carry a summary only."""
    text = "\n".join(line.text for line in entry.lines)
    return len(text) < SHORT or bool(_CUT.search(text[-200:]))


def matches(opening: Opening) -> bool:
    """True for what `packed` gave."""
    return opening.text.startswith(_START)


def entries_of(body: bytes, hints: Hints) -> list[Parsed]:
    """The entries of a feed's own body, XML or JSON, or of a sitemap. Raises `InputError`."""
    opening = look(body, hints)
    if jsonfeed.matches(opening):
        return jsonfeed.parse(body, hints)
    if sitemap.matches(opening):
        return sitemap.parse(body, hints)
    return feed.parse(body, hints)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The feed's entries, those with a page completed by it. Raises MalformedInput."""
    try:
        whole = FeedPages.model_validate_json(data)
        body = whole.body.encode("latin-1")
        pages = {page.entry: page for page in whole.pages}
    except (ValidationError, UnicodeEncodeError) as error:
        raise MalformedInput(hints.filename or hints.url or "", "not a feed with pages, or a torn one") from error
    entries = entries_of(body, Hints(url=whole.url, media_type=whole.media_type, encoding=whole.charset))
    return list(_completed(entries, pages, whole))


def _completed(entries: Iterable[Parsed], pages: Mapping[str, Page], whole: FeedPages) -> Iterable[Parsed]:
    for entry in entries:
        name = name_of(entry)
        if name in whole.omitted:
            continue
        if name in pages:
            yield _with_page(entry, pages[name])
        elif name in whole.pending:
            yield replace(entry, raw=entry.raw + b"\npage pending", warnings=(*entry.warnings, "page_pending"))
        elif name in whole.failed:
            yield replace(entry, warnings=(*entry.warnings, "page_unavailable"))
        else:
            yield entry


def _with_page(entry: Parsed, page: Page) -> Parsed:
    hints = Hints(url=page.url, media_type=page.media_type, encoding=page.charset)
    try:
        found = html.parse(page.body.encode("latin-1"), hints)[0]
    except (InputError, UnicodeEncodeError):
        return replace(entry, warnings=(*entry.warnings, "page_unreadable"))
    if not _is_about(entry, found):
        return replace(entry, warnings=(*entry.warnings, "page_about_something_else"))
    longer = found.lines if _size(found) > _size(entry) else entry.lines
    warnings = (*entry.warnings, *(("text_from_page",) if longer is not entry.lines else ()))
    return replace(entry, lines=longer, fields=_merged(entry.fields, found.fields), warnings=warnings, error=None)


def _merged(own: Fields, page: Fields) -> Fields:
    """What the entry leaves open is taken from its page; a name under which it is met again never is."""
    return replace(
        own,
        title=own.title or page.title,
        section=own.section or page.section,
        published_at=own.published_at or page.published_at,
        updated_at=own.updated_at or (page.updated_at if not own.published_at else None),
        publisher=own.publisher or page.publisher,
        authors=own.authors or page.authors,
        language=own.language or page.language,
        rights=own.rights or page.rights,
    )


def _is_about(entry: Parsed, page: Parsed) -> bool:
    """Whether the page has enough of the entry's words; true where the entry has too few to tell."""
    own = _words(entry)
    return len(own) < _WORDS_MIN or len(own & _words(page)) >= _SHARED_MIN * len(own)


def _words(item: Parsed) -> set[str]:
    text = "\n".join((item.fields.title or "", *(line.text for line in item.lines)))
    # Scripts without spaces have runs for words, which no two texts share.
    return {word.lower() for word in _WORD.findall(text) if word < "\u0e00"}


def _size(item: Parsed) -> int:
    return sum(len(line.text) for line in item.lines)
