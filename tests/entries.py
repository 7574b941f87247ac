"""Makes the values that travel through the stream, with as little said as a test needs."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from copydesk.dedupe.identity import identity_keys
from copydesk.models import Document, IdentityKey, Outcome
from copydesk.queue.entries import ArticleEntry, CloseEntry, Incoming, JobRef, OutcomeEntry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

_SENTENCE = """
harbour council voted on monday to close the old bridge after engineers found cracks in two of its piers
ferries will carry commuters until a new crossing opens in spring said the mayor who promised lower fares
"""
WORDS = _SENTENCE.split()


def text(seed: int, words: int = 60) -> str:
    """A paragraph that no other seed gives, and that is not alike any of them."""
    return " ".join(f"{WORDS[(seed * 7 + n) % len(WORDS)]}{seed}" for n in range(words))


def story(seed: int) -> str:
    """A short article as a file holds it, whose words no other seed gives."""
    opening, rest = text(seed, 14), text(seed + 3, 20).replace(str(seed + 3), f"{seed}x")
    return f"Village {seed} opens its library\n\n{opening.capitalize()}.\n\n{rest.capitalize()}.\n"


def sha256(data: str | bytes) -> str:
    return hashlib.sha256(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data).hexdigest()


def job(job_id: str = "job", *, source: str = "wire", minutes: float = 0, kind: str = "celery") -> JobRef:
    """`minutes` after noon is when it was received."""
    moment = NOON + timedelta(minutes=minutes)
    return JobRef.model_validate(
        {"id": job_id, "source": source, "kind": kind, "origin": None, "received_at": moment.isoformat()}
    )


def document(
    *body: str, title: str | None = "A title", keys: tuple[IdentityKey, ...] | None = None, **changes: Any
) -> Document:
    content = {"title": title, "body": body}
    fields: dict[str, Any] = {
        **content,
        "format": "text",
        "url": None,
        "guid": None,
        "language": "en",
        "section": None,
        "published_at": None,
        "zone_unknown": False,
        "updated_at": None,
        "publisher": None,
        "authors": (),
        "credits": {},
        "dateline": None,
        "rights": (),
        "captions": (),
        "corrections": (),
        "pieces": (),
        "encoding": "utf-8",
        "warnings": (),
        "rules_version": "test",
        "item_sha256": sha256(f"raw {content}"),
        "content_sha256": sha256(f"{content}"),
        "keys": identity_keys(source="wire", title=title, body=body) if keys is None else keys,
    }
    # Unchecked, because texts that Postgres refuses are among them.
    return Document.model_construct(**fields | changes)


def article(
    item_id: str,
    *body: str,
    job: JobRef,
    title: str | None = "A title",
    raw: str | None = None,
    parent_id: str | None = None,
    meta: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
    **names: str,
) -> ArticleEntry:
    """`names`: item_key, document_id, guid, url, name. `raw` is what the sender sent; `changes` are of the document."""
    keys = identity_keys(
        source=job.source,
        title=title,
        body=body,
        item_id=names.get("item_key"),
        document_id=names.get("document_id"),
        guid=names.get("guid"),
        url=names.get("url"),
        name=names.get("name"),
    )
    said: dict[str, Any] = {"title": title, "keys": keys, "body": body} | (changes or {})
    if raw:
        said["item_sha256"] = sha256(raw)
    return ArticleEntry.model_construct(
        type="article",
        job=job,
        item_id=item_id,
        parent_id=parent_id or item_id,
        name=names.get("name"),
        document=document(*said.pop("body"), **said),
        raw_sha256=sha256(raw or f"raw {title} {body}"),
        meta=meta,
    )


def ending(
    item_id: str, outcome: Outcome = Outcome.REJECTED, *, job: JobRef, code: str = "empty_input", **changes: Any
) -> OutcomeEntry:
    fields = {
        "job": job,
        "item_id": item_id,
        "parent_id": item_id,
        "name": None,
        "outcome": outcome,
        "code": code,
        "reason": "because",
        "stage": "read",
        "raw_sha256": None,
        "meta": None,
    }
    return OutcomeEntry.model_validate(fields | changes)


def close(job: JobRef, total: int) -> CloseEntry:
    return CloseEntry(job=job, total=total)


def incoming(entry: ArticleEntry | OutcomeEntry | CloseEntry, number: int = 1, deliveries: int = 1) -> Incoming:
    """The entry as a consumer reads it."""
    return Incoming(f"{number}-0", entry.model_dump_json().encode(), None, deliveries)
