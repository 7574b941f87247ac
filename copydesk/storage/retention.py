"""What is kept for so many days and no longer: inputs, superseded revisions, articles. In slices, each a transaction.

Never taken: what somebody waits for. That is an article of a job that is not complete, or with an event that is not
numbered or that a reader or webhook has not passed; an input that a dead letter needs, or newer than the oldest open
job.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from copydesk.storage.connection import Connection

# Of one transaction: 50 ms on a slow disk for inputs of 3 KB, more for larger ones.
SLICE = 500

_OWN = """
select name, raw_days, revision_days, article_days from source_profile
 where raw_days is not null or revision_days is not null or article_days is not null order by name
"""

_KEEP = """
insert into source_profile (name, raw_days, revision_days, article_days)
values (%(name)s, %(raw)s, %(revisions)s, %(articles)s)
    on conflict (name) do update
   set raw_days = excluded.raw_days, revision_days = excluded.revision_days, article_days = excluded.article_days,
       updated_at = now()
"""

# One look into an index for each source, instead of a scan of all rows.
_SOURCES = """
with recursive of_articles as (
    (select source from article_head order by source limit 1)
    union all
    select (select h.source from article_head h where h.source > of_articles.source order by h.source limit 1)
      from of_articles where of_articles.source is not null),
of_inputs as (
    (select source from raw order by source limit 1)
    union all
    select (select r.source from raw r where r.source > of_inputs.source order by r.source limit 1)
      from of_inputs where of_inputs.source is not null)
select source from of_articles where source is not null
 union select source from of_inputs where source is not null
 order by 1
"""

_OLD_INPUTS: LiteralString = (
    "from raw r where r.source = %(source)s and r.stored_at < now() - %(days)s * interval '1 day'"
)
_NOT_NEEDED: LiteralString = """
   and r.stored_at < (select coalesce(min(received_at), 'infinity') from ingest where closed_at is null)
   and not exists (select from dead_letter d where d.raw_sha256 = r.sha256
                                               and (d.resolution is null or d.resolution = 'asked'))
"""

_OLD_ARTICLES: LiteralString = """
  from article_head h
 where h.source = %(source)s and h.expired_at is null and h.changed_at < now() - %(days)s * interval '1 day'
"""
_TOLD: LiteralString = """
   and h.position <= least((select coalesce(min(position), 0) from reader),
                           (select min(position) from webhook where enabled))
   and not exists (select from outbox o where o.article_id = h.id and o.position is null)
   and not exists (select from receipt t join ingest i on i.id = t.ingest_id
                    where t.article_id = h.id and i.closed_at is null)
"""

# What was locked by a writer is left for the next time: nobody waits for anybody.
_DROP_INPUTS: LiteralString = f"""
with due as (select r.sha256 {_OLD_INPUTS} {_NOT_NEEDED} order by r.stored_at limit %(limit)s for update skip locked)
delete from raw using due where raw.sha256 = due.sha256
"""  # noqa: S608 - the pieces are ours

_EXPIRE: LiteralString = f"""
with due as (select h.id {_OLD_ARTICLES} {_TOLD} order by h.changed_at limit %(limit)s for update of h skip locked)
update article_head h set expired_at = now() from due where h.id = due.id returning h.id::text
"""  # noqa: S608 - the pieces are ours

# A number is never given twice, so the highest stays.
_DROP_REVISIONS = """
delete from revision r using article_head h
 where h.id = any (%s::uuid[]) and r.article_id = h.id and r.number <> h.current_revision
   and r.number < (select max(number) from revision m where m.article_id = h.id)
"""

# The names and hashes by which it is known again stay.
_EMPTY = """
update revision set language = null, title = null, section = null, published_text = null, published_at = null,
       zone_unknown = false, updated_text = null, publisher = null, authors = '{}', credits = '{}', dateline = null,
       rights = '{}', captions = '{}', corrections = '{}', body = '{}', pieces = '[]', warnings = '{}', meta = null,
       details = '{}', hints = null
 where article_id = any (%s::uuid[])
"""

_DROP_WORDS = "delete from article_text where article_id = any (%s::uuid[])"
_DROP_SIGHTINGS = "delete from sighting where article_id = any (%s::uuid[])"

# By the revisions that came later, since few articles have any.
_OF_KEPT: LiteralString = """
  join article_head h on h.id = l.article_id
  left join json_to_recordset(%(own)s::json) as p(source text, days double precision) on p.source = h.source
 where h.expired_at is null
   and l.stored_at < now() - interval '1 day' * case when p.source is null then %(days)s else p.days end
"""
_DROP_SUPERSEDED: LiteralString = f"""
with batch as (
    select stored_at, article_id, number from revision
     where number > 1 and stored_at < now()
       and (stored_at, article_id, number) > (%(at)s, %(article)s::uuid, %(number)s)
     order by stored_at, article_id, number limit %(limit)s),
due as (select l.article_id, l.number, h.current_revision, h.source from batch l {_OF_KEPT} {_TOLD}),
gone as (
    delete from revision r using due
     where r.article_id = due.article_id and r.number < due.number and r.number <> due.current_revision
    returning due.source)
select (select row_to_json(b) from (select * from batch order by 1 desc, 2 desc, 3 desc limit 1) b),
       (select coalesce(json_object_agg(source, gone), '{{}}')
          from (select source, count(*) as gone from gone group by source) g)
"""  # noqa: S608 - the pieces are ours

_COUNT_INPUTS: LiteralString = f"""
select count(*), count(*) filter (where true {_NOT_NEEDED}), coalesce(sum(octet_length(r.data)), 0) {_OLD_INPUTS}
"""
_COUNT_ARTICLES: LiteralString = f"select count(*), count(*) filter (where true {_TOLD}) {_OLD_ARTICLES}"
_COUNT_SUPERSEDED: LiteralString = f"""
select count(distinct (r.article_id, r.number)),
       count(distinct (r.article_id, r.number)) filter (where true {_TOLD})
  from (select l.article_id, l.number, h.current_revision, h.id, h.position from revision l {_OF_KEPT}
           and l.number > 1 and h.source = %(source)s) h
  join revision r on r.article_id = h.article_id and r.number < h.number and r.number <> h.current_revision
"""  # noqa: S608 - the pieces are ours


class OwnDays(NamedTuple):
    """What a source has of its own: days, infinity for ever, None where the settings hold."""

    source: str
    raw: float | None
    revisions: float | None
    articles: float | None


class Walk(NamedTuple):
    """How far superseded revisions were looked through: behind this one."""

    stored_at: datetime | str = "-infinity"
    article_id: str = "00000000-0000-0000-0000-000000000000"
    number: int = 0


class Old(NamedTuple):
    """What is older than it is kept for."""

    rows: int
    would_go: int
    """Of these; the others are still waited for."""
    size: int = 0
    """Bytes of the rows, where they are inputs."""


def own_days(connection: Connection) -> list[OwnDays]:
    """The sources that have days of their own."""
    with connection.cursor() as cursor:
        cursor.execute(_OWN)
        return [OwnDays(*row) for row in cursor.fetchall()]


def keep(connection: Connection, own: OwnDays) -> None:
    """Set the days of a source."""
    connection.execute(_KEEP, {"name": own.source} | own._asdict())


def sources(connection: Connection) -> list[str]:
    """Every source of an article or input; '' stands for inputs that came from several."""
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES)
        return [str(source) for (source,) in cursor.fetchall()]


def drop_inputs(connection: Connection, source: str, days: float) -> int:
    """Delete a slice of a source's inputs that came so long ago; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_DROP_INPUTS, {"source": source, "days": days, "limit": SLICE})
        return cursor.rowcount


def expire_articles(connection: Connection, source: str, days: float) -> int:
    """Empty a slice of a source's articles that changed so long ago, and take them out of sight; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, {"source": source, "days": days, "limit": SLICE})
        ids = sorted(str(article) for (article,) in cursor.fetchall())
        if ids:
            for statement in (_DROP_WORDS, _DROP_SIGHTINGS, _DROP_REVISIONS, _EMPTY):
                cursor.execute(statement, (ids,))
        return len(ids)


def drop_superseded(
    connection: Connection, walk: Walk, days: float | None, own: Mapping[str, float | None]
) -> tuple[Walk | None, dict[str, int]]:
    """Delete revisions superseded so long ago, looking at the next slice of those that superseded any.

    `days` holds where `own` has nothing of a source; None is for ever. Returns the place behind the slice, None at the
    end, and how many of which source.
    """
    values = {"at": walk.stored_at, "article": walk.article_id, "number": walk.number, "limit": SLICE}
    with connection.cursor() as cursor:
        cursor.execute(_DROP_SUPERSEDED, values | _days(days, own))
        row: Any = cursor.fetchone()
    last, gone = row
    return Walk(last["stored_at"], last["article_id"], last["number"]) if last else None, gone


def old_inputs(connection: Connection, source: str, days: float) -> Old:
    """What `drop_inputs` would come to."""
    return _old(connection, _COUNT_INPUTS, {"source": source, "days": days})


def old_articles(connection: Connection, source: str, days: float) -> Old:
    """What `expire_articles` would come to."""
    return _old(connection, _COUNT_ARTICLES, {"source": source, "days": days})


def old_superseded(connection: Connection, source: str, days: float) -> Old:
    """What `drop_superseded` would come to, of one source."""
    return _old(connection, _COUNT_SUPERSEDED, {"source": source} | _days(days, {}))


def _old(connection: Connection, statement: LiteralString, values: Mapping[str, Any]) -> Old:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: Any = cursor.fetchone()
        return Old(*(int(number) for number in row))


def _days(days: float | None, own: Mapping[str, float | None]) -> dict[str, Any]:
    return {"days": days, "own": json.dumps([{"source": source, "days": of} for source, of in own.items()])}
