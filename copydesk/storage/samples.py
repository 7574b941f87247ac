"""What the demo shows of the tables."""

from __future__ import annotations

from typing import Any, NamedTuple

from copydesk.storage.connection import Connection

# Job items that have all their receipts, by door.
_CLOSED_ITEMS = """
select count(distinct (r.ingest_id, r.parent_id))
  from receipt r join ingest i on i.id = r.ingest_id
 where i.kind = %s and i.closed_at is not null
"""

_OUTCOMES = """
select i.kind, coalesce(r.item_id, ''), r.outcome, coalesce(a.title, r.reason), coalesce(a.publisher, ''),
       coalesce(a.language, ''), coalesce(v.name, v.guid, '')
  from receipt r
  join ingest i on i.id = r.ingest_id
  left join article a on a.id = r.article_id
  left join revision v on v.article_id = r.article_id and v.number = r.revision
 order by i.received_at, r.ingest_id, r.item_id
"""

_REMOVED = (
    "select coalesce(title, ''), removed from article where jsonb_array_length(removed) > 0 order by stored_at, id"
)


class OutcomeRow(NamedTuple):
    """One receipt, for a person."""

    door: str
    item: str
    outcome: str
    title: str
    publisher: str
    language: str


def closed_items(connection: Connection, kind: str) -> int:
    """How many items of complete jobs came through a door."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_CLOSED_ITEMS, (kind,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def outcomes(connection: Connection) -> list[OutcomeRow]:
    """Every receipt with the article it belongs to."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_OUTCOMES)
        return [OutcomeRow(row[0], row[6] or row[1], *row[2:6]) for row in cursor.fetchall()]


def removed_pieces(connection: Connection) -> list[tuple[str, list[dict[str, Any]]]]:
    """Title and removed pieces of every article that has any."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_REMOVED)
        return [(str(title), removed) for title, removed in cursor.fetchall()]
