"""Tables sketch, follower and likeness_run: what likeness is judged by, and where each document went."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

# A stub that a follower left behind becomes whole; a document delivered again changes nothing.
_ADD = """
insert into sketch as s (document_id, number, source, received_at, article_id, is_settled, data)
select document_id, number, source, received_at, document_id, true, decode(data, 'hex')
  from json_to_recordset(%s::json) as t(
       document_id uuid, number bigint, source text, received_at timestamptz, data text)
 order by document_id
    on conflict (document_id) do update
   set number = excluded.number, source = excluded.source, received_at = excluded.received_at,
       article_id = excluded.article_id, is_settled = true, data = excluded.data
 where not s.is_settled
"""

# Taken by whoever settles the leader as well: of the two transactions, one sees what the other wrote. The update that
# changes nothing is there for its lock, on a stub that another follower left.
_EXPECT = """
insert into sketch as s (document_id, is_settled)
select id, false from unnest(%s::uuid[]) as t(id) order by id
    on conflict (document_id) do update set is_settled = false where not s.is_settled
"""

_FIND = "select document_id, article_id from sketch where document_id = any (%s::uuid[]) and is_settled"

_LOCK = "select document_id from sketch where document_id = any (%s::uuid[]) order by document_id for update"

_REDRAW = """
update sketch s set data = decode(t.data, 'hex')
  from json_to_recordset(%s::json) as t(document_id uuid, data text)
 where s.document_id = t.document_id and s.data is not null and s.number is not null
returning s.document_id, s.number, s.received_at
"""

_PLACE = """
update sketch s set article_id = t.article_id, is_settled = true
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid)
 where s.document_id = t.document_id and s.article_id is distinct from t.article_id
"""

# What followers were told before their leader was settled, put right: each of these names the leader's document.
_MOVE_SIGHTINGS = """
update sighting s set article_id = t.article_id
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid) where s.article_id = t.document_id
"""
_MOVE_RECEIPTS = """
update receipt r set article_id = t.article_id
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid) where r.article_id = t.document_id
"""
_MOVE_EVENTS = """
update outbox o set article_id = t.article_id
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid), follower f
 where f.leader_id = t.document_id and o.ingest_id = f.ingest_id and o.item_id = f.item_id
"""
_MOVE_SKETCHES = """
update sketch s set article_id = t.article_id
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid)
 where s.article_id = t.document_id and s.document_id <> t.document_id
"""
_MOVE_CLUSTERS = """
update article_head h set cluster_id = t.cluster_id
  from json_to_recordset(%s::json) as t(document_id uuid, cluster_id uuid)
 where h.cluster_id = t.document_id and h.id <> t.document_id
"""
_MOVE_FOLLOWERS = """
update follower f set leader_id = t.article_id
  from json_to_recordset(%s::json) as t(document_id uuid, article_id uuid) where f.leader_id = t.document_id
"""

_KEEP = """
insert into follower (leader_id, ingest_id, item_id, payload, data) values (%s, %s, %s, %s, %s)
    on conflict (ingest_id, item_id) do nothing
"""

_LET_GO = "delete from follower where leader_id = any (%s::uuid[])"

_TAKE_BACK = """
with gone as (
    delete from follower where leader_id = any (%s::uuid[]) returning ingest_id, item_id, payload, data),
     receipts as (
    delete from receipt r using gone g where r.ingest_id = g.ingest_id and r.item_id = g.item_id),
     sightings as (
    delete from sighting s using gone g where s.ingest_id = g.ingest_id and s.item_id = g.item_id),
     events as (
    delete from outbox o using gone g where o.ingest_id = g.ingest_id and o.item_id = g.item_id)
select payload, data from gone order by ingest_id, item_id
"""

_BURY = """
insert into sketch as s (document_id, is_settled) select id, true from unnest(%s::uuid[]) as t(id) order by id
    on conflict (document_id) do update set is_settled = true, article_id = null where not s.is_settled
"""

_OVERDUE = "select distinct leader_id from follower where since < now() - make_interval(secs => %s) limit 100"

# A document's id begins with when it was received, so the primary key serves the window too. The stubs have no data,
# and those without a number are entered once they are judged.
_SINCE = """
select document_id, number, received_at, data from sketch
 where document_id >= %s::uuid and data is not null and number > %s
 order by document_id
"""

_COUNT_SINCE = "select count(number), coalesce(max(number), 0) from sketch where document_id >= %s::uuid"

_LOAD = "select data from sketch where document_id = %s::uuid"

_KNOWS_RUN = "select exists (select from likeness_run where run = %s)"

_NOTE_RUN = """
insert into likeness_run (run, number) values (%s, %s)
    on conflict (run) do update set complete_at = now(), number = excluded.number
"""

_LAST_BEGUN = "select coalesce(max(number), 0) from likeness_run"


class StoredSketch(NamedTuple):
    """What the likeness index is loaded with."""

    document: str
    number: int
    received_at: datetime
    data: bytes


class Move(NamedTuple):
    """A document that did not become the article that was expected of it, or not one of a story of its own."""

    document: str
    article_id: str
    cluster_id: str


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert documents as if each had become an article; keys are the columns, `data` in hex."""
    send(connection, _ADD, rows)


def expect(connection: Connection, documents: Collection[str]) -> None:
    """Note documents that are not settled yet and have followers: whoever settles them waits for this transaction."""
    if documents:
        connection.execute(_EXPECT, (list(documents),))


def find(connection: Connection, documents: Collection[str]) -> dict[str, str | None]:
    """The article of each document that is settled, None for one that came to no article."""
    if not documents:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND, (list(documents),))
        return {str(document): article and str(article) for document, article in cursor.fetchall()}


def place(connection: Connection, places: Mapping[str, str | None]) -> None:
    """Say which article each document came to."""
    send(connection, _PLACE, [{"document_id": d, "article_id": a} for d, a in places.items()])


def move(connection: Connection, moves: Sequence[Move]) -> None:
    """Put right what was said of the followers of documents that became no article of their own."""
    moved = [{"document_id": m.document, "article_id": m.article_id} for m in moves if m.article_id != m.document]
    for statement in (_MOVE_SIGHTINGS, _MOVE_RECEIPTS, _MOVE_EVENTS, _MOVE_SKETCHES, _MOVE_FOLLOWERS):
        send(connection, statement, moved)
    send(connection, _MOVE_CLUSTERS, [{"document_id": m.document, "cluster_id": m.cluster_id} for m in moves])


def redraw(connection: Connection, drawn: Mapping[str, bytes]) -> list[StoredSketch]:
    """Put other sketches in the place of documents'; returns those that the index can have."""
    if not drawn:
        return []
    connection.execute(_LOCK, (list(drawn),))
    found = send(connection, _REDRAW, [{"document_id": d, "data": data.hex()} for d, data in drawn.items()])
    return [StoredSketch(str(d), n, received_at, drawn[str(d)]) for d, n, received_at in found]


def keep_follower(
    connection: Connection, leader: str, ingest_id: str, item_id: str, *, payload: bytes, data: bytes | None
) -> None:
    """Keep a whole entry until its leader is settled."""
    connection.execute(_KEEP, (leader, ingest_id, item_id, payload, data))


def let_go(connection: Connection, leaders: Sequence[str]) -> None:
    """Followers of these need not be kept: their leader is an article."""
    if leaders:
        connection.execute(_LET_GO, (list(leaders),))


def take_back(connection: Connection, leaders: Sequence[str]) -> list[tuple[bytes, bytes | None]]:
    """Undo how the followers of these ended; returns (payload, sketch) of each, to be judged again."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_BACK, (list(leaders),))
        return [(bytes(payload), None if data is None else bytes(data)) for payload, data in cursor.fetchall()]


def bury(connection: Connection, documents: Sequence[str]) -> None:
    """Note documents that came to no article."""
    if documents:
        connection.execute(_BURY, (list(documents),))


def overdue_leaders(connection: Connection, after_s: float) -> list[str]:
    """Documents that followers have waited for too long."""
    with connection.cursor() as cursor:
        cursor.execute(_OVERDUE, (after_s,))
        return [str(row[0]) for row in cursor.fetchall()]


def load(connection: Connection, document: str) -> bytes | None:
    """The packed sketch of a document; an article's id is that of its first document."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, (document,))
        row = cursor.fetchone()
        return None if row is None or row[0] is None else bytes(row[0])


def count_since(connection: Connection, first: str) -> tuple[int, int]:
    """(documents from this id on, the highest number among them)."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_SINCE, (first,))
        row = cursor.fetchone()
        return (int(row[0]), int(row[1])) if row else (0, 0)


def since(connection: Connection, first: str, *, above: int, at_once: int) -> Iterator[list[StoredSketch]]:
    """Documents from this id on whose number is above `above`, in slices. Needs an open transaction."""
    with connection.cursor("sketches") as cursor:
        cursor.itersize = at_once
        cursor.execute(_SINCE, (first, above))
        while rows := cursor.fetchmany(at_once):
            yield [StoredSketch(str(d), n, received_at, bytes(data)) for d, n, received_at, data in rows]


def knows_run(connection: Connection, run: str) -> bool:
    """Whether the index was made complete for this start of Redis from this database."""
    with connection.cursor() as cursor:
        cursor.execute(_KNOWS_RUN, (run,))
        row = cursor.fetchone()
        return bool(row and row[0])


def note_run(connection: Connection, run: str, number: int) -> None:
    """Remember that the index was made complete for this start of Redis, and counts on from `number`."""
    connection.execute(_NOTE_RUN, (run, number))


def last_begun(connection: Connection) -> int:
    """The highest number that an index ever counted on from."""
    with connection.cursor() as cursor:
        cursor.execute(_LAST_BEGUN)
        row = cursor.fetchone()
        return int(row[0]) if row else 0
