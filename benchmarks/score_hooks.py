"""What the corpus scorers call: the product's defaults and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from benchmarks.redis_index import RedisIndex
from benchmarks.stream_judge import StreamJudge
from copydesk import formats, pipeline
from copydesk.cleaning import Rules, clean, load_rules, to_json
from copydesk.cleaning.learnt import NOTHING, Learnt, LineCount, learn, sight, teaches
from copydesk.dedupe.likeness import DEFAULT
from copydesk.errors import InputError
from copydesk.formats import PARSERS
from copydesk.models import Cleaned, Document, Hints, Outcome, Parsed, RawItem, Status

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
        seen = sight(_clean_text(doc["text"], doc["source"]).pieces)
        if not teaches(seen, of_source):
            continue
        for sighting in seen:
            old = of_source.get(sighting.key, LineCount(sighting.key, 0, 0, is_prose=sighting.is_prose))
            of_source[sighting.key] = replace(old, stories=old.stories + 1, at_edge=old.at_edge + sighting.at_edge)
    learnt = {source: learn(of_source.values()) for source, of_source in counts.items()}
    return [_as_text(_clean_text(doc["text"], doc["source"], learnt[doc["source"]])) for doc in docs]


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
