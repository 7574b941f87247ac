"""Plans what one batch of stream entries changes in Postgres. Pure: the writer reads before and writes after."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from copydesk.dedupe.identity import VERSIONED, judge
from copydesk.delivery import placement, records, suppression, withdrawal
from copydesk.delivery.placement import Leaders, Place
from copydesk.models import Held, IdentityKey, Outcome, Verdict
from copydesk.queue.entries import ArticleEntry, CloseEntry, JobRef, OutcomeEntry
from copydesk.storage.articles import CurrentArticle, NewRevision
from copydesk.storage.dead_letters import DeadLetter
from copydesk.storage.identities import KeyState
from copydesk.storage.receipts import JobCount, Receipt
from copydesk.storage.rows import Row
from copydesk.storage.withdrawals import Order

Keys = Mapping[IdentityKey, KeyState]


@dataclass(slots=True)
class Plan:
    """Everything one transaction writes, in the order of the tables."""

    revisions: list[NewRevision] = field(default_factory=list)
    keys: dict[IdentityKey, KeyState] = field(default_factory=dict)
    """Keys whose holder is not the one that the table has."""
    released: list[IdentityKey] = field(default_factory=list)
    """Keys taken for documents that came to hold none."""
    sightings: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    unchanged: list[tuple[str, str]] = field(default_factory=list)
    """(job, item) of what a feed brought as it was: only counted, since each poll brings most of it again."""
    shown_again: list[str] = field(default_factory=list)
    """Withdrawn articles of which a later version is usable."""
    places: dict[str, Place | None] = field(default_factory=dict)
    """Where each document that others may be like went, None for nowhere."""
    waiting: list[tuple[str, ArticleEntry]] = field(default_factory=list)
    """Documents whose article is to be that of one that is not settled yet, with that one."""
    suppressed: list[ArticleEntry] = field(default_factory=list)
    """What belongs to deleted articles: nothing of it is to be kept."""
    suppressed_again: list[tuple[tuple[str, str], Receipt]] = field(default_factory=list)
    """Of those, items of feeds that came as they were, by (source, item key): each poll brings them again."""


def article_id(entry: ArticleEntry | OutcomeEntry) -> str:
    """The id that the entry's article gets if it is new: the same however often the entry is delivered.

    Laid out as UUIDv8 (RFC 9562): 48 bits of received_at in milliseconds, so that new rows fall at the end of the
    index, then a hash of job and item.
    """
    return document_id(entry.job.id, entry.item_id, entry.job.received_at)


def document_id(job_id: str, item_id: str, received_at: datetime) -> str:
    """The same from what the rows say."""
    digest = hashlib.sha256(f"{job_id}\n{item_id}".encode("utf-8", "surrogatepass")).digest()
    return _uuid8(received_at, int.from_bytes(digest[:10], "big"))


def id_from(moment: datetime) -> str:
    """The lowest id of an article that was received at this moment or later."""
    return _uuid8(moment, 0)


def _uuid8(moment: datetime, rest: int) -> str:
    bits = ((int(moment.timestamp() * 1000) & (2**48 - 1)) << 80) | rest
    bits = bits & ~(0xF << 76) | (0x8 << 76)
    bits = bits & ~(0x3 << 62) | (0x2 << 62)
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def wanted_keys(entries: Iterable[ArticleEntry]) -> dict[IdentityKey, KeyState]:
    """Every key of a batch with the first entry that has it, as if that entry's article were new."""
    wanted: dict[IdentityKey, KeyState] = {}
    for entry in entries:
        own = article_id(entry)
        for key in entry.document.keys:
            wanted.setdefault(key, KeyState(own, owned=True, item_sha256=entry.document.item_sha256))
    return wanted


def plan_articles(
    entries: Sequence[ArticleEntry],
    wanted: Keys,
    held: Keys,
    current: Mapping[str, CurrentArticle],
    *,
    orders: Mapping[IdentityKey, Order] = MappingProxyType({}),
    leaders: Leaders | None = None,
) -> Plan:
    """Judge the entries one after the other, each in the light of those before it.

    `wanted` are all keys of the batch, `held` those that an article held before; the table now has the others as
    wanted. `current` is what stands in the articles that hold one, and in those that `leaders` became; `orders` what
    senders have withdrawn.
    """
    plan = Plan()
    keys = {k: s for k, s in held.items() if s.article_id in current and not current[s.article_id].is_lifted}
    articles = dict(current)
    places = dict(leaders or {})
    for entry in entries:
        document = entry.document
        if order := withdrawal.standing_against(entry, orders):
            verdict = withdrawal.held_back(entry, order, keys)
            _place(plan, entry, verdict.article_id, articles, places)
            _record(plan, entry, verdict, None)
            continue
        verdict = judge(
            document.keys,
            {key: _held(keys[key], articles) for key in document.keys if key in keys},
            item_sha256=document.item_sha256,
            content_sha256=document.content_sha256,
            received_at=entry.job.received_at,
            body=document.body,
            version=document.version,
        )
        is_same = verdict.outcome is Outcome.UNCHANGED
        if verdict.outcome is Outcome.STORED:
            verdict = placement.by_likeness(verdict, article_id(entry), entry.likeness, places, articles)
        verdict = suppression.overrule(verdict, document.keys, keys, articles)
        if verdict.outcome is Outcome.SUPPRESSED:
            keys.update(_keys_after(entry, verdict, verdict.article_id or "", keys))
            _place(plan, entry, verdict.article_id, articles, places)
            _suppress(plan, entry, verdict, is_same=is_same)
            continue
        verdict, is_shown_again = withdrawal.overrule(verdict, entry, orders, articles)
        if is_shown_again and verdict.article_id:
            plan.shown_again.append(verdict.article_id)
            articles[verdict.article_id] = replace(articles[verdict.article_id], is_withdrawn=False)
        revision = _revise(plan, entry, verdict, articles)
        target = None if verdict.outcome is Outcome.REJECTED else verdict.article_id or article_id(entry)
        if target is not None and target in articles:
            keys.update(_keys_after(entry, verdict, target, keys))
        _place(plan, entry, target, articles, places)
        _record(plan, entry, verdict, revision)
    plan.places = placement.followed_to_the_end(plan.places)
    ends = ((placement.end_in(plan.places, Place(leader, leader)).article_id, entry) for leader, entry in plan.waiting)
    plan.waiting = [(leader, entry) for leader, entry in ends if leader not in articles]
    plan.keys = {key: state for key, state in keys.items() if held.get(key, wanted[key]) != state}
    plan.released = [key for key in wanted if key not in keys and key not in held]
    return plan


def _place(
    plan: Plan,
    entry: ArticleEntry,
    target: str | None,
    articles: Mapping[str, CurrentArticle],
    places: dict[str, str | None],
) -> None:
    """Note where the document went, for those that are like it and for those that it is like."""
    own, likened = article_id(entry), entry.likeness
    if likened is not None and target == own:
        chain = placement.chain_from(likened.document, places, articles)
        if chain[-1] is None:
            # Whatever else is like the one that came to nothing belongs here.
            documents = [document for document in chain if document is not None]
            places |= dict.fromkeys(documents, own)
            plan.places |= dict.fromkeys(documents, Place(own, articles[own].cluster_id))
    place = None
    if target is not None:
        place = Place(target, articles[target].cluster_id if target in articles else target)
        if target not in articles:
            plan.waiting.append((target, entry))
    if entry.is_indexed:
        places[own] = target
        plan.places[own] = place


def plan_outcomes(plan: Plan, entries: Iterable[OutcomeEntry], *, told: Collection[tuple[str, str]] = ()) -> None:
    """Add the items that end without an article. `told` are the (source, item key) that a poll before rejected."""
    for entry in entries:
        if _is_only_counted(entry, entry.outcome) or feed_item(entry) in told:
            plan.unchanged.append((entry.job.id, entry.item_id))
            continue
        plan.receipts.append(
            Receipt(
                entry.job.id, entry.item_id, entry.parent_id, entry.job.source, entry.outcome, entry.reason, entry.code
            )
        )
        if entry.outcome in (Outcome.REJECTED, Outcome.DEAD):
            plan.dead_letters.append(records.ended_letter(entry))


def feed_item(entry: OutcomeEntry) -> tuple[str, str] | None:
    """(source, item key) by which an entry of a feed that is no article is known in the next poll."""
    is_item = entry.job.kind == "feed" and entry.outcome is Outcome.REJECTED and entry.item_id != entry.parent_id
    return (entry.job.source, entry.item_id.removeprefix(entry.parent_id)) if is_item else None


def job_counts(
    entries: Iterable[ArticleEntry | OutcomeEntry | CloseEntry],
    inserted: Iterable[tuple[str, str]],
    unchanged: Iterable[tuple[str, str]] = (),
) -> list[JobCount]:
    """What the batch adds to each job: the receipts actually inserted, unchanged items, the total where it closes."""
    refs: dict[str, JobRef] = {}
    totals: dict[str, int] = {}
    done: dict[str, int] = {}
    for entry in entries:
        refs.setdefault(entry.job.id, entry.job)
        if isinstance(entry, CloseEntry):
            totals.setdefault(entry.job.id, entry.total)
    for ingest_id, _ in inserted:
        done[ingest_id] = done.get(ingest_id, 0) + 1
    items: dict[str, list[str]] = {}
    for ingest_id, item_id in unchanged:
        items.setdefault(ingest_id, []).append(item_id)
    return [
        JobCount(
            r.id,
            r.source,
            r.kind,
            r.origin,
            r.received_at,
            done.get(r.id, 0),
            totals.get(r.id),
            tuple(items.get(r.id, ())),
        )
        for r in refs.values()
    ]


def together(counts: Iterable[JobCount]) -> list[JobCount]:
    """One count a job: a statement may touch each row once."""
    summed: dict[str, JobCount] = {}
    for count in counts:
        before = summed.setdefault(count.id, count)
        if before is not count:
            total = count.total if before.total is None else before.total
            unchanged = (*before.unchanged, *count.unchanged)
            summed[count.id] = replace(before, done=before.done + count.done, total=total, unchanged=unchanged)
    return list(summed.values())


def _held(state: KeyState, articles: Mapping[str, CurrentArticle]) -> Held:
    article = articles[state.article_id]
    return Held(
        article_id=state.article_id,
        owned=state.owned,
        item_sha256=state.item_sha256,
        content_sha256=article.content_sha256,
        received_at=article.received_at,
        title=article.title,
        body=article.body,
        version=article.version,
    )


def _revise(plan: Plan, entry: ArticleEntry, verdict: Verdict, articles: dict[str, CurrentArticle]) -> int | None:
    """Add the revision that the verdict asks for and make it part of what later entries are judged by."""
    if verdict.outcome is Outcome.STORED:
        target, number, current_number = article_id(entry), 1, 1
        cluster_id = verdict.cluster_id or target
    elif verdict.outcome is Outcome.REVISED and verdict.article_id:
        before = articles[verdict.article_id]
        target, number = before.article_id, before.last_number + 1
        cluster_id = before.cluster_id
        current_number = number if verdict.is_current else before.current_number
        if not verdict.is_current:
            articles[target] = replace(before, last_number=number)
    else:
        return None
    plan.revisions.append(
        NewRevision(
            target,
            number,
            verdict.is_current,
            entry.job.source,
            entry.name,
            entry.document,
            entry.raw_sha256,
            entry.meta,
            entry.job.received_at,
            cluster_id,
            entry.hints,
        )
    )
    if verdict.is_current:
        document = entry.document
        articles[target] = CurrentArticle(
            target,
            number,
            current_number,
            document.content_sha256,
            entry.job.received_at,
            document.title,
            document.body,
            cluster_id,
            document.version,
        )
    return number


def _keys_after(entry: ArticleEntry, verdict: Verdict, target: str, keys: Keys) -> dict[IdentityKey, KeyState]:
    """Who holds the entry's keys once it is settled.

    A free key goes to the article. A key under which only a duplicate was met, or a file name whose story is over,
    goes to the article that has it now; every other key stays with its holder.
    """
    owned = verdict.outcome not in (Outcome.DUPLICATE, Outcome.SUPPRESSED)
    after = {}
    for key in entry.document.keys:
        before = keys.get(key)
        mine = KeyState(target, owned=owned, item_sha256=entry.document.item_sha256)
        if before is None:
            after[key] = mine
        elif before.article_id == target:
            after[key] = KeyState(target, owned=before.owned, item_sha256=entry.document.item_sha256)
        elif key.kind in VERSIONED and (owned or not before.owned):
            after[key] = mine
    return after


def _record(plan: Plan, entry: ArticleEntry, verdict: Verdict, revision: int | None) -> None:
    """Add the receipt, and what consumers and operators need to know of it."""
    outcome = verdict.outcome
    if _is_only_counted(entry, outcome):
        plan.unchanged.append((entry.job.id, entry.item_id))
        return
    target = article_id(entry) if outcome is Outcome.STORED else verdict.article_id
    plan.receipts.append(records.receipt_of(entry, verdict, target, revision))
    if outcome is Outcome.REJECTED:
        plan.dead_letters.append(records.refused_letter(entry, verdict))
    if outcome is Outcome.DUPLICATE:
        plan.sightings.append(records.sighting_of(entry, verdict, target))
    if outcome in (Outcome.STORED, Outcome.REVISED, Outcome.DUPLICATE):
        due_at = entry.document.embargo_until
        plan.events.append(records.event_of(entry, outcome, target, revision, due_at=due_at))


def _suppress(plan: Plan, entry: ArticleEntry, verdict: Verdict, *, is_same: bool) -> None:
    plan.suppressed.append(entry)
    receipt = records.receipt_of(entry, verdict, verdict.article_id, None)
    if is_same and entry.job.kind == "feed" and entry.item_id != entry.parent_id:
        plan.suppressed_again.append(((entry.job.source, entry.item_id.removeprefix(entry.parent_id)), receipt))
    else:
        plan.receipts.append(receipt)


def _is_only_counted(entry: ArticleEntry | OutcomeEntry, outcome: Outcome) -> bool:
    return entry.job.kind == "feed" and outcome is Outcome.UNCHANGED
