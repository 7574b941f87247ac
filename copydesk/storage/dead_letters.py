"""Table dead_letter: what could not be carried to a row, with its bytes, and what became of it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, LiteralString

from psycopg.rows import dict_row

from copydesk.models import Json, Outcome
from copydesk.storage.connection import Connection

_ADD = """
insert into dead_letter (ingest_id, item_id, source, outcome, stage, code, reason, trace, raw_sha256, payload,
                         context)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (ingest_id, item_id) do nothing
"""


_WHICH: LiteralString = """
       (%(ids)s::bigint[] is null or id = any (%(ids)s)) and (%(code)s::text is null or code = %(code)s)
   and (%(source)s::text is null or source = %(source)s) and (%(outcome)s::text is null or outcome = %(outcome)s)
"""

_PAGE: LiteralString = """
select id, ingest_id as job, item_id as item, source, outcome, stage, code, reason, trace, raw_sha256, context,
       resolution, note, replay_id, recorded_at, resolved_at
  from dead_letter
"""
_NEWEST: LiteralString = "order by id desc limit %(limit)s"

_CAUSES = """
select code, outcome, count(*) as letters, min(recorded_at) as first_at, max(recorded_at) as last_at,
       (array_agg(reason order by id desc))[1] as reason
  from dead_letter where resolution is null group by code, outcome order by letters desc, code
"""

_RESOLVE: LiteralString = """
update dead_letter set resolution = %(resolution)s, note = %(note)s, resolved_at = now()
"""

_ASKED = """
select id, ingest_id, item_id, source, raw_sha256, context, replay_id from dead_letter
 where resolution = 'asked' order by id limit %s for update skip locked
"""

_REPLAYED = """
update dead_letter set resolution = 'replayed', replay_id = %(replay)s, resolved_at = now() where id = %(id)s
"""

# Those without a traceback: an error of our code comes again. None that is itself what became of a replay.
_ASK_PASSING = """
update dead_letter d
   set resolution = 'asked', note = 'by itself: the machine may have been short of time or memory', resolved_at = now()
 where resolution is null and code = any (%(codes)s) and trace is null and raw_sha256 is not null
   and context is not null and recorded_at < now() - make_interval(secs => %(after_s)s)
   and not exists (select 1 from dead_letter before where before.replay_id = d.ingest_id)
"""

_IMPOSSIBLE = """
update dead_letter set resolution = 'impossible', note = %(why)s, resolved_at = now() where id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One item that did not become a row. `payload` is the stream entry where there is no other copy."""

    ingest_id: str
    item_id: str
    source: str
    outcome: Outcome
    stage: str
    code: str
    reason: str
    trace: str | None = None
    raw_sha256: str | None = None
    payload: bytes | None = None
    context: Json | None = None
    """kind, origin, parent_id, received_at, hints and meta of the item, as its job had them."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which letters are meant; None is any. Only those that nobody has dealt with, unless `ids` names them."""

    ids: tuple[int, ...] | None = None
    code: str | None = None
    source: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A letter that somebody wants to be carried again."""

    id: int
    ingest_id: str
    item_id: str
    source: str
    raw_sha256: str | None
    context: Json | None
    replay_id: str | None
    """The job that carried it again before, if it was asked for before."""


def page(
    connection: Connection, chosen: Chosen, *, before: int | None, limit: int, resolved: bool
) -> list[dict[str, Any]]:
    """Letters, newest first, without their payload; `resolved` adds those that somebody has dealt with."""
    where: LiteralString = "true" if resolved or chosen.ids is not None else "resolution is null"
    statement = f"{_PAGE} where {_WHICH} and {where} and (%(before)s::bigint is null or id < %(before)s) {_NEWEST}"
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement, {**_values(chosen), "before": before, "limit": limit})
        return cursor.fetchall()


def causes(connection: Connection) -> list[dict[str, Any]]:
    """How many open letters there are of each code, with the newest reason; the most first."""
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_CAUSES)
        return cursor.fetchall()


def ask_replay(connection: Connection, chosen: Chosen) -> int:
    """Mark letters to be carried again; returns how many. Those that were dealt with are asked for again by id only."""
    return _resolve(connection, chosen, "asked", None)


def ask_passing(connection: Connection, codes: Sequence[str], *, after_s: float) -> int:
    """Mark letters of such causes that are this old to be carried again, each once; returns how many."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_ASK_PASSING, {"codes": list(codes), "after_s": after_s})
        return cursor.rowcount


def discard(connection: Connection, chosen: Chosen, reason: str) -> int:
    """Mark letters as never to be carried again; they stay, with the reason. Returns how many."""
    return _resolve(connection, chosen, "discarded", _printable(reason))


def asked(connection: Connection, limit: int) -> list[Asked]:
    """The oldest letters that are asked for, locked until the transaction ends; those in other hands are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, (limit,))
        return [Asked(*row) for row in cursor.fetchall()]


def replayed(connection: Connection, letter_id: int, replay_id: str) -> None:
    """A letter is on its way again, as a job."""
    with connection.cursor() as cursor:
        cursor.execute(_REPLAYED, {"id": letter_id, "replay": replay_id})


def impossible(connection: Connection, letter_id: int, why: str) -> None:
    """A letter cannot be carried again."""
    with connection.cursor() as cursor:
        cursor.execute(_IMPOSSIBLE, {"id": letter_id, "why": why})


def _resolve(connection: Connection, chosen: Chosen, resolution: str, note: str | None) -> int:
    where: LiteralString = "true" if chosen.ids is not None else "resolution is null"
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            f"{_RESOLVE} where {_WHICH} and {where}", {**_values(chosen), "resolution": resolution, "note": note}
        )
        return cursor.rowcount


def _values(chosen: Chosen) -> dict[str, Any]:
    return {**asdict(chosen), "ids": None if chosen.ids is None else list(chosen.ids)}


def add(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Insert dead letters; texts lose what Postgres refuses in a text, the payload keeps every byte."""
    rows = [
        (
            _printable(letter.ingest_id),
            _printable(letter.item_id),
            _printable(letter.source),
            letter.outcome.value,
            letter.stage,
            letter.code,
            _printable(letter.reason),
            None if letter.trace is None else _printable(letter.trace),
            letter.raw_sha256,
            letter.payload,
            None if letter.context is None else json.dumps(letter.context),
        )
        # In one order, so that two writers with the same letters wait for each other and not in a circle.
        for letter in sorted(letters, key=lambda each: (each.ingest_id, each.item_id))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)


def _printable(text: str) -> str:
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
