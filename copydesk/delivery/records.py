"""The rows that say how an entry was settled: receipt, dead letter, sighting and event. Pure."""

from __future__ import annotations

from datetime import datetime

from copydesk.models import Hints, Json, Outcome, Verdict
from copydesk.queue.entries import ArticleEntry, OutcomeEntry
from copydesk.storage.dead_letters import DeadLetter
from copydesk.storage.receipts import Receipt
from copydesk.storage.rows import Row


def receipt_of(entry: ArticleEntry, verdict: Verdict, target: str | None, revision: int | None) -> Receipt:
    """How an article ended; `target` is the article that it became or belongs to."""
    return Receipt(
        entry.job.id,
        entry.item_id,
        entry.parent_id,
        entry.job.source,
        verdict.outcome,
        verdict.reason,
        verdict.code,
        target,
        revision,
        verdict.scores,
    )


def refused_letter(entry: ArticleEntry, verdict: Verdict) -> DeadLetter:
    """The letter of an article that was judged and refused."""
    return DeadLetter(
        entry.job.id,
        entry.item_id,
        entry.job.source,
        verdict.outcome,
        "store",
        verdict.code,
        verdict.reason,
        raw_sha256=entry.raw_sha256,
        context=context_of(entry),
    )


def ended_letter(entry: OutcomeEntry) -> DeadLetter:
    """The letter of an item that ended without an article."""
    return DeadLetter(
        entry.job.id,
        entry.item_id,
        entry.job.source,
        entry.outcome,
        entry.stage,
        entry.code,
        entry.reason,
        trace=entry.trace,
        raw_sha256=entry.raw_sha256,
        context=context_of(entry),
    )


def context_of(entry: ArticleEntry | OutcomeEntry) -> Json:
    """What a dead letter keeps of its item's job, so that it can be handed over again."""
    given = entry.hints if isinstance(entry, OutcomeEntry) else Hints(filename=entry.name, url=entry.document.url)
    return {
        "kind": entry.job.kind,
        "origin": entry.job.origin,
        "received_at": entry.job.received_at.isoformat(),
        "parent_id": entry.parent_id,
        "hints": (given or Hints(filename=entry.name)).model_dump(exclude_none=True),
        "meta": entry.meta,
    }


def sighting_of(entry: ArticleEntry, verdict: Verdict, target: str | None) -> Row:
    """Where an article was seen again."""
    return {
        "ingest_id": entry.job.id,
        "item_id": entry.item_id,
        "article_id": target,
        "source": entry.job.source,
        "url": entry.document.url,
        "name": entry.name,
        "relation": verdict.relation,
        "scores": verdict.scores,
        "raw_sha256": entry.raw_sha256,
        "seen_at": entry.job.received_at.isoformat(),
    }


def event_of(
    entry: ArticleEntry | OutcomeEntry,
    outcome: Outcome,
    target: str | None,
    revision: int | None = None,
    *,
    due_at: datetime | None = None,
) -> Row:
    """What consumers are told, not before `due_at`."""
    return {
        "event": outcome.value,
        "article_id": target,
        "revision": revision,
        "ingest_id": entry.job.id,
        "item_id": entry.item_id,
        "due_at": due_at.isoformat() if due_at else None,
    }
