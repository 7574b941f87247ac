"""Answers to "where is my document?" out of the tables."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from copydesk.storage.connection import Connection

# By the item's id, the job's id, the article's id, a file's name, or an address, in any of which case the caller may
# not know which it has. Each branch is served by an index of its own.
_FIND = """
select r.ingest_id, r.item_id, r.source, r.outcome, r.article_id, r.revision, r.reason, r.recorded_at
  from receipt r
 where r.item_id = %(what)s or (r.parent_id = %(what)s and r.parent_id <> r.item_id) or r.ingest_id = %(what)s
union
select r.ingest_id, r.item_id, r.source, r.outcome, r.article_id, r.revision, r.reason, r.recorded_at
  from revision v join receipt r on r.article_id = v.article_id and r.revision = v.number
 where v.name = %(what)s or v.url = %(what)s or v.article_id = %(article)s::uuid
union
select r.ingest_id, r.item_id, r.source, r.outcome, r.article_id, r.revision, r.reason, r.recorded_at
  from receipt r join deletion d on d.article_id = r.article_id where r.article_id = %(article)s::uuid
union
select r.ingest_id, r.item_id, r.source, r.outcome, r.article_id, r.revision, r.reason, r.recorded_at
  from sighting s join receipt r on r.ingest_id = s.ingest_id and r.item_id = s.item_id
 where s.name = %(what)s or s.url = %(what)s
 order by recorded_at
 limit 100
"""

_OPEN = """
select id, source, kind, origin, received_at, done, total
  from ingest where closed_at is null order by received_at limit %s
"""

_TOTALS = "select outcome, count(*) from receipt group by outcome order by outcome"

_DEAD = "select count(*) from dead_letter where outcome = 'dead'"


class Whereabouts(NamedTuple):
    """How one item ended."""

    ingest_id: str
    item_id: str
    source: str
    outcome: str
    article_id: str | None
    revision: int | None
    reason: str
    recorded_at: datetime


class OpenJob(NamedTuple):
    """A job that does not have all its receipts."""

    id: str
    source: str
    kind: str
    origin: str | None
    received_at: datetime
    done: int
    total: int | None


def find(connection: Connection, what: str) -> list[Whereabouts]:
    """Receipts by item, job or article id, file name or URL; at most 100, oldest first."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_FIND, {"what": what, "article": _as_uuid(what)})
        return [
            Whereabouts(
                ingest_id, item_id, source, outcome, article_id and str(article_id), revision, reason, recorded_at
            )
            for ingest_id, item_id, source, outcome, article_id, revision, reason, recorded_at in cursor.fetchall()
        ]


def open_jobs(connection: Connection, limit: int = 100) -> list[OpenJob]:
    """Jobs of which Postgres knows and that are not complete, oldest first."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_OPEN, (limit,))
        return [OpenJob(*row) for row in cursor.fetchall()]


def totals(connection: Connection) -> dict[str, int]:
    """How many items ended in each outcome."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        return dict(cursor.fetchall())


def dead_count(connection: Connection) -> int:
    """Items that our own code or Postgres could not carry."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_DEAD)
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def _as_uuid(what: str) -> UUID | None:
    try:
        return UUID(what)
    except ValueError:
        return None
