"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from copydesk import pipeline
from copydesk.cleaning import Rules, clean, load_rules, to_json
from copydesk.cleaning.learnt import NOTHING, Learnt, LineCount, learn, sight, teaches
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


def _clean_text(text: str, source: str, learnt: Learnt = NOTHING) -> Cleaned:
    hints = Hints(media_type="text/plain")
    parsed = PARSERS["text"](text.encode(), hints)[0]
    profile = replace(_rules().profile_for_source(source), learnt=learnt)
    return clean(parsed, profile=profile, rules=_rules(), received_at=_RECEIVED_AT, hints=hints)


def _as_text(cleaned: Cleaned) -> str:
    return "\n".join(filter(None, (cleaned.title, *cleaned.body)))


def plain_text(text: str, source: str) -> str:
    """Headline and body of one text that `source` sent, a paragraph a line; empty where it is no article."""
    return _as_text(_clean_text(text, source))


def plain_texts(docs: Sequence[Mapping[str, str]]) -> list[str]:
    """`plain_text` of each of `docs` (keys `source` and `text`) with what all texts of its source teach."""
    counts: dict[str, dict[str, LineCount]] = {}
    for doc in docs:
        of_source = counts.setdefault(doc["source"], {})
        seen = sight(_clean_text(doc["text"], doc["source"]))
        if not teaches(seen, of_source):
            continue
        for sighting in seen:
            old = of_source.get(sighting.key, LineCount(sighting.key, 0, 0, is_prose=sighting.is_prose))
            of_source[sighting.key] = replace(old, stories=old.stories + 1, at_edge=old.at_edge + sighting.at_edge)
    learnt = {source: learn(of_source.values()) for source, of_source in counts.items()}
    return [_as_text(_clean_text(doc["text"], doc["source"], learnt[doc["source"]])) for doc in docs]
