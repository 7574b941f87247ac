"""Decides a stream of articles one after the other with the product's own parts, everything in memory.

What the workers do with Redis and Postgres between them (docs/duplicates.md) is composed here in one process: identity
first, then likeness, then what the source keeps repeating is learnt. No rule of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from copydesk.dedupe.identity import identity_keys
from copydesk.dedupe.identity import judge as judge_identity
from copydesk.dedupe.likeness import DEFAULT, Candidate, Likeness, Thresholds, judge
from copydesk.dedupe.memory import MemoryIndex
from copydesk.dedupe.sketch import Sketch, sketch_tokens
from copydesk.dedupe.tokens import tokenise
from copydesk.models import Held, IdentityKey, Outcome

# A line that its source printed in this many stories is the source's, not the story's.
REPEATED_IN = 2


class Index(Protocol):
    """What the judge asks of an index, in memory or in Redis."""

    def add(self, document: str, sketch: Sketch, moment: datetime) -> tuple[int, tuple[Candidate, ...]]:
        """(the document's number, earlier documents that share a key)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What a document is: the outcome by identity, or what it is like."""

    outcome: Outcome
    document: str | None
    """The earlier document that it belongs to."""
    likeness: Likeness | None = None


@dataclass(slots=True)
class Repeated:
    """Which lines a source has printed in two stories or more."""

    lines: set[int] = field(default_factory=set)
    _first: dict[int, str] = field(default_factory=dict)

    def learn(self, lines: list[int], story: str) -> None:
        """Note that the source printed these lines in a story."""
        for line in lines:
            if self._first.setdefault(line, story) != story:
                self.lines.add(line)


class StreamJudge:
    """One decision a document, in order of arrival."""

    def __init__(self, *, thresholds: Thresholds = DEFAULT, index: Index | None = None) -> None:
        self._thresholds = thresholds
        self._index: Index = index or MemoryIndex()
        self._held: dict[IdentityKey, Held] = {}
        self._story: dict[str, str] = {}
        self._repeated: dict[str, Repeated] = {}

    def decide(
        self, document: str, *, source: str, url: str, title: str, body: tuple[str, ...], moment: datetime
    ) -> Decision:
        """Judge a document in the light of all before it, and remember it."""
        keys = identity_keys(source=source, title=title, body=body, url=url)
        text = keys[-1].value
        verdict = judge_identity(keys, self._held, item_sha256=text, content_sha256=text, received_at=moment, body=body)
        tokens = tokenise(body, title)
        repeated = self._repeated.setdefault(source, Repeated())
        drawn = sketch_tokens(tokens, repeated=repeated.lines)
        _, candidates = self._index.add(document, drawn, moment)
        decision = Decision(verdict.outcome, verdict.article_id)
        if verdict.outcome is Outcome.STORED:
            found = judge(drawn, candidates, received_at=moment, thresholds=self._thresholds)
            if found:
                decision = Decision(Outcome.DUPLICATE, found.document, found)
        self._story[document] = self._story[decision.document] if decision.document else document
        repeated.learn(tokens.line_hashes(), self._story[document])
        self._hold(document, keys, moment, body)
        return decision

    def _hold(
        self,
        document: str,
        keys: tuple[IdentityKey, ...],
        moment: datetime,
        body: tuple[str, ...],
    ) -> None:
        text = keys[-1].value
        held = Held(
            article_id=document,
            owned=True,
            item_sha256=text,
            content_sha256=text,
            received_at=moment,
            body=body,
        )
        for key in keys:
            if key.kind == "text":
                self._held.setdefault(key, held)
            else:
                self._held[key] = held
