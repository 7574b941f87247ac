"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.formats import PARSERS
from copydesk.models import Hints, RawItem

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _rules() -> Rules:
    return load_rules()


def plaintext(data: bytes, filename: str) -> dict[str, Any]:
    """The answer of `copydesk clean --json` for one plain-text file that is sent with no hint."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename, media_type="text/plain"))
    parsed = PARSERS["text"](data, item.hints)[0]
    return to_json(pipeline.clean(parsed, item, _rules()), parsed.encoding)
