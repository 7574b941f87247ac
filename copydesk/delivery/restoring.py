"""Loads the likeness index from Postgres, which holds the truth, when Redis is new, was flushed or lost its end.

Whoever needs the index and finds it incomplete loads it; the others wait, so nothing is judged by half of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import structlog

from copydesk.dedupe.sketch import split_keys
from copydesk.delivery.settlement import article_id, id_from
from copydesk.errors import IndexIncomplete, RowRefused, SketchUnreadable
from copydesk.queue.entries import ArticleEntry, Incoming
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import ArticleStream
from copydesk.storage import connection as database
from copydesk.storage import sketches
from copydesk.storage.connection import Connection
from copydesk.storage.sketches import StoredSketch

log = structlog.get_logger(__name__)

# Redis works 20 ms on one call of so many.
AT_ONCE = 200

# Numbers that an index may have given in what it lost, and that writers still hold, are not given again.
NUMBERS_SKIPPED = 1 << 16


def ensure(
    index: LikenessIndex,
    stream: ArticleStream,
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
        if _is_ours(index, connection) and index.state().is_complete:
            return 0
        with _only_one(index) as token:
            # Looked at again: whoever had the lock before may have made it, and documents that are only on their way
            # to Postgres stand in it by now.
            is_ours = _is_ours(index, connection)
            if is_ours and index.state().is_complete:
                return 0
            return _load(
                index, stream, connection, token, now=now, window=window, on_progress=on_progress, anew=not is_ours
            )


def rebuild(
    index: LikenessIndex,
    stream: ArticleStream,
    connection: Connection,
    *,
    now: datetime,
    window: timedelta,
    on_progress: Callable[[], object] = lambda: None,
    anew: bool,
) -> int:
    """Load the window into the index, which stays in use, or into a new one, for which everybody waits.

    What is on its way through the stream is loaded too. Raises as `ensure`.
    """
    with _only_one(index) as token:
        return _load(index, stream, connection, token, now=now, window=window, on_progress=on_progress, anew=anew)


def _is_ours(index: LikenessIndex, connection: Connection) -> bool:
    with connection.transaction():
        return sketches.knows_run(connection, index.state().index_run)


@contextmanager
def _only_one(index: LikenessIndex) -> Iterator[str]:
    """Hold the right to load the index; yields the token that shows it."""
    token = uuid.uuid4().hex
    if not index.lock(token):
        raise IndexIncomplete("likeness index", "another process is loading it")
    try:
        yield token
    finally:
        index.unlock(token)


def _load(
    index: LikenessIndex,
    stream: ArticleStream,
    connection: Connection,
    token: str,
    *,
    now: datetime,
    window: timedelta,
    on_progress: Callable[[], object],
    anew: bool,
) -> int:
    state = index.state()
    first = id_from(now - window)
    with connection.transaction():
        count, highest = sketches.count_since(connection, first)
        begun = sketches.last_begun(connection)
    if anew:
        index.begin(now, expected=count)
    log.info("loading the likeness index", documents=count, anew=anew)
    loaded = 0

    def enter(numbered: Sequence[tuple[int, Keyed]]) -> None:
        nonlocal loaded
        index.load(numbered, now)
        loaded += len(numbered)
        on_progress()
        if not index.lock(token):
            raise IndexIncomplete("likeness index", "another process began to load it")

    # The stream before Postgres: what is stored between the two looks is found in Postgres.
    for batch in stream.unsettled(AT_ONCE):
        waiting = _on_their_way(batch)
        highest = max([highest, *(number for number, _ in waiting)])
        enter(waiting)
    with connection.transaction():
        above = -1 if anew or state.is_complete else state.number
        for rows in sketches.since(connection, first, above=above, at_once=AT_ONCE):
            enter(numbered(rows))
    last = max(highest, state.number)
    if anew or not state.is_complete:
        last = max(last, begun) + NUMBERS_SKIPPED
    with connection.transaction():
        sketches.note_run(connection, state.server_run, last)
    if not index.finish(token, state.server_run, last):
        raise IndexIncomplete("likeness index", "redis was started anew, or another process began to load it")
    log.info("the likeness index is complete", loaded=loaded)
    return loaded


def enter_late(index: LikenessIndex, stored: Sequence[Incoming], now: datetime) -> int:
    """Enter documents that were judged by an index that was lost since, now that they are stored; returns how many.

    Whoever loaded the index in between found them neither in Postgres nor, if Redis lost its end, in the stream.
    """
    if not any(each.epoch for each in stored):
        return 0
    epoch = index.state().epoch
    late = _on_their_way([each for each in stored if each.epoch != epoch])
    index.load(late, now)
    return len(late)


def _on_their_way(entries: Iterable[Incoming]) -> list[tuple[int, Keyed]]:
    found = []
    for incoming in entries:
        if not incoming.epoch or not incoming.sketch:
            continue
        try:
            entry = incoming.decode()
            keys, bare = split_keys(incoming.sketch)
        except (RowRefused, SketchUnreadable):
            continue
        if isinstance(entry, ArticleEntry) and entry.number and entry.is_indexed:
            found.append((entry.number, Keyed(Record(article_id(entry), entry.job.received_at, bare), keys)))
    return found


def numbered(rows: Iterable[StoredSketch]) -> list[tuple[int, Keyed]]:
    """Stored documents as the index is loaded with them; without those whose sketches are of another version."""
    found = []
    for row in rows:
        try:
            keys, bare = split_keys(row.data)
        except SketchUnreadable:
            continue
        found.append((row.number, Keyed(Record(row.document, row.received_at, bare), keys)))
    return found
