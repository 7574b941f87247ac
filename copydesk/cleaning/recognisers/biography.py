"""Marks a line behind the story that opens with an author's name: it tells who wrote, not what happened."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.classes import SURE
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import View, fold_for
from copydesk.models import PieceClass

_FOOT = 8
"""Blocks from the end in which biographies stand."""


def recognise_biography(view: View, marks: Sequence[Mark], rules: Rules) -> list[Mark]:
    """Marks lines among the last that open with the name of an author found in the head."""
    names = {
        fold_for(view.lexis, fact.value)
        for mark in marks
        for fact in mark.facts
        if fact.role == "authors" and len(fact.value) > 3 and not mark.is_piece
    }
    if not names:
        return []
    by = {mark.block for mark in marks if any(fact.role == "authors" for fact in mark.facts)}
    first = max(len(view.blocks) - _FOOT, len(view.blocks) // 2, min(by, default=0) + 2)
    return [
        Mark(block.index, PieceClass.DROPPED, "biography/author_named", SURE)
        for block in view.blocks[first:]
        if block.index not in by and block.low.strip("* -").startswith(tuple(names))
    ]
