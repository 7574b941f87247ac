"""Table deletion: articles that an operator has deleted, and what goes with them.

What comes of them again is kept out by delivery (suppression.py), by the keys and sketches that stay here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from copydesk.storage import raws
from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

# A writer takes this lock first, in a weaker mode: while it is held none comes to refer to an input that goes here. A
# deletion takes a few milliseconds.
_ALONE = "lock table raw in share row exclusive mode"

# The first deletion counts; one that was lifted may be made again.
_TOMBSTONE = """
insert into deletion as d (article_id, reason, deleted_by)
select id, %(reason)s, %(by)s from article_head where id = %(id)s for update
    on conflict (article_id) do update
   set reason = excluded.reason, deleted_by = excluded.deleted_by, deleted_at = now(), lifted_at = null,
       lifted_by = null
 where d.lifted_at is not null
returning article_id
"""

# Inputs that held this article alone: of an archive or a feed's body the other articles need it too, and those that are
# still to come.
_INPUTS = """
with came as (
    select v.raw_sha256, r.ingest_id, r.parent_id
      from revision v left join receipt r on r.article_id = v.article_id and r.revision = v.number
     where v.article_id = %(id)s
    union
    select s.raw_sha256, r.ingest_id, r.parent_id
      from sighting s left join receipt r on r.ingest_id = s.ingest_id and r.item_id = s.item_id
     where s.article_id = %(id)s)
select raw_sha256 from came c group by raw_sha256
having not bool_or(exists (select from receipt o where o.ingest_id = c.ingest_id and o.parent_id = c.parent_id
                                                   and o.article_id is distinct from %(id)s::uuid)
                   or exists (select from ingest i where i.id = c.ingest_id and i.closed_at is null))
"""

_TEXTS = "delete from revision where article_id = %(id)s"
_WORDS = "delete from article_text where article_id = %(id)s"

# Events that were never told, of an embargo that has not ended, are not told after the deletion.
_UNTOLD = "delete from outbox where position is null and article_id = %(id)s"

_TELL = """
insert into outbox (event, article_id, ingest_id, item_id)
select 'deleted', h.id, coalesce(r.ingest_id, ''), coalesce(r.item_id, '')
  from article_head h
  left join lateral (select ingest_id, item_id from receipt
                      where article_id = h.id and outcome = 'stored' limit 1) r on true
 where h.id = %(id)s
"""

_CHANGED = "update article_head set changed_at = now() where id = %(id)s"

_FIND = """
select d.article_id::text, h.source, d.reason, d.deleted_by, d.deleted_at, d.lifted_at, d.lifted_by
  from deletion d join article_head h on h.id = d.article_id where d.article_id = any (%s::uuid[])
 order by d.deleted_at
"""

_LIFT = """
update deletion set lifted_at = now(), lifted_by = %(by)s where article_id = %(id)s and lifted_at is null
"""

# So that a poll takes what it brings for new.
_FORGET_TOLD = """
delete from feed_reject f using receipt r
 where r.article_id = %(id)s and r.outcome = 'suppressed'
   and f.source = r.source and f.item_key = substr(r.item_id, length(r.parent_id) + 1)
"""

_SETTLED = """
select r.ingest_id, r.item_id
  from json_to_recordset(%s::json) as t(ingest_id text, item_id text)
  join receipt r on r.ingest_id = t.ingest_id and r.item_id = t.item_id
  join deletion d on d.article_id = r.article_id and d.lifted_at is null
"""

_COUNT = "select count(*) from deletion"


class Deletion(NamedTuple):
    """A tombstone. While `lifted_at` is null, what comes of the article again is not stored."""

    article: str
    source: str
    reason: str
    deleted_by: str
    deleted_at: datetime
    lifted_at: datetime | None
    lifted_by: str | None


def delete(connection: Connection, article_id: str, *, reason: str, by: str) -> Deletion | None:
    """Delete an article's revisions, words and inputs for good, and tell of it; None when there is no such article.

    Of one that is deleted already nothing changes. Needs a transaction of its own: it holds the writers up until that
    ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ALONE)
        cursor.execute(_TOMBSTONE, {"id": article_id, "reason": reason, "by": by})
        if cursor.rowcount:
            cursor.execute(_INPUTS, {"id": article_id})
            inputs = [str(sha256) for (sha256,) in cursor.fetchall()]
            for statement in (_TEXTS, _WORDS, _UNTOLD, _CHANGED, _TELL):
                cursor.execute(statement, {"id": article_id})
            raws.drop(connection, inputs)
    return find(connection, article_id)


def lift(connection: Connection, article_id: str, *, by: str) -> Deletion | None:
    """Let what comes of a deleted article again be stored, as an article of its own; None when it was not deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_LIFT, {"id": article_id, "by": by})
        if cursor.rowcount:
            cursor.execute(_FORGET_TOLD, {"id": article_id})
    return find(connection, article_id)


def find(connection: Connection, article_id: str) -> Deletion | None:
    """The tombstone of an article, None when it was not deleted."""
    return next(iter(among(connection, [article_id])), None)


def among(connection: Connection, article_ids: Sequence[str]) -> list[Deletion]:
    """The tombstones of those of the articles that were deleted, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (list(article_ids),))
        return [Deletion(*row) for row in cursor.fetchall()]


def settled(connection: Connection, items: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of (ingest id, item id) that ended in an article which is deleted now."""
    found = send(connection, _SETTLED, [{"ingest_id": a, "item_id": b} for a, b in items])
    return {(str(a), str(b)) for a, b in found}


def count(connection: Connection) -> int:
    """How many articles were deleted."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT)
        row = cursor.fetchone()
        return int(row[0]) if row else 0
