"""Judges stored documents once more: by changed rules (`copydesk dedupe replay`), or because Redis was full before.

An article that is stored stays: readers and consumers know it. What a later judgement may change is which story it is a
version of (`cluster_id`). A duplicate that the rules would part from its article now has no text of its own in the
database, so that is only told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog

from copydesk.dedupe.likeness import DEFAULT, Candidate, Likeness, Thresholds, judge
from copydesk.dedupe.sketch import Sketch, split_keys, unpack
from copydesk.delivery.judging import judge_answer
from copydesk.delivery.settlement import id_from
from copydesk.errors import SketchUnreadable
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.storage import stories
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.stories import Told

log = structlog.get_logger(__name__)

# Documents of one transaction.
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Change:
    """What another judgement makes of a document."""

    document: str
    kind: Literal["joins", "parts"]
    """`joins`: it is the same story as an article of another cluster; `parts`: it is like none any more."""
    article_id: str
    """Where it stands now: its own article, or the one that it duplicates."""
    story: str
    """That article's cluster."""
    likeness: Likeness | None
    into: str | None
    """The cluster that it joins."""


@dataclass(slots=True)
class Rejudged:
    """How many documents were looked at, and what would change."""

    judged: int = 0
    joins: int = 0
    parts: int = 0
    unreadable: int = 0
    """Sketches of another version, or broken ones."""

    def count(self, change: Change) -> None:
        """Count a change by its kind."""
        if change.kind == "joins":
            self.joins += 1
        else:
            self.parts += 1


class Stories:
    """Which cluster each one became part of, while changes are found that are not written yet."""

    def __init__(self) -> None:
        self._into: dict[str, str] = {}

    def of(self, story: str) -> str:
        """The cluster that this one is part of now."""
        while story in self._into:
            story = self._into[story]
        return story

    def change(self, told: Told, likeness: Likeness | None, target: Told | None) -> Change | None:
        """What a judgement changes; `target` is the document that `likeness` names."""
        if told.article_id is None or told.story is None:
            return None  # it came to nothing
        story = self.of(told.story)
        if likeness is None:
            is_other = told.is_like or (told.article_id == told.document and told.story != told.document)
            return Change(told.document, "parts", told.article_id, story, None, None) if is_other else None
        if target is None or target.story is None or self.of(target.story) == story:
            return None
        # A cluster's id is that of its first article, and ids ascend with time.
        first, second = sorted((story, self.of(target.story)))
        self._into[second] = first
        return Change(told.document, "joins", told.article_id, second, likeness, first)


class Replay:
    """Judges what was received since a moment once more, in the order of receipt."""

    def __init__(
        self, connection: Connection, *, since: datetime, window: timedelta, thresholds: Thresholds = DEFAULT
    ) -> None:
        self.found = Rejudged()
        self._connection = connection
        self._since = since
        self._window = window
        self._thresholds = thresholds
        self._stories = Stories()

    def changes(
        self, *, apply: bool = False, on_progress: Callable[[int], object] = lambda count: None
    ) -> Iterator[Change]:
        """What would change; with `apply`, stories are joined on the way.

        `on_progress` is told how many documents were done. Changes are yielded after the commit of their transaction,
        so whoever stops half way has applied what was told. Raises `DatabaseUnavailable`.
        """
        with translated_errors("replay"):
            with self._connection.transaction():
                stories.make_holders(self._connection)
            # What was received in the window before is looked at too, for the others to be compared with.
            last = id_from(self._since - self._window - timedelta(milliseconds=1))
            while True:
                with self._connection.transaction():
                    told = stories.after(self._connection, last, AT_ONCE)
                    changes = list(self._judge(told)) if told else []
                    if apply:
                        stories.join(self._connection, {c.story: c.into for c in changes if c.into})
                if not told:
                    return
                last = told[-1].document
                on_progress(len(told))
                yield from changes

    def _judge(self, slice_: Sequence[Told]) -> Iterator[Change]:
        drawn = _drawn(slice_, self.found)
        sketches = {each.document: own for each, own in drawn}
        holders = stories.holders(self._connection, {key for own in sketches.values() for key in own.keys})
        told = stories.find(self._connection, set(holders.values())) | {each.document: each for each, _ in drawn}
        newest: dict[int, str] = {}
        for each, own in drawn:
            if each.received_at >= self._since:
                self.found.judged += 1
                names = sorted(set(told).intersection(newest.get(key) or holders.get(key) for key in own.keys))
                candidates = _candidates([told[n] for n in names], sketches, each.received_at - self._window)
                likeness = judge(own, candidates, received_at=each.received_at, thresholds=self._thresholds)
                if change := self._stories.change(each, likeness, told[likeness.document] if likeness else None):
                    self.found.count(change)
                    yield change
            newest |= dict.fromkeys(own.keys, each.document)
        stories.hold(self._connection, newest)


def _drawn(slice_: Sequence[Told], found: Rejudged) -> list[tuple[Told, Sketch]]:
    drawn = []
    for each in slice_:
        try:
            drawn.append((each, unpack(each.data)))
        except SketchUnreadable:
            found.unreadable += 1
    return drawn


def _candidates(told: Iterable[Told], sketches: Mapping[str, Sketch], first: datetime) -> list[Candidate]:
    found = []
    for each in told:
        if each.received_at < first:
            continue
        try:
            own = sketches.get(each.document) or unpack(each.data)
        except SketchUnreadable:
            continue
        found.append(Candidate(each.document, own, each.received_at))
    return found


class LateJudging:
    """Judges articles that a full Redis left unjudged, once it has room: `turn` is called every now and then."""

    def __init__(self, index: LikenessIndex, thresholds: Thresholds = DEFAULT) -> None:
        self._index = index
        self._thresholds = thresholds

    def turn(self, connection: Connection) -> None:
        """Judge all that are left. Raises `DependencyError`: what was judged before it stands."""
        while self._step(connection, datetime.now(UTC)) == AT_ONCE:
            pass

    def _step(self, connection: Connection, now: datetime) -> int:
        with translated_errors("late judging"), connection.transaction():
            left = stories.unjudged(connection, AT_ONCE)
        if not left:
            return 0
        drawn = _drawn(left, Rejudged())
        # Asked again after a kill, the index gives the same answers.
        answers = self._index.add(f"late {left[0].document}", [_keyed(each) for each, _ in drawn], now)
        known, joined = Stories(), dict[str, str]()
        with translated_errors("late judging"), connection.transaction():
            named = {record.document for answer in answers for record in answer.candidates}
            told = stories.find(connection, named)
            for (each, own), answer in zip(drawn, answers, strict=True):
                likeness = judge_answer(own, answer, each.received_at, self._thresholds)
                change = known.change(each, likeness, told.get(likeness.document)) if likeness else None
                if change and change.into:
                    joined[change.story] = change.into
                    log.info("joined a story late", document=each.document, story=change.into)
            stories.join(connection, joined)
            numbers = {each.document: answer.number for (each, _), answer in zip(drawn, answers, strict=True)}
            # One that cannot be read is not asked about again.
            stories.number(connection, dict.fromkeys((each.document for each in left), 0) | numbers)
        return len(left)


def _keyed(told: Told) -> Keyed:
    keys, bare = split_keys(told.data)
    return Keyed(Record(told.document, told.received_at, bare), keys)
