"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from copydesk import formats, pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.formats import PARSERS
from copydesk.models import Hints, RawItem

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _rules() -> Rules:
    return load_rules()


def feed(data: bytes, headers: dict[str, str], url: str) -> list[dict[str, Any]]:
    """The items of a feed of any kind (RSS to Atom, JSON Feed, sitemaps) as they are read from a server.

    Raises `InputError` where it holds none that can be read.
    """
    named = {name.lower(): value for name, value in headers.items()}
    hints = Hints(url=url or None, media_type=named.get("content-type"))
    return [
        {
            "id": parsed.fields.guid or parsed.key,
            "url": parsed.fields.url,
            "title": parsed.fields.title,
            "authors": list(parsed.fields.authors),
            "published_at": parsed.fields.published_at,
            "updated_at": parsed.fields.updated_at,
            "language": parsed.fields.language,
            "text": "\n".join(line.text for line in parsed.lines),
            "publisher": parsed.fields.publisher,
            "rights": list(parsed.fields.rights),
            "encoding": parsed.encoding,
        }
        for parsed in formats.parse(data, hints)
    ]


def plaintext(data: bytes, filename: str) -> dict[str, Any]:
    """The answer of `copydesk clean --json` for one plain-text file that is sent with no hint."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename, media_type="text/plain"))
    parsed = PARSERS["text"](data, item.hints)[0]
    return to_json(pipeline.clean(parsed, item, _rules()), parsed.encoding)
