"""Documents as records: JSON lines, one JSON object or a list of them. `table.py` shares this for CSV.

Which column is what is told by the map of the sender, else by the names that such files commonly use. A record that
cannot be read is a candidate with its error; the others go on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from copydesk.errors import InputError, MalformedInput
from copydesk.formats import markup
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode, printable
from copydesk.formats.json_values import read_json
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.models import Fields, Hints, Parsed

# Common names of a column, the most telling first; compared in lower case, with `_` for space, dash and dot.
NAMES: Mapping[str, tuple[str, ...]] = {
    "authors": ("authors", "author", "byline", "creator", "writer"),
    "id": ("id", "guid", "_id", "uid", "uuid", "article_id", "doc_id", "document_id"),
    "language": ("language", "lang", "locale"),
    "published": (
        "published",
        "published_at",
        "date_published",
        "date_publish",
        "publish_date",
        "publication_date",
        "pubdate",
        "pub_date",
        "date",
        "datetime",
        "timestamp",
        "time",
    ),
    "source": ("source", "publisher", "publication", "site_name", "outlet", "newspaper"),
    "text": ("text", "body", "content", "body_text", "article", "article_text", "maintext", "html", "content_html"),
    "title": ("title", "headline", "heading"),
    "updated": ("updated", "updated_at", "date_modified", "modified", "modified_at", "last_modified"),
    "url": ("url", "link", "uri", "permalink", "canonical_url"),
}

_MEDIA_TYPES = frozenset(
    ("application/json", "application/jsonl", "application/jsonlines", "application/ndjson", "application/x-ndjson")
)
_EXTENSIONS = frozenset((".json", ".jsonl", ".jsonlines", ".ndjson"))
_OBJECT = re.compile(r'\s*(?:\[\s*)?\{\s*"(?:[^"\\\n]|\\.)*"\s*:')
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_MARKUP = re.compile(r"</[a-z][a-z0-9]*\s*>|<(?:br|p|hr)\s*/?>", re.IGNORECASE)

# Seconds since 1970 have ten digits from 2001 to 2286, milliseconds thirteen.
_SECONDS, _MILLISECONDS = re.compile(r"\d{10}(?:\.\d+)?"), re.compile(r"\d{13}")


def matches(opening: Opening) -> bool:
    """True for what begins as a JSON object or a list of them, also under a name or type that says so."""
    if _OBJECT.match(opening.text):
        return opening.media_type in {"", "application/octet-stream", "text/plain"} | _MEDIA_TYPES
    named = opening.media_type in _MEDIA_TYPES or opening.extension in _EXTENSIONS
    return named and opening.text.lstrip().startswith(("{", "["))


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate a record; `key` is its place. Raises MalformedInput where nothing of it is a record."""
    decoded = decode(data, None, hints)
    subject = hints.filename or hints.url or ""
    names = column_names(hints)
    found = []
    for place, text, value in _records(decoded.text, subject):
        error = value if isinstance(value, InputError) else None
        record = value if isinstance(value, dict) else {}
        if error is None and not isinstance(value, dict):
            error = MalformedInput(place, f"it is {type(value).__name__}, not an object")
        found.append(
            candidate(
                "records",
                place,
                record,
                names,
                raw=text,
                encoding=decoded.encoding,
                warnings=decoded.warnings,
                error=error,
            )
        )
    return found


def column_names(hints: Hints) -> Mapping[str, tuple[str, ...]]:
    """Our fields and the columns they may stand in; what the sender names goes before the common names."""
    given = hints.fields or {}
    return {field: (*((_folded(given[field]),) if field in given else ()), *common) for field, common in NAMES.items()}


def candidate(
    kind: str,
    place: str,
    record: Mapping[str, Any],
    names: Mapping[str, tuple[str, ...]],
    *,
    raw: str,
    encoding: str,
    warnings: tuple[str, ...],
    error: InputError | None = None,
) -> Parsed:
    """A record as a candidate; one with neither text nor title is none, and says which columns there were."""
    folded = {_folded(str(name)): value for name, value in record.items()}

    def text(field: str) -> str:
        return next((found for name in names[field] if (found := _as_text(folded.get(name)))), "")

    body, title = text("text"), markup.text_from_html(text("title"))
    if error is None and not body and not title:
        seen = ", ".join(list(map(str, record))[:20])
        error = MalformedInput(place, f"no text and no title; its columns are {seen[:500] or 'none'}")
    stated = (text("published"), text("updated"))
    published, updated = (_moment(value) for value in stated)
    if (stated[0] and not published) or (stated[1] and not updated):
        warnings = (*warnings, "unreadable_date")
    url = text("url")
    return Parsed(
        format=kind,
        lines=markup.lines_from_html(body) if _MARKUP.search(body) else split_lines(body),
        fields=Fields(
            title=title or None,
            published_at=published or updated,
            updated_at=updated if published and updated != published else None,
            publisher=markup.text_from_html(text("source")) or None,
            authors=tuple(_authors(next((folded[n] for n in names["authors"] if folded.get(n)), None))),
            language=text("language") or None,
            url=url if _WEB.match(url) else None,
            guid=text("id") or None,
        ),
        key=place,
        is_position=True,
        raw=raw.encode("utf-8", "replace"),
        encoding=encoding,
        warnings=warnings,
        error=error,
    )


def _records(text: str, subject: str) -> Iterator[tuple[str, str, Any]]:
    """Place, text and value of each record; an error in the place of a value that cannot be read."""
    stripped = text.strip()
    first = stripped.partition("\n")[0].strip()
    if stripped.startswith("[") or not _is_json(first):
        # A list, or one object over several lines: all of it is read, or nothing.
        try:
            whole = read_json(stripped, subject)
        except MalformedInput:
            if not stripped.startswith("{") or "\n" not in stripped:
                raise
            # Lines whose first is the bad one.
        else:
            for number, value in enumerate(whole if isinstance(whole, list) else [whole], start=1):
                yield f"record {number}", json.dumps(value, sort_keys=True, ensure_ascii=False), value
            return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"line {number}", line.strip(), _read_line(line, f"line {number}")


def _is_json(text: str) -> bool:
    try:
        read_json(text, "")
    except MalformedInput:
        return False
    return True


def _read_line(line: str, place: str) -> Any:
    try:
        return read_json(line, place)
    except MalformedInput as error:
        return error


def _folded(name: str) -> str:
    return re.sub(r"[\s.\-]+", "_", name.strip().lower())


def _as_text(value: object) -> str:
    """A text, a number, or a list of paragraphs as text; anything else is none."""
    if isinstance(value, list):
        return "\n\n".join(part for part in map(_as_text, value[:10_000]) if part) if _is_flat(value) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return printable(value).strip() if isinstance(value, str) else ""


def _is_flat(values: list[object]) -> bool:
    return not any(isinstance(value, list | dict) for value in values)


def _moment(text: str) -> str | None:
    if _SECONDS.fullmatch(text) or _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text) / (1000 if len(text) == 13 else 1), UTC).isoformat()
    return read_date(text)


def _authors(value: object) -> Iterator[str]:
    """Names out of a text, a list of texts, or of objects with a name."""
    for one in value[:100] if isinstance(value, list) else [value]:
        named = one.get("name") if isinstance(one, dict) else one
        name = markup.text_from_html(_as_text(named))
        if name:
            yield name
