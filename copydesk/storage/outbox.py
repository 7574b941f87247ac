"""Table outbox: what consumers need to know, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_ADD = """
insert into outbox (event, article_id, revision, ingest_id, item_id, due_at)
select event, article_id, revision, ingest_id, item_id, greatest(now(), due_at)
  from json_to_recordset(%s::json) as t(
       event text, article_id uuid, revision integer, ingest_id text, item_id text, due_at timestamptz)
"""


# Numbers are given to what is committed, by whoever holds this lock until its own commit: a reader who has seen
# position n has seen every one before it.
_LOCK = "select pg_try_advisory_xact_lock(x'636f7065'::integer)"

# A duplicate changes no article, so it moves no reader's cursor.
_NUMBER = """
with last as (select coalesce(max(position), 0) as position from outbox),
     fresh as (select id, row_number() over (order by id) as place
                 from (select id from outbox where position is null and due_at <= now() order by id limit %s) t),
     numbered as (update outbox o set position = last.position + fresh.place
                    from fresh, last where o.id = fresh.id
               returning o.article_id, o.event, o.position),
     moved as (update article_head h set position = m.position
                 from (select article_id, max(position) as position from numbered
                        where event <> 'duplicate' group by article_id) m
                where h.id = m.article_id)
select count(*) from numbered
"""


# The article as it is now: an event says that something changed, the reader fetches what it is.
_AFTER = """
select o.position, o.event, o.article_id::text, o.revision, o.item_id, coalesce(i.source, h.source), r.title, r.url,
       r.language, r.publisher, r.published_text, o.written_at
  from outbox o
  left join ingest i on i.id = o.ingest_id
  left join article_head h on h.id = o.article_id
  left join article r on r.id = o.article_id
 where o.position > %(position)s
   and (%(events)s::text[] is null or o.event = any (%(events)s))
   and (%(source)s::text is null or coalesce(i.source, h.source) = %(source)s)
 order by o.position limit %(limit)s
"""

# What a consumer may be told of.
EVENTS = ("stored", "revised", "recleaned", "duplicate", "withdrawn", "deleted")

_NEWEST = "select coalesce(max(position), 0) from outbox"


class Event(NamedTuple):
    """A numbered change."""

    position: int
    event: str
    article_id: str
    revision: int | None
    item_id: str
    source: str | None
    title: str | None
    url: str | None
    language: str | None
    publisher: str | None
    published: str | None
    written_at: datetime

    def told(self) -> dict[str, Any]:
        """The event as JSON for a consumer."""
        return {
            "position": self.position,
            "event": self.event,
            "article": self.article_id,
            "revision": self.revision,
            "source": self.source,
            "item": self.item_id,
            "title": self.title,
            "url": self.url,
            "language": self.language,
            "publisher": self.publisher,
            "published": self.published,
            "at": self.written_at.isoformat(),
        }


def after(
    connection: Connection,
    position: int,
    limit: int,
    *,
    events: Sequence[str] | None = None,
    source: str | None = None,
) -> list[Event]:
    """The next numbered events behind a position."""
    values = {"position": position, "limit": limit, "events": events and list(events), "source": source}
    with connection.cursor() as cursor:
        cursor.execute(_AFTER, values)
        return [Event(*row) for row in cursor.fetchall()]


def newest(connection: Connection) -> int:
    """The highest position given; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def number(connection: Connection, limit: int = 1000) -> int:
    """Give the oldest unnumbered events their positions, and their articles the latest; returns how many.

    0 also where another process is at it.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_LOCK)
        row = cursor.fetchone()
        if not row or not row[0]:
            return 0
        cursor.execute(_NUMBER, (limit,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert events; keys are the columns. `due_at` may be left out: the event may be told at once."""
    send(connection, _ADD, rows)
