"""One batch of stream entries in one Postgres transaction, a refused row cut out by bisection.

The caller opens the transaction and settles the entries after its commit. Locks are taken in one order everywhere:
raw inputs, identity keys, articles, receipts, jobs; rows of each sorted.
"""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.delivery import settlement
from copydesk.errors import RowRefused
from copydesk.models import Outcome
from copydesk.queue.streams import ArticleEntry, CloseEntry, Incoming, OutcomeEntry
from copydesk.storage import articles, dead_letters, identities, outbox, raws, receipts, sightings
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.dead_letters import DeadLetter
from copydesk.storage.receipts import Receipt

Decoded = tuple[Incoming, ArticleEntry | OutcomeEntry | CloseEntry]


def commit(connection: Connection, batch: Sequence[Incoming]) -> list[str]:
    """Write a batch; returns the ids of the jobs that are now complete.

    Raises `DatabaseUnavailable`. An entry that cannot be read or that Postgres refuses becomes a dead letter.
    """
    decoded: list[Decoded] = []
    for incoming in batch:
        try:
            decoded.append((incoming, incoming.decode()))
        except RowRefused as error:
            _bury_unreadable(connection, incoming, error)
    raws.add(
        connection,
        {e.raw_sha256: i.raw for i, e in decoded if i.raw and not isinstance(e, CloseEntry) and e.raw_sha256},
    )
    inserted: set[tuple[str, str]] = set()
    _write_or_bisect(connection, [d for d in decoded if not isinstance(d[1], CloseEntry)], inserted)
    return receipts.count(connection, settlement.job_counts([entry for _, entry in decoded], inserted))


def bury(connection: Connection, incoming: Incoming, reason: RowRefused) -> list[str]:
    """Record an entry as dead without trying it; returns the ids of the jobs that are now complete."""
    try:
        entry = incoming.decode()
    except RowRefused as error:
        _bury_unreadable(connection, incoming, error)
        return []
    inserted: set[tuple[str, str]] = set()
    if not isinstance(entry, CloseEntry):
        inserted = _refuse(connection, incoming, entry, reason)
    return receipts.count(connection, settlement.job_counts([entry], inserted))


def _write_or_bisect(connection: Connection, batch: Sequence[Decoded], inserted: set[tuple[str, str]]) -> None:
    """Write the entries; where Postgres refuses a row, halve until it is alone. Adds to `inserted`."""
    if not batch:
        return
    try:
        with translated_errors("batch"), connection.transaction():  # a savepoint: the outer transaction goes on
            inserted |= _write(connection, [entry for _, entry in batch])
    except RowRefused as error:
        if len(batch) == 1:
            inserted |= _refuse(connection, batch[0][0], batch[0][1], error)
            return
        half = len(batch) // 2
        _write_or_bisect(connection, batch[:half], inserted)
        _write_or_bisect(connection, batch[half:], inserted)


def _write(connection: Connection, entries: Sequence[ArticleEntry | OutcomeEntry | CloseEntry]) -> set[tuple[str, str]]:
    """Judge and write; returns the (job, item) of the receipts that were not there before."""
    candidates = [e for e in entries if isinstance(e, ArticleEntry)]
    wanted = settlement.wanted_keys(candidates)
    held = identities.take(connection, wanted)
    # Only now: a writer with the same entries has committed, or waits for the keys we hold.
    known = receipts.known(connection, [(e.job.id, e.item_id) for e in entries if not isinstance(e, CloseEntry)])
    fresh = _once([e for e in entries if not isinstance(e, CloseEntry)], known)
    current = articles.load_current(connection, sorted({state.article_id for state in held.values()}))
    plan = settlement.plan_articles([e for e in fresh if isinstance(e, ArticleEntry)], wanted, held, current)
    settlement.plan_outcomes(plan, [e for e in fresh if isinstance(e, OutcomeEntry)])
    articles.write(connection, plan.revisions)
    identities.hold(connection, plan.keys)
    identities.release(connection, plan.released)
    sightings.add(connection, plan.sightings)
    outbox.add(connection, plan.events)
    dead_letters.add(connection, plan.dead_letters)
    return receipts.add(connection, plan.receipts)


def _once(
    entries: Sequence[ArticleEntry | OutcomeEntry], known: set[tuple[str, str]]
) -> list[ArticleEntry | OutcomeEntry]:
    """The entries without a receipt, each (job, item) once: a job read twice may stand twice in one batch."""
    fresh, seen = [], set(known)
    for entry in entries:
        item = (entry.job.id, entry.item_id)
        if item not in seen:
            seen.add(item)
            fresh.append(entry)
    return fresh


def _refuse(
    connection: Connection,
    incoming: Incoming,
    entry: ArticleEntry | OutcomeEntry | CloseEntry,
    error: RowRefused,
) -> set[tuple[str, str]]:
    """One dead letter with the whole entry, and the receipt that says so."""
    if isinstance(entry, CloseEntry):
        return set()
    letter = DeadLetter(
        entry.job.id,
        entry.item_id,
        entry.job.source,
        Outcome.DEAD,
        "store",
        error.code,
        str(error),
        raw_sha256=entry.raw_sha256,
        payload=incoming.payload,
    )
    with connection.transaction():
        dead_letters.add(connection, [letter])
        receipt = Receipt(
            entry.job.id,
            entry.item_id,
            entry.parent_id,
            entry.job.source,
            Outcome.DEAD,
            error.detail[:2000],
            error.code,
        )
        return receipts.add(connection, [receipt])


def _bury_unreadable(connection: Connection, incoming: Incoming, error: RowRefused) -> None:
    """An entry of which not even the job can be read: kept under its stream id."""
    letter = DeadLetter(
        "unreadable",
        incoming.stream_id,
        "unreadable",
        Outcome.DEAD,
        "store",
        error.code,
        str(error),
        payload=incoming.payload,
    )
    dead_letters.add(connection, [letter])
