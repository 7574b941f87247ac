"""Numbers of the whole system that only Postgres knows, each answered by an index or a small table."""

from __future__ import annotations

from typing import Any, NamedTuple

from copydesk.storage.connection import Connection

_GAUGES = """
select (select count(*) from ingest where closed_at is null),
       (select coalesce(extract(epoch from now() - min(received_at)), 0) from ingest where closed_at is null),
       (select count(*) from (select 1 from outbox where position is null and due_at <= now() limit 100000) t),
       (select coalesce(max(position), 0) from outbox)
"""

_DEAD = "select outcome, count(*) from dead_letter where resolution is null group by outcome"

_READERS = "select name, position from reader"

_WEBHOOKS = "select id, position from webhook where enabled"

_FEEDS = """
select case when not enabled then 'off' when failures > 0 then 'failing' when silent_since is not null then 'silent'
            else 'well' end, count(*)
  from feed group by 1
"""


class Gauges(NamedTuple):
    """As one look found them."""

    open_jobs: int
    oldest_open_s: float
    unnumbered: int
    newest_position: int
    dead_letters: dict[str, int]
    readers: dict[str, int]
    """Name -> position."""
    webhooks: dict[str, int]
    """Number -> position, of those that are on."""
    feeds: dict[str, int]


def look(connection: Connection) -> Gauges:
    """One look, in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_GAUGES)
        row: Any = cursor.fetchone()
        pairs = []
        for query in (_DEAD, _READERS, _WEBHOOKS, _FEEDS):
            cursor.execute(query)
            pairs.append({str(name): int(value) for name, value in cursor.fetchall()})
    return Gauges(int(row[0]), float(row[1]), int(row[2]), int(row[3]), *pairs)
