"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from benchmarks.redis_index import RedisIndex
from benchmarks.stream_judge import StreamJudge
from copydesk import formats, pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.dedupe.likeness import DEFAULT
from copydesk.errors import InputError
from copydesk.formats import PARSERS
from copydesk.models import Cleaned, Hints, Outcome, Parsed, RawItem, Status

_LABELS = {
    Outcome.STORED: "new",
    Outcome.UNCHANGED: "exact",
    Outcome.DUPLICATE: "exact",
    Outcome.REVISED: "update",
}
_RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1)
def _rules() -> Rules:
    return load_rules()


def plaintext(data: bytes, filename: str) -> dict[str, Any]:
    """The answer of `copydesk clean --json` for one plain-text file that is sent with no hint."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename, media_type="text/plain"))
    parsed = PARSERS["text"](data, item.hints)[0]
    return to_json(pipeline.clean(parsed, item, _rules()), parsed.encoding)


def agency(data: bytes, filename: str) -> list[dict[str, Any]]:
    """One answer an item of an agency file; a sole one of kind `unreadable` for a file of no format."""
    item = RawItem(data, "inbox", _RECEIVED_AT, Hints(filename=filename))
    try:
        candidates = formats.parse(data, item.hints)
    except InputError as error:
        return [{"outcome": "rejected", "kind": "unreadable", "reason": str(error), "text": ""}]
    return [_agency_item(p, pipeline.clean(p, item, _rules())) for p in candidates]


def _agency_item(parsed: Parsed, cleaned: Cleaned) -> dict[str, Any]:
    fields = parsed.fields
    outcome = "stored" if cleaned.is_article else "rejected"
    if parsed.status is not Status.USABLE:
        outcome = "withdrawn"
    return {
        "id": fields.guid,
        "title": cleaned.title or fields.title,
        "authors": list(cleaned.authors or fields.authors or filter(None, [fields.byline])),
        "published_at": cleaned.published_at or fields.published_at,
        "updated_at": cleaned.updated_at or fields.updated_at,
        "language": cleaned.language or fields.language,
        "text": "\n\n".join(cleaned.body),
        "publisher": cleaned.publisher or fields.publisher,
        "rights": list(cleaned.rights or fields.rights),
        "dateline": cleaned.dateline or fields.dateline,
        "outcome": outcome,
        "kind": parsed.kind,
        "reason": cleaned.reason,
        "version": fields.version,
        "embargo_until": fields.embargo_until,
        "byline": fields.byline,
        "captions": list(cleaned.captions or fields.captions),
    }


def make_judge(redis_url: str | None = None, **thresholds: float) -> Callable[[dict[str, Any]], tuple[str, str | None]]:
    """The detector that the duplicate scorer calls once a document; `thresholds` are fields of `Thresholds`.

    With `redis_url` the candidates come from the index in that Redis, whose own index is taken out of use.
    """
    index = RedisIndex(redis_url) if redis_url else None
    stream = StreamJudge(thresholds=replace(DEFAULT, **thresholds), index=index)

    def detect(article: dict[str, Any]) -> tuple[str, str | None]:
        decision = stream.decide(
            article["id"],
            source=article["source"],
            url=article["url"],
            title=article["title"],
            body=tuple(article["text"].split("\n\n")),
            moment=datetime.fromtimestamp(article["ts"], UTC),
        )
        return _LABELS[decision.outcome] if decision.likeness is None else "near", decision.document

    return detect
