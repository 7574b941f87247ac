"""Table feed as its operator and its servers change it, and table feed_log as people read it. Polls are in feeds.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

# One address is one feed: where the new one is polled already, this one ends. Of two that move to one address at once
# the older moves; the other finds it there the next time.
_FOLLOW_MOVES = """
with ready as (
    select id, url, moved_to, exists (select 1 from feed g where g.url = f.moved_to) as is_double
      from feed f
     where enabled and moved_to is not null and moved_polls >= %(polls)s
       and moved_since <= now() - make_interval(secs => %(after_s)s)
       for update of f skip locked),
off as (
    update feed f set enabled = false, last_error = 'moved to ' || r.moved_to || ', which is polled too'
      from ready r where f.id = r.id and r.is_double
    returning r.url, r.moved_to, true as is_double),
moved as (
    update feed f set url = r.moved_to, moved_to = null, moved_since = null, moved_polls = 0
      from ready r where f.id = r.id and not r.is_double
       and r.id = (select min(id) from ready q where q.moved_to = r.moved_to)
    returning r.url, r.moved_to, false as is_double)
select * from off union all select * from moved
"""

_DROP_LOG = """
delete from feed_log where id in (
    select id from feed_log where fetched_at < now() - make_interval(secs => %(seconds)s) order by fetched_at
     limit %(limit)s)
"""

_LOG = """
select l.fetched_at, l.result, l.status, l.items, l.fresh, l.duplicates, l.unchanged, l.pages, l.error, l.due_at
  from feed_log l join feed f on f.id = l.feed_id where f.url = %s order by l.id desc limit %s
"""

_CHANGE = """
update feed f
   set title = coalesce(t.title, f.title), full_text = coalesce(t.full_text, f.full_text),
       interval_min_s = coalesce(t.interval_min_s, f.interval_min_s),
       interval_max_s = coalesce(t.interval_max_s, f.interval_max_s),
       enabled = coalesce(t.enabled, f.enabled), url = coalesce(t.new_url, f.url),
       -- What is known of the old address says nothing of another one.
       etag = case when t.new_url is null then f.etag end,
       last_modified = case when t.new_url is null then f.last_modified end,
       body_sha256 = case when t.new_url is null then f.body_sha256 end,
       moved_to = case when t.new_url is null then f.moved_to end,
       moved_since = case when t.new_url is null then f.moved_since end,
       moved_polls = case when t.new_url is null then f.moved_polls else 0 end,
       failures = case when t.new_url is null then f.failures else 0 end,
       last_error = case when t.new_url is null and t.enabled is null then f.last_error end,
       due_at = case when t.new_url is null then f.due_at else now() end
  from json_to_recordset(%s::json) as t(
       url text, title text, full_text text, interval_min_s double precision, interval_max_s double precision,
       enabled boolean, new_url text)
 where f.url = t.url
returning f.url
"""

_PAGE = """
select id, url, source, title, enabled, interval_s, due_at, failures, last_error, fetched_at, changed_at, silent_since,
       moved_to, full_text, interval_min_s, interval_max_s, added_at
  from feed
 where id > %(after)s and (%(source)s::text is null or source = %(source)s)
   and (%(id)s::bigint is null or id = %(id)s)
 order by id limit %(limit)s
"""

_POLLS = """
select id, fetched_at, result, status, ingest_id as job, items, fresh, duplicates, unchanged, pages, error, due_at
  from feed_log
 where feed_id = %(feed)s and (%(before)s::bigint is null or id < %(before)s)
 order by id desc limit %(limit)s
"""

_LOCK = "select 1 from feed where id = %s for update"

_REMOVE = "delete from feed where id = %s returning url"

_ID = "select id from feed where url = %s"

_HAS = "select 1 from feed where url = %s"


class Moved(NamedTuple):
    """A feed that has moved for good; a double is off, since its new address was polled already."""

    url: str
    to: str
    is_double: bool


class Polled(NamedTuple):
    """One poll, as the log has it; its counts are null where it brought no new body."""

    fetched_at: datetime
    result: str
    status: int | None
    items: int | None
    fresh: int | None
    duplicates: int | None
    unchanged: int | None
    pages: int | None
    error: str | None
    due_at: datetime


class Change(NamedTuple):
    """What of a feed is to be another; what is None stays."""

    url: str
    title: str | None = None
    full_text: str | None = None
    interval_min_s: float | None = None
    interval_max_s: float | None = None
    enabled: bool | None = None
    new_url: str | None = None


def follow_moves(connection: Connection, *, after_s: float, polls: int) -> list[Moved]:
    """Give feeds that have said for so long, in so many polls, that they moved, their new address."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW_MOVES, {"after_s": after_s, "polls": polls})
        return [Moved(*row) for row in cursor.fetchall()]


def drop_log(connection: Connection, *, days: float, limit: int) -> int:
    """Drop the oldest rows of the log that are older than so many days; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP_LOG, {"seconds": days * 86400.0, "limit": limit})
        return cursor.rowcount


def polls(connection: Connection, url: str, *, limit: int) -> list[Polled]:
    """The latest polls of a feed, the newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_LOG, (url, limit))
        return [Polled(*row) for row in cursor.fetchall()]


def has(connection: Connection, url: str) -> bool:
    """Whether there is such a feed."""
    with connection.cursor() as cursor:
        cursor.execute(_HAS, (url,))
        return cursor.fetchone() is not None


def page(connection: Connection, *, source: str | None, after: int, limit: int) -> list[dict[str, Any]]:
    """Feeds in the order of their numbers, those behind `after`."""
    values = {"source": source, "after": after, "limit": limit, "id": None}
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_PAGE, values)
        return cursor.fetchall()


def one(connection: Connection, feed_id: int, *, lock: bool = False) -> dict[str, Any] | None:
    """A feed by its number; None where there is none. `lock` keeps others from changing it until the commit."""
    with connection.cursor(row_factory=dict_row) as cursor:
        if lock:
            cursor.execute(_LOCK, (feed_id,))
        cursor.execute(_PAGE, {"source": None, "after": -1, "limit": 1, "id": feed_id})
        return cursor.fetchone()


def number_of(connection: Connection, url: str) -> int | None:
    """The number of the feed at an address; None where there is none."""
    with connection.cursor() as cursor:
        cursor.execute(_ID, (url,))
        row = cursor.fetchone()
        return int(row[0]) if row else None


def polls_before(connection: Connection, feed_id: int, *, before: int | None, limit: int) -> list[dict[str, Any]]:
    """The polls of a feed, the newest first, those older than the row `before`."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_POLLS, {"feed": feed_id, "before": before, "limit": limit})
        return cursor.fetchall()


def remove(connection: Connection, feed_id: int) -> str | None:
    """Forget a feed and its log; what is on its way is stored. Returns its address, None where there was none."""
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, (feed_id,))
        row = cursor.fetchone()
        return str(row[0]) if row else None


def change(connection: Connection, wanted: Change) -> bool:
    """Change a feed; False where there is none. Another address is polled at once, and from its beginning."""
    return bool(send(connection, _CHANGE, [wanted._asdict()]))
