"""What likeness is judged by once more, and the joining of two stories: tables sketch and article_head.

Keys are looked up in a table of the session's own, so that judging a year of documents takes no memory of the process.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

# What a sighting of the same moment says is how a duplicate was told; one told by its name or text is no matter of
# likeness.
_COLUMNS = """
select s.document_id, s.received_at, s.data, h.id, h.cluster_id,
       exists (select from sighting g
                where g.article_id = s.article_id and g.seen_at = s.received_at and g.source = s.source
                  and g.relation <> 'exact')
  from sketch s left join article_head h on h.id = s.article_id
 where s.data is not null and s.is_settled
"""

_AFTER = _COLUMNS + " and s.document_id > %s::uuid order by s.document_id limit %s"

_FIND = _COLUMNS + " and s.document_id = any (%s::uuid[])"

# Those that a full Redis left without a number.
_UNJUDGED = _COLUMNS + " and s.number is null order by s.document_id limit %s"

_MAKE_HOLDERS = """
create temporary table if not exists holder (key bigint primary key, document_id uuid not null) on commit preserve rows
"""

_EMPTY_HOLDERS = "truncate holder"

_HOLDERS = "select key, document_id from holder where key = any (%s::bigint[])"

_HOLD = """
insert into holder (key, document_id) select * from unnest(%s::bigint[], %s::uuid[])
    on conflict (key) do update set document_id = excluded.document_id
"""

# Every article of the later story, so that the id stays that of the story's first article.
_JOIN = """
update article_head h set cluster_id = t.into_id
  from (select * from json_to_recordset(%s::json) as r(story_id uuid, into_id uuid) order by story_id) t
 where h.cluster_id = t.story_id
"""

_NUMBER = """
update sketch s set number = t.number
  from (select * from json_to_recordset(%s::json) as r(document_id uuid, number bigint) order by document_id) t
 where s.document_id = t.document_id and s.number is null
"""


class Told(NamedTuple):
    """A settled document, and what was made of it."""

    document: str
    received_at: datetime
    data: bytes
    """Its packed sketch."""
    article_id: str | None
    """The article that it became or duplicates, where that is stored."""
    story: str | None
    """The cluster of that article."""
    is_like: bool
    """Whether it is a duplicate by likeness, and not by its name or its exact text."""


def after(connection: Connection, document: str, limit: int) -> list[Told]:
    """Documents behind this one, in the order in which they were received."""
    return _told(connection, _AFTER, (document, limit))


def find(connection: Connection, documents: Collection[str]) -> dict[str, Told]:
    """These documents, as far as they are settled."""
    return {each.document: each for each in _told(connection, _FIND, (list(documents),))} if documents else {}


def unjudged(connection: Connection, limit: int) -> list[Told]:
    """Documents that likeness was not asked about, oldest first."""
    return _told(connection, _UNJUDGED, (limit,))


def make_holders(connection: Connection) -> None:
    """Make the session's own table of keys, empty."""
    connection.execute(_MAKE_HOLDERS)
    connection.execute(_EMPTY_HOLDERS)


def holders(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    """The newest document that holds each of these keys (unsigned, 64 bits)."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, ([_signed(key) for key in keys],))
        return {key % (1 << 64): str(document) for key, document in cursor.fetchall()}


def hold(connection: Connection, holders: Mapping[int, str]) -> None:
    """Note the newest document of each key."""
    connection.execute(_HOLD, ([_signed(key) for key in holders], list(holders.values())))


def join(connection: Connection, stories: Mapping[str, str]) -> None:
    """Make the articles of each story part of another one; no article, receipt or event changes beside that."""
    send(connection, _JOIN, [{"story_id": story, "into_id": into} for story, into in stories.items()])


def number(connection: Connection, numbers: Mapping[str, int]) -> None:
    """Note the places that the likeness index gave to documents that had none."""
    send(connection, _NUMBER, [{"document_id": document, "number": n} for document, n in numbers.items()])


def _told(connection: Connection, query: str, parameters: Sequence[object]) -> list[Told]:
    with connection.cursor() as cursor:
        cursor.execute(query.encode(), parameters)
        return [
            Told(str(document), moment, bytes(data), article and str(article), story and str(story), bool(is_like))
            for document, moment, data, article, story, is_like in cursor.fetchall()
        ]


def _signed(key: int) -> int:
    """As Postgres keeps 64 bits."""
    return key - (1 << 64) if key >> 63 else key
