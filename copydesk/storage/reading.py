"""Articles as they are read: one, a page of them, their revisions and where else they were seen.

A page is a keyset: it says where the next one begins, costs the same wherever it is, and neither repeats nor skips
an article when others are stored meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection

Fields = dict[str, Any]

# What a list shows of an article; the text, the pieces and the sender's JSON are read one at a time.
_LISTED: LiteralString = """
select a.id::text, a.source, a.revision, a.publisher, a.language, a.title, a.section, a.published_at, a.published_text,
       a.zone_unknown, a.updated_text, a.authors, a.dateline, a.rights, a.format, a.url, a.guid, a.name, a.warnings,
       a.received_at, a.stored_at, a.changed_at, h.position
  from article a join article_head h on h.id = a.id
"""

# And everything else, for an export.
_LISTED_WHOLE: LiteralString = _LISTED.replace(
    ", h.position",
    ", h.position, a.credits, a.text, a.captions, a.corrections, a.removed, a.meta, a.raw_sha256, a.rules_version",
)

_ONE = """
select id::text, source, revision, publisher, language, title, section, published_at, published_text, zone_unknown,
       updated_text, authors, credits, dateline, body, text, rights, captions, corrections, removed, format, url,
       guid, name, encoding, warnings, meta, raw_sha256, rules_version, received_at, stored_at, changed_at
  from article where id = %(id)s
"""

_REVISION = """
select r.article_id::text as id, h.source, r.number as revision, r.number = h.current_revision as is_current,
       r.publisher, r.language, r.title, r.section, r.published_at, r.published_text, r.zone_unknown, r.updated_text,
       r.authors, r.credits, r.dateline, r.body, array_to_string(r.body, E'\\n\\n') as text, r.rights, r.captions,
       r.corrections,
       (select coalesce(jsonb_agg(p order by n), '[]') from jsonb_array_elements(r.pieces) with ordinality as e(p, n)
         where p->>'kind' not in ('title', 'body')) as removed,
       r.format, r.url, r.guid, r.name, r.encoding, r.warnings, r.meta, r.raw_sha256, r.rules_version, r.received_at,
       r.stored_at
  from revision r join article_head h on h.id = r.article_id join article a on a.id = r.article_id
 where r.article_id = %(id)s and r.number = %(number)s
"""

_REVISIONS = """
select r.number as revision, r.number = h.current_revision as is_current, r.title, r.publisher, r.published_text,
       r.updated_text, r.raw_sha256, r.rules_version, r.received_at, r.stored_at
  from revision r join article_head h on h.id = r.article_id join article a on a.id = r.article_id
 where r.article_id = %(id)s
 order by r.number
 limit 1000
"""

_SIGHTINGS = """
select ingest_id as job, item_id as item, source, url, name, relation, scores, raw_sha256, seen_at
  from sighting where article_id = %(id)s
 order by seen_at, ingest_id, item_id
 limit 1000
"""

# What a reader is to forget, between two positions: the index is not read further than the page of articles.
_GONE = """
select h.id::text, h.source, case when d.article_id is null then 'withdrawn' else 'deleted' end as event,
       coalesce(d.reason, h.withdrawn_reason) as reason, coalesce(d.deleted_at, h.withdrawn_at) as at, h.position
  from article_head h left join deletion d on d.article_id = h.id
 where h.position > %(position)s and h.position <= %(until)s
   and (d.article_id is not null or h.withdrawn_at is not null)
   and (%(source)s::text is null or h.source = %(source)s)
 order by h.position limit %(limit)s
"""

_LAST_POSITION = 2**63 - 1

_CONDITIONS: Mapping[str, LiteralString] = {
    "source": "a.source = %(source)s",
    "language": "a.language = %(language)s",
    "publisher": "a.publisher = %(publisher)s",
    "url": "a.url = %(url)s",
    "published_from": "a.published_at >= %(published_from)s",
    "published_to": "a.published_at < %(published_to)s",
    "received_from": "a.received_at >= %(received_from)s",
    "received_to": "a.received_at < %(received_to)s",
    "before": "h.id < %(before)s::uuid",
    "position": "h.position > %(position)s",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles a list shows; None is any. Times are inclusive at `from`, exclusive at `to`."""

    source: str | None = None
    language: str | None = None
    publisher: str | None = None
    url: str | None = None
    published_from: datetime | None = None
    published_to: datetime | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None


class Changes(NamedTuple):
    """What changed behind a position: articles as they are now, and those that are not to be shown any more."""

    articles: list[Fields]
    gone: list[Fields]
    next: int


def article(connection: Connection, article_id: str) -> Fields | None:
    """The current revision of an article with what was removed from it; None when there is none."""
    return next(iter(_rows(connection, _ONE, {"id": article_id})), None)


def revision(connection: Connection, article_id: str, number: int) -> Fields | None:
    """One revision of an article with what was removed from it; None when there is none."""
    return next(iter(_rows(connection, _REVISION, {"id": article_id, "number": number})), None)


def revisions(connection: Connection, article_id: str) -> list[Fields]:
    """The revisions of an article, oldest first, at most 1,000; [] when there is no article."""
    return _rows(connection, _REVISIONS, {"id": article_id})


def sightings(connection: Connection, article_id: str) -> list[Fields]:
    """Where else an article was seen, oldest first, at most 1,000."""
    return _rows(connection, _SIGHTINGS, {"id": article_id})


def newest(connection: Connection, filters: Filters, *, before: str | None, limit: int) -> list[Fields]:
    """Articles by id, newest first: ids begin with the time of receipt. `before` is the last id of the page before."""
    return _rows(connection, *_listing(filters, {"before": before}, order="h.id desc", limit=limit))


def changed_since(
    connection: Connection, filters: Filters, *, position: int, limit: int, whole: bool = False
) -> list[Fields]:
    """Articles whose content changed behind a position, in the order of their latest change.

    A change is seen once it is numbered (`outbox.number`), so nothing appears at or below a position already read.
    `whole` adds the text and all else that lists leave out.
    """
    columns = _LISTED_WHOLE if whole else _LISTED
    return _rows(
        connection, *_listing(filters, {"position": position}, order="h.position", limit=limit, columns=columns)
    )


def changes(connection: Connection, filters: Filters, *, position: int, limit: int) -> Changes:
    """The next changes behind a position: up to `limit` articles, and as many that were deleted or withdrawn.

    Of the filters only `source` holds for what is gone: nothing else is known of it any more.
    """
    articles = changed_since(connection, filters, position=position, limit=limit)
    until = articles[-1]["position"] if len(articles) == limit else _LAST_POSITION
    asked = {"position": position, "until": until, "source": filters.source, "limit": limit}
    gone = _rows(connection, _GONE, asked)
    if len(gone) == limit:
        until = gone[-1]["position"]
        articles = [row for row in articles if row["position"] <= until]
    seen = [row["position"] for row in (*articles, *gone)]
    return Changes(articles, gone, max(seen, default=position))


def _listing(
    filters: Filters, start: Mapping[str, Any], *, order: LiteralString, limit: int, columns: LiteralString = _LISTED
) -> tuple[LiteralString, dict[str, Any]]:
    asked = {name: value for name, value in {**asdict(filters), **start}.items() if value is not None}
    where: LiteralString = " and ".join(_CONDITIONS[name] for name in asked) or "true"
    return f"{columns} where {where} order by {order} limit %(limit)s", {**asked, "limit": limit}


def _rows(connection: Connection, query: LiteralString, values: Mapping[str, Any]) -> list[Fields]:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(query, values)
        return cursor.fetchall()
