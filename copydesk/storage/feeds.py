"""Tables feed and feed_*: which feeds are polled, what of them is on its way, what each poll brought."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

_ADD = """
insert into feed (url, source, title, interval_s, silent_after_s, full_text, interval_min_s, interval_max_s)
select url, source, title, interval_s, silent_after_s, full_text, interval_min_s, interval_max_s
  from json_to_recordset(%s::json) as t(
       url text, source text, title text, interval_s double precision, silent_after_s double precision, full_text text,
       interval_min_s double precision, interval_max_s double precision)
 order by url
    on conflict (url) do nothing
returning url
"""

_LIST = """
select id, url, source, title, enabled, interval_s, due_at, failures, last_error, fetched_at, changed_at, silent_since,
       moved_to, full_text, interval_min_s, interval_max_s
  from feed order by source, url
"""

_MAKE_DUE = """
update feed set due_at = now() where enabled and (url = any (%(urls)s) or %(every)s) returning url
"""

# One lease each, whoever asks at the same time. A body on its way is waited for: fetching it again would only bring it
# again; one that is older than this was lost with its spool.
_LEASE = """
with due as (
    select id from feed f
     where enabled and due_at <= now() and (leased_until is null or leased_until <= now())
       and not exists (select 1 from feed_fetch x
                        where x.feed_id = f.id and x.fetched_at > now() - make_interval(secs => %(lost_after_s)s))
     order by due_at limit %(limit)s
       for update skip locked)
update feed f set leased_until = now() + make_interval(secs => %(lease_s)s)
  from due where f.id = due.id
returning f.id, f.leased_until
"""

# Renewed, so that a job delivered twice is worked on once; its end follows from the old one, so that who takes the job
# over from a worker that died knows it.
_BEGIN = """
update feed set leased_until = %(lease)s::timestamptz + make_interval(secs => %(lease_s)s)
 where id = %(feed)s and enabled
   and (leased_until = %(lease)s
        or (%(again)s and leased_until = %(lease)s::timestamptz + make_interval(secs => %(lease_s)s)))
returning id, url, source, etag, last_modified, body_sha256, interval_s, failures, full_text, interval_min_s,
          interval_max_s
"""

# Nothing was asked of its host, so nothing is said in the log.
_POSTPONE = """
update feed set leased_until = null, due_at = now() + make_interval(secs => %(wait_s)s) where id = %(feed)s
"""

_GIVE_BACK = "update feed set leased_until = null where id = %s and leased_until = %s"

# Locked, or the job could be closed unseen while its fetch is being noted.
_IS_CLOSED = "select closed_at is not null from ingest where id = %s for share"

# The lease ends, since from here on the row in feed_fetch keeps the feed from being polled.
_RECORD_FETCH = """
with noted as (
    insert into feed_fetch
           (ingest_id, feed_id, status, etag, last_modified, body_sha256, wait_s, min_s, max_s, moved_to,
            pages, is_partial)
    select %(ingest_id)s, %(feed_id)s, %(status)s, %(etag)s, %(last_modified)s, %(body_sha256)s, %(wait_s)s, %(min_s)s,
           %(max_s)s, %(moved_to)s, %(pages)s, %(is_partial)s
     where not %(is_closed)s
        on conflict (ingest_id) do nothing)
update feed set leased_until = null, failures = 0, last_error = null where id = %(feed_id)s
"""

# Of a body that is committed: new validators for the same bytes may be taken over at once.
_RECORD_SAME = """
with polled as (
    update feed set etag = coalesce(%(etag)s, etag), last_modified = coalesce(%(last_modified)s, last_modified),
           moved_since = case when %(moved_to)s::text is null then null
                              when moved_to = %(moved_to)s then coalesce(moved_since, now()) else now() end,
           moved_polls = case when %(moved_to)s::text is null then 0
                              when moved_to = %(moved_to)s then moved_polls + 1 else 1 end,
           moved_to = %(moved_to)s, interval_s = %(interval_s)s, due_at = now() + make_interval(secs => %(wait_s)s),
           leased_until = null, failures = 0, last_error = null, fetched_at = now()
     where id = %(feed_id)s
    returning id, due_at)
insert into feed_log (feed_id, fetched_at, result, status, due_at)
select id, now(), %(result)s, %(status)s, due_at from polled
"""

_RECORD_FAILURE = """
with polled as (
    update feed set due_at = now() + make_interval(secs => %(wait_s)s), leased_until = null, failures = failures + 1,
           last_error = %(error)s
     where id = %(feed_id)s
    returning id, due_at)
insert into feed_log (feed_id, fetched_at, result, status, error, due_at)
select id, now(), 'failed', %(status)s, %(error)s, due_at from polled
"""

# Fresh is what the feed had not brought before; what is rejected is rejected at each poll, and says nothing.
_CLOSING = """
select x.ingest_id, f.interval_s, x.wait_s, x.min_s, x.max_s, i.done, i.unchanged_count, r.fresh, r.duplicates,
       x.is_partial, f.url
  from feed_fetch x join feed f on f.id = x.feed_id join ingest i on i.id = x.ingest_id
 cross join lateral (
       select count(*) as fresh, count(*) filter (where outcome = 'duplicate') as duplicates
         from receipt where ingest_id = x.ingest_id and outcome in ('stored', 'revised', 'duplicate')) r
 where x.ingest_id = any (%s)
 order by f.id
   for update of f
"""

# A body that a younger one has overtaken moves nothing: its items are stored, its validators are past.
_ADVANCE = """
with row as (
    select * from json_to_recordset(%s::json) as t(
           ingest_id text, items integer, fresh integer, unchanged integer, duplicates integer,
           interval_s double precision, wait_s double precision)),
gone as (
    delete from feed_fetch x using row where x.ingest_id = row.ingest_id
    returning x.ingest_id, x.feed_id, x.fetched_at, x.status, x.etag, x.last_modified, x.body_sha256, x.moved_to,
              x.pages, row.items, row.fresh, row.unchanged, row.duplicates, row.interval_s,
              x.fetched_at + make_interval(secs => row.wait_s) as due_at),
newest as (select distinct on (feed_id) * from gone order by feed_id, fetched_at desc),
moved as (
    update feed f
       set etag = n.etag, last_modified = n.last_modified, body_sha256 = n.body_sha256,
           moved_since = case when n.moved_to is null then null
                              when f.moved_to = n.moved_to then coalesce(f.moved_since, n.fetched_at)
                              else n.fetched_at end,
           moved_polls = case when n.moved_to is null then 0
                              when f.moved_to = n.moved_to then f.moved_polls + 1 else 1 end,
           moved_to = n.moved_to, fetched_at = n.fetched_at, interval_s = n.interval_s, due_at = n.due_at,
           changed_at = case when n.fresh > 0 then now() else f.changed_at end,
           silent_since = case when n.fresh > 0 then null else f.silent_since end
      from newest n
     where f.id = n.feed_id and (f.fetched_at is null or f.fetched_at <= n.fetched_at))
insert into feed_log
       (feed_id, fetched_at, result, status, ingest_id, items, fresh, unchanged, due_at, pages, duplicates)
select feed_id, fetched_at, 'taken_in', status, ingest_id, items, fresh, unchanged, due_at, pages, duplicates
  from gone order by feed_id
"""

_REJECT = """
insert into feed_reject (source, item_key)
select source, item_key from json_to_recordset(%s::json) as t(source text, item_key text)
 order by source, item_key
    on conflict (source, item_key) do nothing
returning source, item_key
"""

_REJECTED = "select item_key from feed_reject where source = %s and item_key = any (%s)"

# Once an episode: it ends when the feed brings something new.
_FALL_SILENT = """
update feed set silent_since = now()
 where enabled and silent_since is null
   and coalesce(changed_at, added_at) < now() - make_interval(secs => silent_after_s)
returning url, source, coalesce(changed_at, added_at)
"""


class NewFeed(NamedTuple):
    """A feed to poll from now on."""

    url: str
    source: str
    title: str | None
    interval_s: float
    silent_after_s: float
    full_text: str = "never"
    interval_min_s: float | None = None
    interval_max_s: float | None = None


class FeedRow(NamedTuple):
    """A feed and how it is doing, for people."""

    id: int
    url: str
    source: str
    title: str | None
    enabled: bool
    interval_s: float
    due_at: datetime
    failures: int
    last_error: str | None
    fetched_at: datetime | None
    changed_at: datetime | None
    silent_since: datetime | None
    moved_to: str | None
    full_text: str
    interval_min_s: float | None
    interval_max_s: float | None


class Due(NamedTuple):
    """A feed that is leased, and until when; that moment is the lease's name."""

    feed_id: int
    lease: datetime


class Feed(NamedTuple):
    """What a poll needs to know."""

    id: int
    url: str
    source: str
    etag: str | None
    last_modified: str | None
    body_sha256: str | None
    interval_s: float
    failures: int
    full_text: str
    interval_min_s: float | None
    interval_max_s: float | None


class Fetch(NamedTuple):
    """A body that is in the spool, and what becomes of its feed once its job is closed."""

    ingest_id: str
    feed_id: int
    status: int
    etag: str | None
    last_modified: str | None
    body_sha256: str
    wait_s: float
    min_s: float
    max_s: float
    moved_to: str | None
    pages: int = 0
    is_partial: bool = False


class Same(NamedTuple):
    """A poll that brought no new body. `result` is `not_modified` or `same_body`."""

    feed_id: int
    result: str
    status: int
    etag: str | None
    last_modified: str | None
    interval_s: float
    wait_s: float
    moved_to: str | None


class Failure(NamedTuple):
    """A poll that brought nothing."""

    feed_id: int
    status: int | None
    error: str
    wait_s: float


class Closing(NamedTuple):
    """A fetched body all of whose items have their outcome."""

    ingest_id: str
    interval_s: float
    wait_s: float
    min_s: float
    max_s: float
    items: int
    unchanged: int
    fresh: int
    duplicates: int
    is_partial: bool
    url: str


class Move(NamedTuple):
    """How far a feed moves: `wait_s` is counted from the fetch."""

    ingest_id: str
    items: int
    fresh: int
    unchanged: int
    duplicates: int
    interval_s: float
    wait_s: float


class Silent(NamedTuple):
    """A feed that has brought nothing new for longer than it may."""

    url: str
    source: str
    since: datetime


def add(connection: Connection, feeds: Sequence[NewFeed]) -> list[str]:
    """Add feeds; returns the addresses that were not there before. A known one is left as it is."""
    rows = {feed.url: feed._asdict() for feed in feeds}
    return [str(url) for (url,) in send(connection, _ADD, list(rows.values()))]


def everything(connection: Connection) -> list[FeedRow]:
    """Every feed, by source."""
    with connection.cursor() as cursor:
        cursor.execute(_LIST)
        return [FeedRow(*row) for row in cursor.fetchall()]


def make_due(connection: Connection, urls: Sequence[str] | None) -> list[str]:
    """Let feeds be polled now, all of them for None; returns which."""
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_DUE, {"urls": list(urls or ()), "every": urls is None})
        return [str(url) for (url,) in cursor.fetchall()]


def lease(connection: Connection, *, limit: int, lease_s: float, lost_after_s: float) -> list[Due]:
    """Lease feeds that are due, the longest waiting first. Any number of callers at once get different ones."""
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, {"limit": limit, "lease_s": lease_s, "lost_after_s": lost_after_s})
        return [Due(*row) for row in cursor.fetchall()]


def begin(connection: Connection, due: Due, *, lease_s: float, again: bool = False) -> Feed | None:
    """Take up a leased feed, with `again` also one that this very job took up before; None when others have it."""
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"feed": due.feed_id, "lease": due.lease, "lease_s": lease_s, "again": again})
        row = cursor.fetchone()
        return Feed(*row) if row else None


def postpone(connection: Connection, feed: Feed, *, wait_s: float) -> None:
    """End the lease of a feed whose host is being asked by others; it is due again in `wait_s`."""
    with connection.cursor() as cursor:
        cursor.execute(_POSTPONE, {"feed": feed.id, "wait_s": wait_s})


def give_back(connection: Connection, due: Due) -> None:
    """End a lease that nobody will use."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, (due.feed_id, due.lease))


def record_fetch(connection: Connection, fetch: Fetch) -> None:
    """A body is in the spool: until its job is closed (it may be already) the feed is not polled. May be repeated."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_CLOSED, (fetch.ingest_id,))
        cursor.execute(_RECORD_FETCH, {**fetch._asdict(), "is_closed": cursor.fetchone() == (True,)})


def record_same(connection: Connection, same: Same) -> None:
    """There was no new body."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_SAME, same._asdict())


def record_failure(connection: Connection, failure: Failure) -> None:
    """There was no answer that is of use."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD_FAILURE, failure._asdict())


def closing(connection: Connection, ingest_ids: Sequence[str]) -> list[Closing]:
    """What was fetched under these jobs, which are closed; its feeds are locked. Empty when told a second time."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSING, (list(ingest_ids),))
        return [Closing(*row) for row in cursor.fetchall()]


def advance(connection: Connection, moves: Sequence[Move]) -> None:
    """Move the feeds' places: validators, interval, next poll and log row, in the transaction that closed the jobs."""
    send(connection, _ADVANCE, [move._asdict() for move in moves])


def reject(connection: Connection, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Note (source, item key) of items that are no articles; returns those that were not noted before."""
    rows = [{"source": source, "item_key": key} for source, key in items]
    return {(str(source), str(key)) for source, key in send(connection, _REJECT, rows)}


def rejected(connection: Connection, source: str, keys: Sequence[str]) -> set[str]:
    """Those of the item keys that are noted as no articles."""
    with connection.cursor() as cursor:
        cursor.execute(_REJECTED, (source, list(keys)))
        return {str(key) for (key,) in cursor.fetchall()}


def fall_silent(connection: Connection) -> list[Silent]:
    """Feeds that have just been silent for too long; each is told once until it brings something new."""
    with connection.cursor() as cursor:
        cursor.execute(_FALL_SILENT)
        return [Silent(*row) for row in cursor.fetchall()]
