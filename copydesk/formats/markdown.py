"""Markdown (CommonMark with tables): rendered by markdown-it-py, then read as any markup.

Front matter gives title, date and author where it states them as plain `key: value` pairs; YAML as such is not read:
it can refer to itself without end, and nothing but these few values is wanted of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from markdown_it import MarkdownIt

from copydesk.errors import MalformedInput
from copydesk.formats import markup
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode
from copydesk.formats.opening import Opening
from copydesk.models import Fields, Hints, Parsed

_MEDIA_TYPES = frozenset(("text/markdown", "text/x-markdown"))
_EXTENSIONS = frozenset((".markdown", ".md", ".mdown", ".mkd"))
_FRONT = re.compile(r"\A\s*(---|\+\+\+)[ \t]*\r?\n(.{0,65536}?\n)\1[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_PAIR = re.compile(r"^([A-Za-z_][\w-]*)[ \t]*:[ \t]*(.*)$")
_ENTRY = re.compile(r"^[ \t]+-[ \t]+(.+)$|^-[ \t]+(.+)$")


def matches(opening: Opening) -> bool:
    """True for what is declared or named Markdown, or has front matter with a title."""
    if opening.media_type in _MEDIA_TYPES or opening.extension in _EXTENSIONS:
        return not opening.is_xml or opening.begins_as_html
    if opening.media_type not in {"", "application/octet-stream", "text/plain"}:
        return False
    found = _FRONT.match(opening.text)
    return found is not None and bool(_facts(found[1], found[2]).get("title"))


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate. Raises MalformedInput where the renderer gives up."""
    decoded = decode(data, None, hints)
    found = _FRONT.match(decoded.text)
    facts = _facts(found[1], found[2]) if found else {}
    try:
        html = MarkdownIt("commonmark").enable("table").render(decoded.text[found.end() :] if found else decoded.text)
    except (RecursionError, ValueError) as error:
        raise MalformedInput(hints.filename or hints.url or "", f"{type(error).__name__}: {error}") from error
    date = _one(facts, "date", "published", "published_at", "publishdate")
    updated = read_date(_one(facts, "lastmod", "updated", "modified"))
    published = read_date(date)
    return [
        Parsed(
            format="markdown",
            lines=markup.lines_from_html(f"<div>{html}</div>"),
            fields=Fields(
                title=_one(facts, "title", "headline") or None,
                published_at=published or updated,
                updated_at=updated if published and updated != published else None,
                authors=tuple(facts.get("authors") or facts.get("author") or ()),
                language=_one(facts, "lang", "language") or None,
                publisher=_one(facts, "source", "publisher") or None,
                url=_one(facts, "canonical", "canonical_url", "url") or hints.url,
            ),
            raw=data,
            encoding=decoded.encoding,
            warnings=(*decoded.warnings, "unreadable_date") if date and not published else decoded.warnings,
        )
    ]


def _one(facts: Mapping[str, list[str]], *names: str) -> str:
    return next((facts[name][0] for name in names if facts.get(name)), "")


def _facts(fence: str, text: str) -> Mapping[str, list[str]]:
    """The pairs of front matter, each with one or several values, keys in lower case."""
    if fence == "+++":
        try:
            return {key.lower(): _values(value) for key, value in tomllib.loads(text).items()}
        except (tomllib.TOMLDecodeError, RecursionError):
            return {}
    facts: dict[str, list[str]] = {}
    values: list[str] = []
    for line in text.splitlines():
        pair, entry = _PAIR.match(line), _ENTRY.match(line)
        if pair:
            values = facts[pair[1].lower()] = _list(pair[2])
        elif entry:
            values += [v for v in [_bare(entry[1] or entry[2])] if v]
    return facts


def _values(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [" ".join(str(v).split()) for v in values if v and not isinstance(v, dict | list)]


def _list(text: str) -> list[str]:
    text = text.strip()
    parts = text[1:-1].split(",") if text.startswith("[") and text.endswith("]") else [text]
    return [value for value in map(_bare, parts) if value]


def _bare(text: str) -> str:
    """A scalar without its quotes or a comment behind it; one in several lines is given up."""
    text = text.strip()
    if text[:1] in {"'", '"'} and text.endswith(text[0]) and len(text) > 1:
        return text[1:-1].strip()
    text = re.sub(r"\s+#.*$", "", text)
    return "" if text[:1] in {"|", ">", "&", "*", "{"} else markup.text_from_html(text)
