"""JSON Feed 1.0 and 1.1 (jsonfeed.org): one candidate for each item.

An item without a text of its own is left to the page that it links to; nothing is fetched here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from copydesk.errors import MalformedInput
from copydesk.formats import markup
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode, printable
from copydesk.formats.feed_identity import alias_of, key_of, tell_apart
from copydesk.formats.json_values import read_json
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.models import Fields, Hints, Line, Parsed

_VERSION = re.compile(r"\"version\"\s*:\s*\"https?:(?:\\?/){2}jsonfeed\.org\\?/version\\?/")
_MEDIA_TYPES = frozenset(("application/feed+json",))
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)


def matches(opening: Opening) -> bool:
    """True for a JSON object that is declared a feed or names the version of the format near its start."""
    if not opening.text.lstrip().startswith("{"):
        return False
    return opening.media_type in _MEDIA_TYPES or _VERSION.search(opening.text) is not None


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The items in feed order. Raises MalformedInput where it is no JSON or has no list of items."""
    decoded = decode(data, "utf-8", hints)
    feed = read_json(decoded.text, hints.filename or hints.url or "")
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        raise MalformedInput(hints.filename or hints.url or "", "it has no list of items")
    # An item may be the bare mistake of a template; what is no object holds nothing.
    parsed = [_item(item, feed, decoded.encoding, decoded.warnings) for item in items if isinstance(item, dict)]
    return tell_apart(parsed)


def _item(item: Mapping[str, Any], feed: Mapping[str, Any], encoding: str, warnings: tuple[str, ...]) -> Parsed:
    title = markup.text_from_html(_text(item, "title"))
    lines = _body(item)
    texts = (_text(item, "date_published"), _text(item, "date_modified"))
    published, updated = (read_date(text) for text in texts)
    if (texts[0] and not published) or (texts[1] and not updated):
        warnings = (*warnings, "unreadable_date")
    guid = _text(item, "id") or None
    url = next((a for name in ("url", "external_url") if _WEB.match(a := _text(item, name))), None)
    return Parsed(
        format="jsonfeed",
        lines=lines,
        fields=Fields(
            title=title or None,
            published_at=published or updated,
            updated_at=updated if published and updated != published else None,
            publisher=markup.text_from_html(_text(feed, "title")) or None,
            authors=_authors(item) or _authors(feed),
            language=_text(item, "language") or _text(feed, "language") or None,
            url=url,
            guid=guid,
        ),
        key=key_of(guid, url, title, (line.text for line in lines)),
        alias=alias_of(guid, url, title),
        raw=json.dumps(item, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace"),
        encoding=encoding,
        warnings=warnings,
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    """A text, trimmed; numbers too, since ids are often written as such."""
    value = values.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    return printable(value).strip() if isinstance(value, str) else ""


def _body(item: Mapping[str, Any]) -> tuple[Line, ...]:
    html, text = _text(item, "content_html"), _text(item, "content_text")
    if html:
        return markup.lines_from_html(html)
    return split_lines(text or _text(item, "summary"), "p")


def _authors(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Version 1.1 has a list, version 1.0 one author."""
    listed = values.get("authors")
    people = listed if isinstance(listed, list) else [values.get("author")]
    names = (markup.text_from_html(_text(person, "name")) for person in people if isinstance(person, dict))
    return tuple(dict.fromkeys(name for name in names if name))
