"""RSS 0.9x to 2.0, RDF, Atom 0.3 and 1.0, CDF: one candidate for each entry.

feedparser reads the XML, broken XML too, and is given decoded text. Its guesses are not used: the charset is
decided before it, dates are read from the entry's own strings, HTML is neither cleaned nor resolved by it. Opens
no address and no external entity; feedparser drops entity declarations that refer to others.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any
from xml.sax import SAXException

import feedparser

from copydesk.errors import MalformedInput
from copydesk.formats import markup
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import Decoded, decode, printable
from copydesk.formats.feed_identity import alias_of, key_of, tell_apart
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.models import Fields, Hints, Line, Parsed

_ROOTS = frozenset(("channel", "feed", "rdf", "rss"))
_MEDIA_TYPES = frozenset(("application/atom+xml", "application/rdf+xml", "application/rss+xml", "application/x-cdf"))
_STRAY_START = re.compile(r"<(?:rss|rdf:RDF|feed|channel)[\s>]", re.IGNORECASE)
_PROLOG = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]{1,40})[\"']")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>()]+@[^\s@<>()]+")

# An XML processor stops at references that only HTML defines; the five of XML and numeric ones are left to it.
_HTML_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,31};")


def matches(opening: Opening) -> bool:
    """True where the first element is a feed's, also behind stray output of the site, or the type declares one."""
    if opening.root in _ROOTS:
        return True
    if opening.root in {"", "br", "b"} and _STRAY_START.search(opening.text):
        return "<?xml" in opening.text or opening.media_type in _MEDIA_TYPES
    return not opening.root and opening.media_type in _MEDIA_TYPES


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The entries in feed order; none for a feed of no items.

    `key` is the entry's guid or id, else its link, else a hash of title and text; entries that share a key and differ
    get a hash of what tells them apart added, an exact repeat is left out. `publisher` is the entry's own source or
    dc:publisher, else the feed's title; language and rights likewise fall back on the feed's. A sole update time
    counts as publication. Raises MalformedInput where neither an entry nor a feed can be read.
    """
    decoded = decode(data, _declared(data), hints)
    subject = hints.filename or hints.url or ""
    result = _read(decoded, hints, subject)
    warnings = list(decoded.warnings)
    fault = result.get("bozo_exception")
    ill_formed = isinstance(fault, SAXException | feedparser.exceptions.UndeclaredNamespace)
    if not result["entries"]:
        if ill_formed or not (result.get("version") or result["feed"]):
            raise MalformedInput(subject, str(fault) if fault else "no feed element and no entry")
        return []
    if ill_formed:
        warnings.append("ill_formed_xml")
    parsed = [_entry(dict(entry), result["feed"], decoded.encoding, tuple(warnings)) for entry in result["entries"]]
    return tell_apart(parsed)


def _declared(data: bytes) -> str | None:
    found = _PROLOG.search(data[:1024])
    return found[1].decode("ascii") if found else None


def _read(decoded: Decoded, hints: Hints, subject: str) -> Mapping[str, Any]:
    text = decoded.text
    start = re.search(r"<\?xml|<!--|" + _STRAY_START.pattern, text, re.IGNORECASE)
    text = text[start.start() :] if start else text.lstrip()
    text = _HTML_ENTITY.sub(_numeric, text) if "<!ENTITY" not in text[:4096] else text
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": hints.url or ""}
    try:
        result = feedparser.parse(
            io.BytesIO(text.encode("utf-8")),
            response_headers=headers,
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # feedparser lets errors of any kind through on hostile input
        raise MalformedInput(subject, f"{type(error).__name__}: {error}") from error
    return dict(result)


def _numeric(match: re.Match[str]) -> str:
    char = markup.unescape(match[0])
    return match[0] if char == match[0] else "".join(f"&#{ord(c)};" for c in char)


def _entry(entry: Mapping[str, Any], feed: Mapping[str, Any], encoding: str, warnings: tuple[str, ...]) -> Parsed:
    title = _title(entry.get("title_detail"), entry.get("title"))
    lines = _body(entry)
    published_text, updated_text = (_own(entry, name) for name in ("published", "updated"))
    published, updated = read_date(published_text), read_date(updated_text)
    if (published_text and not published) or (updated_text and not updated):
        warnings = (*warnings, "unreadable_date")
    guid = printable(_own(entry, "id")) or None
    link = printable(_own(entry, "link"))
    url = link if _WEB.match(link) else None  # a guid that passes for a permanent link may be a number
    own = {
        "author": _own(entry, "author"),
        "content": [(part.get("type", ""), part.get("value", "")) for part in entry.get("content", ())],
        "guid": guid,
        "link": _own(entry, "link"),
        "published": published_text,
        "rights": _own(entry, "rights"),
        "summary": _own(entry, "summary"),
        "title": _own(entry, "title"),
        "updated": updated_text,
    }
    rights = markup.text_from_html(_own(entry, "rights") or str(feed.get("rights") or ""))
    return Parsed(
        format="feed",
        lines=lines,
        fields=Fields(
            title=title or None,
            published_at=published or updated,
            updated_at=updated if published and updated != published else None,
            publisher=_publisher(entry, feed),
            authors=_authors(entry),
            language=_language(entry, feed),
            url=url,
            guid=guid,
            rights=(rights,) if rights else (),
        ),
        key=key_of(guid, url, title, (line.text for line in lines)),
        alias=alias_of(guid, url, title),
        raw=json.dumps(own, sort_keys=True, ensure_ascii=False).encode("utf-8", "replace"),
        encoding=encoding,
        warnings=warnings,
    )


def _own(entry: Mapping[str, Any], name: str) -> str:
    """A text of the entry itself, trimmed; feedparser's mapping would answer one name with another."""
    value = entry.get(name)
    return value.strip() if isinstance(value, str) else ""


def _title(detail: Mapping[str, Any] | None, plain: str | None) -> str:
    value = str((detail or {}).get("value") or plain or "")
    return markup.text_from_html(value)


def _body(entry: Mapping[str, Any]) -> tuple[Line, ...]:
    """The fullest content; the summary where there is none or it is empty."""
    bodies = [_lines(part) for part in entry.get("content", ())]
    fullest = max(bodies, key=lambda lines: sum(len(line.text) for line in lines), default=())
    return fullest or _lines(entry.get("summary_detail") or {"value": _own(entry, "summary")})


def _lines(part: Mapping[str, Any]) -> tuple[Line, ...]:
    value = str(part.get("value") or "")
    if part.get("type") == "text/plain" and "</" not in value:
        return split_lines(printable(value), "p")
    return markup.lines_from_html(value)


def _publisher(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> str | None:
    source = entry.get("source")
    names = (
        source.get("title") if isinstance(source, Mapping) else None,
        entry.get("publisher"),
        feed.get("title"),
    )
    return next((clean for name in names if name and (clean := markup.text_from_html(str(name)))), None)


def _authors(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """The names, without the addresses that RSS puts beside or in place of them."""
    details = entry.get("authors") or []
    # feedparser cuts an address at the top-level domains that it knows, so a sole author is read from the whole text.
    names = [str(detail.get("name") or "") for detail in details] if len(details) > 1 else [_own(entry, "author")]
    cleaned = (markup.text_from_html(_ADDRESS.sub("", name)).strip(" ()<>,;") for name in names)
    return tuple(dict.fromkeys(name for name in cleaned if name))


def _language(entry: Mapping[str, Any], feed: Mapping[str, Any]) -> str | None:
    details = (*entry.get("content", ()), entry.get("title_detail") or {}, entry, feed)
    for detail in details:
        tag = str(detail.get("language") or "").strip()
        if _LANGUAGE.fullmatch(tag):
            return tag.replace("_", "-")
    return None
