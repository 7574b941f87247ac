"""One batch of stream entries in one Postgres transaction, a refused row cut out by bisection.

The caller opens the transaction and settles the entries after its commit. Locks are taken in one order everywhere:
raw inputs, identity keys, sketches, articles, receipts, jobs, feeds; rows of each sorted.
"""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from copydesk.delivery import following, records, settlement, withdrawal
from copydesk.delivery.progress import advance
from copydesk.delivery.settlement import Plan
from copydesk.errors import MissingInput, RowRefused
from copydesk.models import Outcome
from copydesk.queue.entries import ArticleEntry, CloseEntry, Incoming, OutcomeEntry
from copydesk.storage import (
    articles,
    dead_letters,
    deletions,
    feeds,
    identities,
    outbox,
    raws,
    receipts,
    sightings,
    sketches,
    withdrawals,
)
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.dead_letters import DeadLetter
from copydesk.storage.raws import Input
from copydesk.storage.receipts import JobCount, Receipt

Entry = ArticleEntry | OutcomeEntry | CloseEntry
Item = tuple[Incoming, ArticleEntry | OutcomeEntry]


@dataclass(slots=True)
class Written:
    """(job, item) of each new receipt, and of what is only counted."""

    receipts: set[tuple[str, str]] = field(default_factory=set)
    unchanged: set[tuple[str, str]] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)
    """Documents that came to no article, and may have followers."""
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of the new receipts, and of what is only counted."""


class Committed(NamedTuple):
    """What a transaction did, once it is committed: the jobs that it completed, and how items ended."""

    closed: list[str]
    outcomes: Counter[str]


log = structlog.get_logger(__name__)


def commit(connection: Connection, batch: Sequence[Incoming]) -> Committed:
    """Write a batch.

    Raises `DatabaseUnavailable`. An entry that cannot be read or that Postgres refuses becomes a dead letter.
    """
    entries: list[Entry] = []
    items: list[Item] = []
    unreadable: list[tuple[Incoming, RowRefused]] = []
    for incoming in batch:
        try:
            entry = incoming.decode()
        except RowRefused as error:
            unreadable.append((incoming, error))
            continue
        entries.append(entry)
        if not isinstance(entry, CloseEntry):
            items.append((incoming, entry))
    raws.add(connection, _inputs(items))
    written = Written()
    _write_or_bisect(connection, items, written)
    _judge_again(connection, written.lost)
    counts = settlement.job_counts(entries, written.receipts, written.unchanged)
    for incoming, reason in unreadable:
        counts += _bury_unreadable(connection, incoming, reason)
    written.outcomes[Outcome.DEAD.value] += len(unreadable)
    return Committed(_close(connection, settlement.together(counts)), written.outcomes)


def _inputs(items: Sequence[Item]) -> dict[str, Input]:
    """What the items brought; the same bytes from several sources belong to none of them."""
    found: dict[str, Input] = {}
    for incoming, entry in items:
        if incoming.raw and entry.raw_sha256:
            before = found.get(entry.raw_sha256)
            is_same = before is None or before.source == entry.job.source
            found[entry.raw_sha256] = Input(incoming.raw, entry.job.source if is_same else "")
    return found


def bury(connection: Connection, incoming: Incoming, reason: RowRefused) -> Committed:
    """Record an entry as dead without trying it."""
    dead = Counter({Outcome.DEAD.value: 1})
    try:
        entry = incoming.decode()
    except RowRefused as error:
        return Committed(_close(connection, _bury_unreadable(connection, incoming, error)), dead)
    inserted: set[tuple[str, str]] = set()
    if not isinstance(entry, CloseEntry):
        raws.add(connection, _inputs([(incoming, entry)]))
        inserted = _refuse(connection, incoming, entry, reason)
        _judge_again(connection, _lost(entry))
    return Committed(_close(connection, settlement.job_counts([entry], inserted)), dead if inserted else Counter())


def _close(connection: Connection, counts: Sequence[JobCount]) -> list[str]:
    """Count; where that completes the job of a feed, the feed's place moves in the same transaction."""
    closed = receipts.count(connection, counts)
    of_feeds = {count.id for count in counts if count.kind == "feed"}.intersection(closed)
    if of_feeds:
        advance(connection, sorted(of_feeds))
    return closed


def _write_or_bisect(connection: Connection, batch: Sequence[Item], written: Written) -> None:
    """Write the entries; where Postgres refuses a row, halve until it is alone. Adds to `written`."""
    if not batch:
        return
    try:
        with translated_errors("batch"), connection.transaction():  # a savepoint: the outer transaction goes on
            new = _write(connection, batch)
        written.receipts |= new.receipts
        written.unchanged |= new.unchanged
        written.lost += new.lost
        written.outcomes += new.outcomes
    except RowRefused as error:
        if len(batch) == 1:
            incoming, entry = batch[0]
            refused = _refuse(connection, incoming, entry, error)
            written.receipts |= refused
            written.outcomes[Outcome.DEAD.value] += len(refused)
            written.lost += _lost(entry)
            return
        half = len(batch) // 2
        _write_or_bisect(connection, batch[:half], written)
        _write_or_bisect(connection, batch[half:], written)


def _lost(entry: Entry) -> list[str]:
    return [settlement.article_id(entry)] if isinstance(entry, ArticleEntry) and entry.is_indexed else []


def _judge_again(connection: Connection, lost: Sequence[str]) -> None:
    """Judge the followers of documents that came to no article without them: the first one takes the leader's place.

    Their receipts were counted when they were first settled, so what is written here counts nothing.
    """
    while lost:
        again = Written()
        _write_or_bisect(connection, following.take_back(connection, lost), again)
        lost = again.lost


def give_up_leaders(connection: Connection, after_s: float) -> int:
    """Judge again without their leader what has waited for it for so long; returns how many leaders were given up."""
    lost = sketches.overdue_leaders(connection, after_s)
    _judge_again(connection, lost)
    return len(lost)


def _write(connection: Connection, batch: Sequence[Item]) -> Written:
    """Judge and write; returns what was not there before."""
    items = [item for _, item in batch]
    candidates = [e for e in items if isinstance(e, ArticleEntry)]
    ordered = [e for e in items if isinstance(e, OutcomeEntry) and e.withdrawal]
    wanted = withdrawal.wanted_keys(ordered) | settlement.wanted_keys(candidates)
    held = identities.take(connection, wanted)
    # Only now: a writer with the same entries has committed, or waits for the keys we hold.
    known = receipts.known(connection, [(e.job.id, e.item_id) for e in items])
    # A container that is not there any more was settled: this is its job delivered again.
    known |= receipts.opened(connection, [(e.job.id, e.item_id) for e in items if _is_missing(e)])
    fresh = _once(batch, known)
    new = [(i, e) for i, e in fresh if isinstance(e, ArticleEntry)]
    leaders = following.take(connection, new)
    involved = {state.article_id for state in held.values()} | {a for a in leaders.values() if a is not None}
    current = articles.load_current(connection, sorted(involved))
    stored = withdrawals.find(connection, [key for key in wanted if key.kind == "guid"])
    outcomes = [e for _, e in fresh if isinstance(e, OutcomeEntry) and not e.withdrawal]
    ordered = [e for _, e in fresh if isinstance(e, OutcomeEntry) and e.withdrawal]
    orders = withdrawal.add_orders(stored, ordered)
    plan = settlement.plan_articles([e for _, e in new], wanted, held, current, orders=orders, leaders=leaders)
    withdrawn = withdrawal.plan_orders(ordered, stored, orders, held, current)
    settlement.plan_outcomes(plan, outcomes, told=_told_before(connection, outcomes))
    _tell_once(connection, plan)
    articles.write(connection, plan.revisions)
    withdrawals.clear(connection, plan.shown_again)
    withdrawals.mark(connection, withdrawn.marks)
    withdrawals.keep(connection, withdrawn.orders)
    identities.hold(connection, plan.keys)
    identities.release(connection, plan.released)
    sightings.add(connection, plan.sightings)
    outbox.add(connection, plan.events + withdrawn.events)
    dead_letters.add(connection, plan.dead_letters)
    inserted = receipts.add(connection, plan.receipts + withdrawn.receipts)
    lost = following.settle(connection, plan, new)
    _drop_inputs(connection, plan.suppressed, [e for e in candidates if (e.job.id, e.item_id) in known])
    # Given up before it came here, but after it was numbered.
    lost += [settlement.article_id(e) for e in outcomes if e.outcome is Outcome.DEAD]
    told = plan.receipts + withdrawn.receipts
    ended = Counter(r.outcome.value for r in told if (r.ingest_id, r.item_id) in inserted)
    ended[Outcome.UNCHANGED.value] += len(plan.unchanged)
    return Written(inserted, set(plan.unchanged), lost, ended)


def _told_before(connection: Connection, outcomes: Sequence[OutcomeEntry]) -> set[tuple[str, str]]:
    rejected = {item for entry in outcomes if (item := settlement.feed_item(entry))}
    return rejected - feeds.reject(connection, sorted(rejected))


def _tell_once(connection: Connection, plan: Plan) -> None:
    """Each poll of a feed brings what was deleted of it again: the first time has a receipt, the others are counted."""
    items = {item for item, _ in plan.suppressed_again}
    fresh = feeds.reject(connection, sorted(items))
    for item, receipt in plan.suppressed_again:
        if item in fresh:
            plan.receipts.append(receipt)
        else:
            plan.unchanged.append((receipt.ingest_id, receipt.item_id))


def _drop_inputs(connection: Connection, suppressed: Sequence[ArticleEntry], again: Sequence[ArticleEntry]) -> None:
    """Do not keep what came of deleted articles, nor what was delivered again; a container holds others too."""
    deleted = deletions.settled(connection, [(e.job.id, e.item_id) for e in again])
    brought = [*suppressed, *(e for e in again if (e.job.id, e.item_id) in deleted)]
    raws.drop(connection, sorted({e.raw_sha256 for e in brought if e.item_id == e.parent_id}))


def _is_missing(entry: ArticleEntry | OutcomeEntry) -> bool:
    return isinstance(entry, OutcomeEntry) and entry.code == MissingInput().code


def _once(batch: Sequence[Item], known: set[tuple[str, str]]) -> list[Item]:
    """The entries without a receipt, each (job, item) once: a job read twice may stand twice in one batch."""
    fresh, seen = [], set(known)
    for incoming, entry in batch:
        item = (entry.job.id, entry.item_id)
        if item not in seen:
            seen.add(item)
            fresh.append((incoming, entry))
    return fresh


def _refuse(
    connection: Connection, incoming: Incoming, entry: ArticleEntry | OutcomeEntry, error: RowRefused
) -> set[tuple[str, str]]:
    """One dead letter with the whole entry, and the receipt that says so."""
    log.error("a row is refused", item_id=entry.item_id, job_id=entry.job.id, error=str(error)[:500])
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
        context=records.context_of(entry),
    )
    receipt = Receipt(
        entry.job.id,
        entry.item_id,
        entry.parent_id,
        entry.job.source,
        Outcome.DEAD,
        error.detail[:2000],
        error.code,
    )
    inserted = receipts.add(connection, [receipt])
    if inserted:
        dead_letters.add(connection, [letter])
    return inserted


def _bury_unreadable(connection: Connection, incoming: Incoming, error: RowRefused) -> list[JobCount]:
    """A dead letter with the entry as it came, and a receipt where at least its job and item can be read."""
    whose = incoming.whose()
    digest = None
    if incoming.raw:
        with contextlib.suppress(zlib.error):
            digest = hashlib.sha256(zlib.decompress(incoming.raw)).hexdigest()
            raws.add(connection, {digest: Input(incoming.raw, whose.job.source if whose else "")})
    job_id, item_id = (whose.job.id, whose.item_id) if whose else ("unreadable", incoming.stream_id)
    source = whose.job.source if whose else "unreadable"
    dead = Outcome.DEAD
    letter = DeadLetter(
        job_id,
        item_id,
        source,
        dead,
        "store",
        error.code,
        str(error),
        raw_sha256=digest,
        payload=incoming.payload,
    )
    if whose is None:
        dead_letters.add(connection, [letter])
        return []
    receipt = Receipt(job_id, item_id, whose.parent_id, source, dead, "an entry of another version", error.code)
    inserted = receipts.add(connection, [receipt])
    if inserted:
        dead_letters.add(connection, [letter])
    ref = whose.job
    return [JobCount(ref.id, ref.source, ref.kind, ref.origin, ref.received_at, done=len(inserted), total=None)]
