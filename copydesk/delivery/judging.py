"""Judges articles by likeness on their way to the stream: joins the index in Redis with the rules of `dedupe`.

What the likeness means for the row is decided with the row (`settlement.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import structlog

from copydesk.dedupe.likeness import DEFAULT, Candidate, Likeness, Thresholds, judge
from copydesk.dedupe.sketch import Sketch, pack, sketch, split_keys, unpack
from copydesk.delivery.settlement import article_id
from copydesk.errors import IndexIncomplete, QueueFull, SketchUnreadable
from copydesk.models import Likened
from copydesk.queue.entries import ArticleEntry, Outgoing
from copydesk.queue.likeness_index import Answer, Keyed, LikenessIndex, Record

log = structlog.get_logger(__name__)


class Judging:
    """The index, and what to do when it lacks something: `restore` is called then, and the caller tries again."""

    def __init__(self, index: LikenessIndex, restore: Callable[[], object], thresholds: Thresholds = DEFAULT) -> None:
        self._index = index
        self._thresholds = thresholds
        self._restore = restore
        self._is_checked = False

    def judged(self, entries: Sequence[Outgoing], now: datetime) -> list[Outgoing]:
        """The entries of one job, its articles with what they were found to be; one round trip to Redis.

        An entry that a worker before this one published keeps its place and is left out by the stream. Raises
        `DependencyError`. Where Redis is full the articles go on unjudged: the index gives way to what is on its way.
        """
        articles = [(n, o.entry) for n, o in enumerate(entries) if isinstance(o.entry, ArticleEntry)]
        if not articles:
            return list(entries)
        drawn = [sketch(e.document.title, e.document.body) for _, e in articles]
        packed = [pack(each) for each in drawn]
        asked = [_keyed(e, data) for (_, e), data in zip(articles, packed, strict=True)]
        answers = self._ask(articles[0][1].job.id, asked, now)
        result = list(entries)
        for (n, entry), own, data, answer in zip(articles, drawn, packed, answers, strict=True):
            result[n] = replace(
                entries[n],
                entry=entry.model_copy(update=_found(entry, own, answer, self._thresholds)),
                sketch=data,
                document=article_id(entry),
                epoch=answer.epoch if answer and answer.number else None,
            )
        return result

    def _ask(self, job_id: str, asked: Sequence[Keyed], now: datetime) -> Sequence[Answer | None]:
        if not self._is_checked:
            self._restore()
            self._is_checked = True
        try:
            return self._index.add(job_id, asked, now)
        except IndexIncomplete:
            self._restore()
            raise
        except QueueFull as error:
            log.warning("articles go on unjudged by likeness: redis is full", articles=len(asked), error=str(error))
            self._index.tidy()
            return [None] * len(asked)


def judge_answer(
    own: Sketch, answer: Answer, received_at: datetime, thresholds: Thresholds = DEFAULT
) -> Likeness | None:
    """What a document is to the candidates that the index found."""
    return judge(own, _candidates(answer.candidates), received_at=received_at, thresholds=thresholds)


def _found(entry: ArticleEntry, own: Sketch, answer: Answer | None, thresholds: Thresholds) -> dict[str, object]:
    if answer is None or answer.number == 0:
        return {}
    likeness = judge_answer(own, answer, entry.job.received_at, thresholds)
    likened = likeness and Likened(
        relation=likeness.relation, document=likeness.document, scores=likeness.scores, reason=likeness.reason
    )
    return {"number": answer.number, "is_indexed": answer.is_indexed, "likeness": likened}


def _keyed(entry: ArticleEntry, data: bytes) -> Keyed:
    keys, bare = split_keys(data)
    return Keyed(Record(article_id(entry), entry.job.received_at, bare), keys)


def _candidates(records: Sequence[Record]) -> list[Candidate]:
    found = []
    for record in records:
        try:
            found.append(Candidate(record.document, unpack(record.sketch), record.received_at))
        except SketchUnreadable:  # of another version: `copydesk dedupe rebuild` draws it anew
            continue
    return found
