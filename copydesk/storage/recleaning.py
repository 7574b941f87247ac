"""What cleaning again reads: articles with the rules' part in them, and where their inputs are."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from datetime import datetime
from typing import Any

from copydesk.models import Json
from copydesk.storage.connection import Connection

# The receipt says which item of which job the revision came from.
_SLICE = """
select h.id::text, h.source, h.current_revision, h.withdrawn_at is not null, r.raw_sha256, r.item_sha256,
       r.content_sha256, r.received_at, r.name, r.url, r.guid, r.hints, r.embargo_until,
       coalesce(t.ingest_id, ''), coalesce(t.item_id, ''), r.rules_version, r.title, r.section, r.published_text,
       r.updated_text, r.publisher, r.authors, r.credits, r.dateline, r.rights, r.captions, r.corrections, r.body,
       r.details, r.language, r.zone_unknown, r.pieces, r.warnings, r.encoding
  from article_head h
  join revision r on r.article_id = h.id and r.number = h.current_revision
  left join lateral (select ingest_id, item_id from receipt
                      where article_id = h.id and revision = h.current_revision and outcome in ('stored', 'revised')
                      order by recorded_at limit 1) t on true
 where h.id > %(after)s::uuid and (%(source)s::text is null or h.source = %(source)s) and h.expired_at is null
 order by h.id limit %(limit)s
"""

_COUNT = """
select count(*) from article_head h
 where h.id > %(after)s::uuid and (%(source)s::text is null or h.source = %(source)s) and h.expired_at is null
"""

FIELDS = (
    *("title", "section", "published_at", "updated_at", "publisher", "authors", "credits", "dateline", "rights"),
    *("captions", "corrections", "body", "details", "language", "zone_unknown", "pieces", "warnings", "encoding"),
)
"""What the rules decide, by its name in `Document`; the last columns of a slice."""


@dataclass(frozen=True, slots=True)
class StoredArticle:
    """An article's current revision, and what is needed to make it again."""

    article_id: str
    source: str
    revision: int
    is_withdrawn: bool
    raw_sha256: str
    item_sha256: str
    content_sha256: str
    received_at: datetime
    name: str | None
    url: str | None
    guid: str | None
    hints: Json | None
    embargo_until: datetime | None
    ingest_id: str
    item_id: str
    rules_version: str
    fields: dict[str, Any]
    """By `FIELDS`, as JSON has them."""


_OWN = tuple(each.name for each in dataclass_fields(StoredArticle))[:-1]


def articles_after(connection: Connection, after: str, source: str | None, limit: int) -> list[StoredArticle]:
    """The next articles behind an id, in the order of their ids."""
    with connection.cursor() as cursor:
        cursor.execute(_SLICE, {"after": after, "source": source, "limit": limit})
        found = cursor.fetchall()
    own = len(_OWN)
    return [
        StoredArticle(**dict(zip(_OWN, row[:own], strict=True)), fields=dict(zip(FIELDS, row[own:], strict=True)))
        for row in found
    ]


def count_after(connection: Connection, after: str, source: str | None) -> int:
    """How many articles lie behind an id."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"after": after, "source": source})
        row = cursor.fetchone()
        return int(row[0]) if row else 0
