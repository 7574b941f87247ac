"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.formats import PARSERS
from copydesk.models import Document, Hints, RawItem

_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _rules() -> Rules:
    return load_rules()


def plaintext(data: bytes, filename: str) -> dict[str, Any]:
    """The answer of `copydesk clean --json` for one plain-text file that is sent with no hint."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename, media_type="text/plain"))
    parsed = PARSERS["text"](data, item.hints)[0]
    return to_json(pipeline.clean(parsed, item, _rules()), parsed.encoding)


def page_text(html: str, url: str) -> str:
    """The story of a page, one paragraph a line; empty for a page that is no article."""
    document = _page(html, url)
    return "\n".join(document.body) if document else ""


def page_meta(html: str, url: str) -> dict[str, Any]:
    """Title, authors and date of publication of a page; nothing for a page that is no article."""
    document = _page(html, url)
    if document is None:
        return {}
    return {"title": document.title, "authors": list(document.authors), "date": document.published_at}


def _page(html: str, url: str) -> Document | None:
    item = RawItem(html.encode(), "inbox", _RECEIVED_AT, Hints(url=url, media_type="text/html", encoding="utf-8"))
    return pipeline.process(item, _rules())[0].document
