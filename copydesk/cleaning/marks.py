"""What recognisers hand to the decision: marks on paragraphs or pieces of them, and the facts they found there."""

from __future__ import annotations

from dataclasses import dataclass

from copydesk.cleaning.times import Moment
from copydesk.models import PieceClass


@dataclass(frozen=True, slots=True)
class Fact:
    """One value that a mark's text gives; it counts only if the decision accepts the mark."""

    role: str
    """One of `classes.ROLES`, or `dateline`."""
    value: str
    moment: Moment | None = None
    """The date, for the roles `published` and `updated`."""
    rank: int = 0
    """Among facts of one role that exclude each other, the lowest rank wins: a label before a guess."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A recogniser's claim about a paragraph or, with `start` and `end`, about a piece of its text."""

    block: int
    kind: PieceClass
    rule: str
    strength: int
    facts: tuple[Fact, ...] = ()
    start: int = 0
    end: int | None = None
    """None: the whole paragraph."""

    @property
    def is_piece(self) -> bool:
        """True when only a part of the paragraph is meant."""
        return self.end is not None
