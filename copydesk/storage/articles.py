"""Tables article_head and revision: the articles and their texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from copydesk.models import Document, Hints, Json
from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_ADD_HEADS = """
insert into article_head (id, source, current_revision, changed_at, cluster_id)
select id, source, 1, greatest(now(), embargo_until), cluster_id
  from json_to_recordset(%s::json) as t(id uuid, source text, embargo_until timestamptz, cluster_id uuid) order by id
"""

# published_at is only filled where the text settles the instant: a clock time with an offset.
_ADD_REVISIONS = """
insert into revision (
       article_id, number, format, url, guid, name, language, title, section, published_text, published_at,
       zone_unknown, updated_text, publisher, authors, credits, dateline, rights, captions, corrections,
       body, pieces, encoding, warnings, rules_version, item_sha256, content_sha256, raw_sha256, meta, received_at,
       version, embargo_until, details, hints)
select article_id, number, format, url, guid, name, language, title, section, published_text, published_at,
       zone_unknown, updated_text, publisher, authors, credits, dateline, rights, captions, corrections,
       body, pieces, encoding, warnings, rules_version, item_sha256, content_sha256, raw_sha256, meta::json,
       received_at, version, embargo_until, details, hints::json
  from json_to_recordset(%s::json) as t(
       article_id uuid, number integer, format text, url text, guid text, name text, language text, title text,
       section text, published_text text, published_at timestamptz, zone_unknown boolean, updated_text text,
       publisher text, authors text[], credits jsonb, dateline text, rights text[], captions text[], corrections text[],
       body text[], pieces jsonb, encoding text, warnings text[], rules_version text, item_sha256 text,
       content_sha256 text, raw_sha256 text, meta text, received_at timestamptz, version text,
       embargo_until timestamptz, details jsonb, hints text)
"""

# What the rules decide; what the sender said stays. Cleaned again, a revision is the same revision.
_REWRITE = """
update revision r
   set (language, title, section, published_text, published_at, zone_unknown, updated_text, publisher, authors, credits,
        dateline, rights, captions, corrections, body, pieces, encoding, warnings, rules_version, content_sha256,
        details)
     = (t.language, t.title, t.section, t.published_text, t.published_at, t.zone_unknown, t.updated_text, t.publisher,
        t.authors, t.credits, t.dateline, t.rights, t.captions, t.corrections, t.body, t.pieces, t.encoding, t.warnings,
        t.rules_version, t.content_sha256, t.details)
  from json_to_recordset(%s::json) as t(
       article_id uuid, number integer, language text, title text, section text, published_text text,
       published_at timestamptz, zone_unknown boolean, updated_text text, publisher text, authors text[], credits jsonb,
       dateline text, rights text[], captions text[], corrections text[], body text[], pieces jsonb, encoding text,
       warnings text[], rules_version text, content_sha256 text, details jsonb)
 where r.article_id = t.article_id and r.number = t.number
"""

# Older news never overwrites newer: the caller names only revisions that are to be current.
_MAKE_CURRENT = """
update article_head h set current_revision = t.number, changed_at = greatest(now(), t.embargo_until), expired_at = null
  from (select * from json_to_recordset(%s::json) as r(article_id uuid, number integer, embargo_until timestamptz)
         order by article_id) t
 where h.id = t.article_id
"""

# Two writers may meet one article under two keys: numbers are given under this lock. A statement of its own, because
# a join that waited for the lock would still see the old revision.
_LOCK = "select id from article_head where id = any (%s::uuid[]) order by id for update"

# A deleted article has no revision.
_CURRENT = """
select h.id, coalesce((select max(number) from revision a where a.article_id = h.id), h.current_revision),
       h.current_revision, coalesce(r.content_sha256, ''), coalesce(r.received_at, h.stored_at), r.title,
       coalesce(r.body, '{}'), h.cluster_id::text, r.version, h.withdrawn_at is not null, d.reason,
       d.lifted_at is not null
  from article_head h
  left join revision r on r.article_id = h.id and r.number = h.current_revision
  left join deletion d on d.article_id = h.id
 where h.id = any (%s::uuid[]) and (r.number is not null or d.reason is not null)
"""

# Of a month: what a feed may still carry. Reads the source's articles of that time, so it is not for every poll.
_KNOWN_TITLES = """
select distinct r.title
  from article_head h join revision r on r.article_id = h.id and r.number = h.current_revision
 where h.source = %s and h.changed_at > now() - interval '31 days' and r.title = any (%s)
"""


@dataclass(frozen=True, slots=True)
class CurrentArticle:
    """What stands in an article's place now."""

    article_id: str
    last_number: int
    current_number: int
    content_sha256: str
    received_at: datetime
    title: str | None
    body: tuple[str, ...]
    cluster_id: str
    version: str | None = None
    is_withdrawn: bool = False
    deleted: str | None = None
    """Why it was deleted, None where it was not. A deleted one has neither title nor body."""
    is_lifted: bool = False
    """Deleted, and what comes of it again is stored anew: nothing belongs to it."""


@dataclass(frozen=True, slots=True)
class NewRevision:
    """A revision to write; `number` 1 is a new article."""

    article_id: str
    number: int
    is_current: bool
    source: str
    name: str | None
    document: Document
    raw_sha256: str
    meta: Json | None
    received_at: datetime
    cluster_id: str
    """The story that the article is a version of: the id of its first article."""
    hints: Hints | None = None
    """What its sender said of it beside name and address."""


def load_current(connection: Connection, article_ids: Sequence[str]) -> dict[str, CurrentArticle]:
    """Lock the articles that exist, deleted ones too, and return what stands in each."""
    if not article_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, (list(article_ids),))
        cursor.execute(_CURRENT, (list(article_ids),))
        return {
            str(row[0]): CurrentArticle(str(row[0]), row[1], row[2], row[3], row[4], row[5], tuple(row[6]), *row[7:])
            for row in cursor.fetchall()
        }


def write(connection: Connection, revisions: Sequence[NewRevision]) -> None:
    """Write new articles and revisions, in three statements whatever their number."""
    send(connection, _ADD_HEADS, [_head(r) for r in revisions if r.number == 1])
    send(connection, _ADD_REVISIONS, [_row(r) for r in revisions])
    newest = {r.article_id: r for r in revisions if r.is_current and r.number > 1}
    send(connection, _MAKE_CURRENT, [{"article_id": i, "number": r.number} | _embargo(r) for i, r in newest.items()])


def rewrite(connection: Connection, revisions: Sequence[NewRevision]) -> None:
    """Put another cleaning in the place of revisions; the caller holds the locks of their articles."""
    send(connection, _REWRITE, [_row(r) for r in revisions])


def _head(revision: NewRevision) -> Row:
    own = {"id": revision.article_id, "source": revision.source, "cluster_id": revision.cluster_id}
    return own | _embargo(revision)


def _embargo(revision: NewRevision) -> Row:
    end = revision.document.embargo_until
    return {"embargo_until": end.isoformat() if end else None}


def _row(revision: NewRevision) -> Row:
    document = revision.document
    row = document.model_dump(mode="json", exclude={"keys", "published_at", "updated_at"})
    published = document.published_at
    return row | {
        "article_id": revision.article_id,
        "number": revision.number,
        "name": revision.name,
        "published_text": published,
        "published_at": _instant(published) if published else None,
        "updated_text": document.updated_at,
        "raw_sha256": revision.raw_sha256,
        # As text: the row's own JSON would not let \u0000 through, and the sender's comes back untouched.
        "meta": None if revision.meta is None else json.dumps(revision.meta),
        "hints": revision.hints and revision.hints.model_dump_json(exclude_none=True),
        "received_at": revision.received_at.isoformat(),
    }


def _instant(stamp: str) -> str | None:
    """A stamp with an offset, in UTC as Postgres takes it; None for one without, or that is none."""
    try:
        moment = datetime.fromisoformat(stamp)
        return moment.astimezone(UTC).isoformat() if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def known_titles(connection: Connection, source: str, titles: Sequence[str]) -> set[str]:
    """Those of the titles that articles of the source have had in the last month."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_TITLES, (source, list(titles)))
        return {str(title) for (title,) in cursor.fetchall()}
