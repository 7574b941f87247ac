"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from benchmarks.redis_index import RedisIndex
from benchmarks.stream_judge import StreamJudge
from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules, to_json
from copydesk.dedupe.likeness import DEFAULT
from copydesk.formats import PARSERS
from copydesk.models import Hints, Outcome, RawItem

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
