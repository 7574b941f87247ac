"""Turns a job into stream entries: read the bodies, run the pipeline, number the results, close.

`entries_of` decides and never publishes; `workers/ingest` publishes what it returns.
"""

from __future__ import annotations

import hashlib
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import structlog

from copydesk import formats, metrics, pipeline
from copydesk.cleaning import Rules
from copydesk.errors import CopydeskError, InputError, InputTooLarge, ProcessingError
from copydesk.formats import Parser
from copydesk.models import Hints, Outcome, RawItem
from copydesk.queue.entries import ArticleEntry, CloseEntry, JobRef, OutcomeEntry, Outgoing
from copydesk.queue.jobs import Job, JobItem

log = structlog.get_logger(__name__)

# A traceback is for a person; its end names the place.
TRACE_KEPT = 8000

Read = Callable[[str, int], bytes]
"""Reads what a `ref` stands for, up to a limit. Raises `MissingInput`, `InputTooLarge`, `SpoolUnavailable`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes: of a body inside a job, and of any body."""

    inline: int
    document: int


def entries_of(
    job: Job,
    rules: Rules,
    read: Read,
    limits: Limits,
    *,
    on_item: Callable[[JobItem], None] = lambda item: None,
    parse: Parser = formats.parse,
) -> Iterator[Outgoing]:
    """The entries of every item, then the closing entry. Raises `DependencyError` when a body cannot be read now.

    `on_item` is called before each item, so that it is known what is in hand; `parse` is `formats.parse`, or does
    the same under limits.
    """
    ref = job_ref(job)
    total = 0
    for item in job.items:
        on_item(item)
        begun = time.perf_counter()
        for outgoing in _entries_of_item(_Carried(ref, item), rules, read, limits, parse):
            total += 1
            _log(outgoing.entry)
            yield outgoing
        metrics.item_seconds.observe(time.perf_counter() - begun)
    yield Outgoing(CloseEntry(job=ref, total=total))


def _log(entry: ArticleEntry | OutcomeEntry | CloseEntry) -> None:
    """One line an item, with its id: what it gave, or why nothing."""
    result = entry.outcome.value if isinstance(entry, OutcomeEntry) else "article"
    metrics.entries.labels(result).inc()
    if isinstance(entry, OutcomeEntry):
        reason = entry.reason[:500]
        log.warning("no article", item_id=entry.item_id, outcome=entry.outcome.value, code=entry.code, reason=reason)
    elif isinstance(entry, ArticleEntry):
        log.info("cleaned", item_id=entry.item_id, pieces=len(entry.document.pieces), language=entry.document.language)


def job_ref(job: Job) -> JobRef:
    """What every entry of a job says about it."""
    return JobRef(id=job.id, source=job.source, kind=job.kind, origin=job.origin, received_at=job.received_at)


def refused_job(ref: JobRef, error: CopydeskError, payload: bytes, *, outcome: Outcome) -> list[Outgoing]:
    """The entries of a job that cannot be carried out at all: its payload is kept as it came."""
    digest = hashlib.sha256(payload).hexdigest()
    entry = OutcomeEntry(
        job=ref,
        item_id=ref.id,
        parent_id=ref.id,
        name=None,
        outcome=outcome,
        code=error.code,
        reason=str(error),
        stage="read",
        raw_sha256=digest,
        meta=None,
    )
    return [Outgoing(entry, payload), Outgoing(CloseEntry(job=ref, total=1))]


def refused_item(job: Job, item: JobItem, error: CopydeskError, read: Read, limits: Limits) -> Outgoing:
    """The entry of an item that is given up without being tried again, with its input, where that can be had."""
    carried = _Carried(job_ref(job), item)
    try:
        data = _body(item, read, limits)
    except InputError:
        return Outgoing(carried.ended(Outcome.DEAD, error, stage="clean"))
    digest = hashlib.sha256(data).hexdigest()
    return Outgoing(carried.ended(Outcome.DEAD, error, stage="clean", raw_sha256=digest), data)


@dataclass(frozen=True, slots=True)
class _Carried:
    """An item in hand, with what its entries repeat."""

    job: JobRef
    item: JobItem

    def ids(self, found: Sequence[pipeline.Processed]) -> list[str]:
        """The entries' ids, all different: a receipt too few would keep the job open for ever."""
        ids: list[str] = []
        times: Counter[str] = Counter()
        for processed in found:
            own = self.item.id
            if processed.key is not None:
                own = f"{own}#{hashlib.sha256(processed.key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
            times[own] += 1
            ids.append(own if times[own] == 1 else f"{own}-{times[own]}")
        return ids

    def ended(self, outcome: Outcome, error: CopydeskError | None = None, **changes: object) -> OutcomeEntry:
        """The entry of an item that ends without an article."""
        fields: dict[str, object] = {
            "job": self.job,
            "item_id": self.item.id,
            "parent_id": self.item.id,
            "name": self.item.hints.filename,
            "outcome": outcome,
            "code": error.code if error else "",
            "reason": str(error) if error else "",
            "stage": "read",
            "raw_sha256": None,
            "meta": self.item.meta,
            "hints": self.item.hints,
        }
        return OutcomeEntry.model_validate(fields | changes)


def _entries_of_item(carried: _Carried, rules: Rules, read: Read, limits: Limits, parse: Parser) -> Iterator[Outgoing]:
    item = carried.item
    if item.refused:
        yield Outgoing(carried.ended(Outcome.REJECTED, code=item.refused.code, reason=item.refused.reason))
        return
    try:
        data = _body(item, read, limits)
    except InputError as error:
        yield Outgoing(carried.ended(Outcome.REJECTED, error))
        return
    digest = hashlib.sha256(data).hexdigest()
    raw_item = RawItem(data, carried.job.source, carried.job.received_at, item.hints)
    # The id of a file, a poll or a bulk run is ours, new each time; that of any other door is the sender's.
    sent_id = None if carried.job.kind in ("file", "feed", "bulk") else item.id
    try:
        found = pipeline.process(raw_item, rules, item_id=sent_id, parse=parse)
    except InputError as error:
        yield Outgoing(carried.ended(Outcome.REJECTED, error, stage="parse", raw_sha256=digest), data)
        return
    except Exception as error:  # the border of one item: our fault is recorded, the next item goes on
        log.exception("the pipeline failed on an item", item_id=item.id)
        failure = ProcessingError(item.id, f"{type(error).__name__}: {error}")
        trace = traceback.format_exc()[-TRACE_KEPT:]
        yield Outgoing(carried.ended(Outcome.DEAD, failure, stage="clean", raw_sha256=digest, trace=trace), data)
        return
    if not found:
        reason = "the container has no entries"
        yield Outgoing(carried.ended(Outcome.UNCHANGED, reason=reason, stage="parse", raw_sha256=digest), data)
    for index, (processed, item_id) in enumerate(zip(found, carried.ids(found), strict=True)):
        # One copy of the input, on the first entry that came out of it.
        yield Outgoing(_entry(carried, processed, item_id, digest), data if index == 0 else None)


def _entry(carried: _Carried, processed: pipeline.Processed, item_id: str, digest: str) -> ArticleEntry | OutcomeEntry:
    if processed.withdrawal is not None:
        return carried.ended(
            Outcome.WITHDRAWN,
            item_id=item_id,
            reason=processed.reason,
            stage="parse",
            raw_sha256=digest,
            withdrawal=processed.withdrawal,
        )
    if processed.error:
        return carried.ended(Outcome.REJECTED, processed.error, item_id=item_id, stage="parse", raw_sha256=digest)
    if processed.document is None:
        return carried.ended(
            Outcome.REJECTED,
            item_id=item_id,
            code="not_article",
            reason=f"not an article: {processed.reason}",
            stage="clean",
            raw_sha256=digest,
        )
    return ArticleEntry(
        job=carried.job,
        item_id=item_id,
        parent_id=carried.item.id,
        name=carried.item.hints.filename,
        document=processed.document,
        raw_sha256=digest,
        meta=carried.item.meta,
        hints=_beside(carried.item.hints, processed.document.url),
    )


def _beside(hints: Hints, url: str | None) -> Hints | None:
    """What the row does not say anyway."""
    more = hints.model_copy(update={"filename": None} | ({"url": None} if hints.url == url else {}))
    return more if more != Hints() else None


def _body(item: JobItem, read: Read, limits: Limits) -> bytes:
    if item.ref is not None:
        return read(item.ref, limits.document)
    data = item.inline_bytes()
    if len(data) > limits.inline:
        size = f"{len(data):,} bytes, the limit inside a job is {limits.inline:,}"
        raise InputTooLarge(item.id, f"{size}; drop it into the inbox instead")
    return data
