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

# Which of these items already have their outcome: what is delivered again does nothing. A closed job of a feed no
# longer knows which of its items were unchanged, so none of them is looked at again; an item that a newer reading
# would find comes with the feed's next body.
_KNOWN = """
with t as (select ingest_id, item_id from json_to_recordset(%s::json) as t(ingest_id text, item_id text))
select r.ingest_id, r.item_id
  from t join receipt r on r.ingest_id = t.ingest_id and r.item_id = t.item_id
union
select t.ingest_id, t.item_id
  from t join ingest i on i.id = t.ingest_id
 where i.kind = 'feed' and (i.closed_at is not null or t.item_id = any (i.unchanged))
"""

# Which of these containers have receipts for what came out of them.
_OPENED = """
select distinct r.ingest_id, r.parent_id
  from json_to_recordset(%s::json) as t(ingest_id text, item_id text)
  join receipt r on r.ingest_id = t.ingest_id and r.parent_id = t.item_id
"""

# Count the receipts actually inserted and the unchanged items not noted before, and close the job when it has all. The
# row lock lets one writer see done = total. A job read again under newer rules may have more items than its first
# total: hence >=.
_COUNT = """
insert into ingest as i (id, source, kind, origin, received_at, total, done, unchanged, unchanged_count, closed_at)
select id, source, kind, origin, received_at, total, done + cardinality(unchanged), unchanged, cardinality(unchanged),
       case when done + cardinality(unchanged) >= total then now() end
  from (select id, source, kind, origin, received_at, total, done,
               array(select distinct json_array_elements_text(unchanged)) as unchanged
          from json_to_recordset(%s::json) as t(
               id text, source text, kind text, origin text, received_at timestamptz, total integer, done integer,
               unchanged json)) as t
 order by id
    on conflict (id) do update
   set (total, done, unchanged, unchanged_count, closed_at) = (
       select n.total, n.done, i.unchanged || n.ids, i.unchanged_count + cardinality(n.ids),
              coalesce(i.closed_at, case when n.done >= n.total then now() end)
         from (select a.ids, coalesce(i.total, excluded.total) as total,
                      i.done + excluded.done - excluded.unchanged_count + cardinality(a.ids) as done
                 from (select array(select unnest(excluded.unchanged) where i.closed_at is null
                                    except select unnest(i.unchanged)) as ids) as a) as n)
returning i.id, i.closed_at is not null
"""

# The ids were there to count each once; a closed job needs only their number.
_EMPTY = "update ingest set unchanged = '{}' where id = any (%s) and unchanged <> '{}'"

_OF_CLOSED = """
select r.ingest_id, r.item_id, r.parent_id, r.source, r.outcome, r.article_id, r.revision, r.code, r.reason, r.scores
  from receipt r
  join ingest i on i.id = r.ingest_id
 where i.id = any (%s) and i.closed_at is not null
 order by r.ingest_id, r.item_id
"""

_CLOSED = "select id from ingest where id = any (%s) and closed_at is not null"

# Job ids are of ASCII letters and digits; the collation of the database may order them otherwise, hence `like`.
_CLOSED_PARTS = "select id from ingest where id like %s and closed_at is not null"

_OUTCOMES = "select outcome, count(*) from receipt where ingest_id = any (%s) group by outcome"

_FAULTS = """
select item_id, outcome, code, reason
  from receipt
 where ingest_id = any (%s) and outcome in ('rejected', 'dead')
 order by ingest_id, item_id
 limit %s
"""

# Celery senders set received_at themselves, so theirs says nothing about the order in the queue.
_NEWEST_CLOSED = "select max(received_at) from ingest where kind <> 'celery' and closed_at is not null"


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
    """Receipts inserted."""
    total: int | None
    unchanged: tuple[str, ...] = ()
    """Items of a feed that are as they were, which have no receipt."""


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
    """Those of (ingest id, item id) that have their outcome."""
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
            "unchanged": job.unchanged,
        }
        for job in jobs
    ]
    closed = [str(job_id) for job_id, is_closed in send(connection, _COUNT, rows) if is_closed]
    if any(job.unchanged for job in jobs):
        with connection.cursor() as cursor:
            cursor.execute(_EMPTY, (closed,))
    return closed


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


def closed_jobs(connection: Connection, ingest_ids: Sequence[str]) -> list[str]:
    """Those jobs that are complete."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED, (list(ingest_ids),))
        return [str(job_id) for (job_id,) in cursor.fetchall()]


def closed_parts(connection: Connection, prefix: str) -> list[str]:
    """The complete jobs whose ids begin so; `prefix` holds no sign that has a meaning in a pattern."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSED_PARTS, (f"{prefix}%",))
        return [str(job_id) for (job_id,) in cursor.fetchall()]


def outcome_counts(connection: Connection, ingest_ids: Sequence[str]) -> dict[Outcome, int]:
    """How often the items of these jobs ended in which way."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, (list(ingest_ids),))
        return {Outcome(outcome): int(count) for outcome, count in cursor.fetchall()}


def faults(connection: Connection, ingest_ids: Sequence[str], limit: int) -> list[tuple[str, str, str, str]]:
    """(item id, outcome, code, reason) of the first items of these jobs that were rejected or are dead."""
    with connection.cursor() as cursor:
        cursor.execute(_FAULTS, (list(ingest_ids), limit))
        return [(str(i), str(o), str(c), str(r)) for i, o, c, r in cursor.fetchall()]


def newest_closed(connection: Connection) -> datetime | None:
    """When the youngest complete job of our own doors was received: older ones still open have been overtaken."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_CLOSED)
        row = cursor.fetchone()
        return row[0] if row else None


def _find(connection: Connection, statement: LiteralString, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    found = send(connection, statement, [{"ingest_id": a, "item_id": b} for a, b in items])
    return {(str(a), str(b)) for a, b in found}
