"""What the decision says of one paragraph."""

from __future__ import annotations

from dataclasses import dataclass

from copydesk.cleaning.marks import Mark
from copydesk.cleaning.view import Block
from copydesk.models import PieceClass


@dataclass(slots=True)
class Ruling:
    """What one paragraph is, and why."""

    block: Block
    kind: PieceClass
    rule: str
    mark: Mark | None = None
    pieces: tuple[Mark, ...] = ()
    text: str | None = None
    """What is stored in the place of the paragraph's own text, where the sender's rules say so."""
