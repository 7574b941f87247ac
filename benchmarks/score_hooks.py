"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.formats import PARSERS
from copydesk.models import Cleaned, Hints, RawItem

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _rules() -> Rules:
    return load_rules()


def plaintext(data: bytes, filename: str) -> dict[str, Any]:
    """The answer of `copydesk clean --json` for one plain-text file that is sent with no hint."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename, media_type="text/plain"))
    parsed = PARSERS["text"](data, item.hints)[0]
    return to_json(pipeline.clean(parsed, item, _rules()), parsed.encoding)


def _clean_text(text: str, source: str) -> Cleaned:
    item = RawItem(text.encode(), source, _RECEIVED_AT, Hints(media_type="text/plain"))
    return pipeline.clean(PARSERS["text"](item.data, item.hints)[0], item, _rules())


def plain_text(text: str, source: str) -> str:
    """Headline and body of one text that `source` sent, a paragraph a line; empty where it is no article."""
    cleaned = _clean_text(text, source)
    return "\n".join(filter(None, (cleaned.title, *cleaned.body)))
