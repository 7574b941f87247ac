"""Marks the lines that the sender's profile has learnt to be furniture, where no other recogniser knows them."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.classes import CERTAIN, LIKELY
from copydesk.cleaning.learnt import Learnt, line_key
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.view import View
from copydesk.models import PieceClass


def recognise_learnt(view: View, marks: Sequence[Mark], learnt: Learnt) -> list[Mark]:
    """Marks learnt lines that no other recogniser is sure of; what those guess, a name or a section, is kept."""
    if not learnt.keys:
        return []
    known = {mark.block for mark in marks if not mark.is_piece and mark.strength >= LIKELY}
    facts: dict[int, tuple[Fact, ...]] = {}
    for mark in marks:
        if not mark.is_piece:
            facts[mark.block] = facts.get(mark.block, ()) + mark.facts
    return [
        Mark(block.index, PieceClass.DROPPED, "learnt/line", CERTAIN, facts.get(block.index, ()))
        for block in view.blocks
        if block.index not in known and line_key(block.text) in learnt.keys
    ]
