"""Loads the likeness index from Postgres, which holds the truth, when Redis is new, was flushed or lost its end.

Whoever needs the index and finds it incomplete loads it; the others wait, so nothing is judged by half of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from copydesk.dedupe.sketch import split_keys
from copydesk.delivery.settlement import id_from
from copydesk.errors import IndexIncomplete, SketchUnreadable
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.storage import connection as database
from copydesk.storage import sketches
from copydesk.storage.connection import Connection
from copydesk.storage.sketches import StoredSketch

log = structlog.get_logger(__name__)

# Redis works 20 ms on one call of so many.
AT_ONCE = 200


def ensure(
    index: LikenessIndex,
    postgres_url: str,
    *,
    now: datetime,
    window: timedelta,
    on_progress: Callable[[], object] = lambda: None,
) -> int:
    """Make the index complete if it is not; returns how many documents were loaded.

    Raises `IndexIncomplete` while somebody else loads it, `DependencyError`.
    """
    with (
        database.connect(postgres_url, deadline_s=600, name="copydesk likeness") as connection,
        database.translated_errors("likeness index"),
    ):
        with connection.transaction():
            is_ours = sketches.knows_run(connection, index.state().index_run)
        if is_ours and index.state().is_complete:
            return 0
        return rebuild(index, connection, now=now, window=window, on_progress=on_progress, anew=not is_ours)


def rebuild(
    index: LikenessIndex,
    connection: Connection,
    *,
    now: datetime,
    window: timedelta,
    on_progress: Callable[[], object] = lambda: None,
    anew: bool,
) -> int:
    """Load what the index lacks: all of the window into a new one, or what Postgres has above its last number.

    A complete index stays in use and is filled up with the window. Raises as `ensure`.
    """
    token = uuid.uuid4().hex
    if not index.lock(token):
        raise IndexIncomplete("likeness index", "another process is loading it")
    try:
        state = index.state()
        first = id_from(now - window)
        with connection.transaction():
            count, highest = sketches.count_since(connection, first)
        if anew:
            index.begin(now, expected=count)
        loaded = 0
        log.info("loading the likeness index", documents=count, anew=anew)
        with connection.transaction():
            for rows in sketches.since(
                connection, first, above=-1 if anew or state.is_complete else state.number, at_once=AT_ONCE
            ):
                index.load(_numbered(rows), now)
                loaded += len(rows)
                on_progress()
                index.lock(token)
        with connection.transaction():
            sketches.note_run(connection, state.server_run)
        if not index.finish(state.server_run, highest):
            raise IndexIncomplete("likeness index", "redis was started anew while it was loaded")
        log.info("the likeness index is complete", loaded=loaded)
        return loaded
    finally:
        index.unlock(token)


def _numbered(rows: list[StoredSketch]) -> list[tuple[int, Keyed]]:
    found = []
    for row in rows:
        try:
            keys, bare = split_keys(row.data)
        except SketchUnreadable:
            continue
        found.append((row.number, Keyed(Record(row.document, row.received_at, bare), keys)))
    return found
