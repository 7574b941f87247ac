"""Tables receipt and ingest: how each item of a job ended, and when the job was complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from copydesk.models import Outcome
from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

_ADD = """
insert into receipt (ingest_id, item_id, parent_id, source, outcome, article_id, revision, code, reason, scores)
select ingest_id, item_id, parent_id, source, outcome, article_id, revision, code, reason, scores
  from json_to_recordset(%s::json) as t(
       ingest_id text, item_id text, parent_id text, source text, outcome text, article_id uuid, revision integer,
       code text, reason text, scores jsonb)
 order by ingest_id, item_id
    on conflict (ingest_id, item_id) do nothing
returning ingest_id, item_id
"""

# Which of these items already have a receipt: what is delivered again does nothing.
_KNOWN = """
select r.ingest_id, r.item_id
  from json_to_recordset(%s::json) as t(ingest_id text, item_id text)
  join receipt r on r.ingest_id = t.ingest_id and r.item_id = t.item_id
"""

# Which of these containers have receipts for what came out of them.
_OPENED = """
select distinct r.ingest_id, r.parent_id
  from json_to_recordset(%s::json) as t(ingest_id text, item_id text)
  join receipt r on r.ingest_id = t.ingest_id and r.parent_id = t.item_id
"""

# Count the receipts actually inserted, and close the job when it has all. The row lock lets one writer see
# done = total. A job read again under newer rules may have more items than its first total: hence >=.
_COUNT = """
insert into ingest as i (id, source, kind, origin, received_at, total, done, closed_at)
select id, source, kind, origin, received_at, total, done, case when done >= total then now() end
  from json_to_recordset(%s::json) as t(
       id text, source text, kind text, origin text, received_at timestamptz, total integer, done integer)
 order by id
    on conflict (id) do update
   set done = i.done + excluded.done,
       total = coalesce(i.total, excluded.total),
       closed_at = coalesce(i.closed_at,
           case when i.done + excluded.done >= coalesce(i.total, excluded.total) then now() end)
returning i.id, i.closed_at is not null
"""

_OF_CLOSED = """
select r.ingest_id, r.item_id, r.parent_id, r.source, r.outcome, r.article_id, r.revision, r.code, r.reason, r.scores
  from receipt r
  join ingest i on i.id = r.ingest_id
 where i.id = any (%s) and i.closed_at is not null
 order by r.ingest_id, r.item_id
"""

_CLOSED = "select id from ingest where id = any (%s) and closed_at is not null"

_NEWEST_CLOSED = "select max(received_at) from ingest where source = any (%s) and kind = %s and closed_at is not null"


@dataclass(frozen=True, slots=True)
class Receipt:
    """How one item ended, and why."""

    ingest_id: str
    item_id: str
    parent_id: str
    source: str
    outcome: Outcome
    reason: str
    code: str = ""
    article_id: str | None = None
    revision: int | None = None
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JobCount:
    """What one batch adds to a job."""

    id: str
    source: str
    kind: str
    origin: str | None
    received_at: datetime
    done: int
    total: int | None


def add(connection: Connection, receipts: Sequence[Receipt]) -> set[tuple[str, str]]:
    """Insert receipts; returns the (ingest id, item id) of those that were not there before."""
    rows = [
        {
            "ingest_id": r.ingest_id,
            "item_id": r.item_id,
            "parent_id": r.parent_id,
            "source": r.source,
            "outcome": r.outcome.value,
            "article_id": r.article_id,
            "revision": r.revision,
            "code": r.code,
            "reason": r.reason,
            "scores": r.scores,
        }
        for r in receipts
    ]
    return {(str(a), str(b)) for a, b in send(connection, _ADD, rows)}


def known(connection: Connection, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (ingest id, item id) that have a receipt."""
    return _find(connection, _KNOWN, items)


def opened(connection: Connection, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (ingest id, item id) of which some content has a receipt."""
    return _find(connection, _OPENED, items)


def count(connection: Connection, jobs: Sequence[JobCount]) -> list[str]:
    """Add to the jobs' counts; returns the ids of those that are now complete."""
    rows = [
        {
            "id": job.id,
            "source": job.source,
            "kind": job.kind,
            "origin": job.origin,
            "received_at": job.received_at.isoformat(),
            "total": job.total,
            "done": job.done,
        }
        for job in jobs
    ]
    return [str(job_id) for job_id, is_closed in send(connection, _COUNT, rows) if is_closed]


def of_closed_jobs(connection: Connection, ingest_ids: Sequence[str]) -> dict[str, list[Receipt]]:
    """The receipts of each job that is complete, by job; a complete job without receipts has an empty list."""
    ids = list(ingest_ids)
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED, (ids,))
        found: dict[str, list[Receipt]] = {str(i): [] for (i,) in cursor.fetchall()}
        cursor.execute(_OF_CLOSED, (list(found),))
        for ingest_id, item_id, parent_id, source, outcome, article_id, revision, code, reason, scores in cursor:
            found[str(ingest_id)].append(
                Receipt(
                    str(ingest_id),
                    str(item_id),
                    str(parent_id),
                    str(source),
                    Outcome(outcome),
                    str(reason),
                    str(code),
                    None if article_id is None else str(article_id),
                    revision,
                    scores,
                )
            )
    return found


def newest_closed(connection: Connection, sources: Sequence[str], kind: str) -> datetime | None:
    """When the youngest complete job of these sources was received: older ones still open have been overtaken."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_CLOSED, (list(sources), kind))
        row = cursor.fetchone()
        return row[0] if row else None


def _find(connection: Connection, statement: LiteralString, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found = send(connection, statement, [{"ingest_id": a, "item_id": b} for a, b in items])
    return {(str(a), str(b)) for a, b in found}
