"""Marks lines at head and foot that are made of the words of notices, though no phrase of a lexicon is in them."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.classes import HINT, LIKELY
from copydesk.cleaning.fieldcuts import has_colon_label
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.patterns import is_paired
from copydesk.cleaning.recognisers.notices import weigh_story
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_EDGE = 12
"""Blocks from either end that are looked at: inside the story only a phrase counts."""
_LONGEST = 320
_HINT_SHARE, _LIKELY_SHARE = 0.25, 0.35
_HINT_WEIGHT, _LIKELY_WEIGHT = 1.5, 2.0
"""The first pair holds for half of the notices that no phrase foresaw and for 3 % of story lines, the second for 32
and 0.3 %, measured on texts written before the code."""
_PAIRED_FACTOR = 1.4
"""Pairs of characters are shared by more words than words are by texts, so the shares must be higher."""
_UNPAIRED = ("th",)
"""Thai letters are too few for pairs of them to tell anything."""


def recognise_wording(view: View, marks: Sequence[Mark]) -> list[Mark]:
    """A hint or a likely mark for each line near the ends that nothing else marks."""
    known = {mark.block for mark in marks if not mark.is_piece and mark.strength >= LIKELY}
    last = len(view.blocks) - 1
    opening = next((block.index for block in view.blocks if block.is_prose), last)
    found = []
    for block in view.blocks:
        is_edge = block.index < min(opening, _EDGE) or last - block.index < _EDGE
        if is_edge and block.index not in known and len(block.text) <= _LONGEST and not block.opens_quoted:
            strength = _weigh(block)
            if strength:
                found.append(Mark(block.index, PieceClass.DROPPED, "wording/notice_words", strength))
    return found


def _weigh(block: Block) -> int:
    if block.lexis.language in _UNPAIRED or weigh_story(block) or '"' in block.low or block.low[-1] == ":":
        return 0
    if has_colon_label(block.low, block.lexis):
        return 0  # the source note of a table, the label of an answer
    weight, share = block.lexis.vocabulary.measure(block.low)
    share /= _PAIRED_FACTOR if is_paired(block.text[:40]) else 1.0
    if weight >= _LIKELY_WEIGHT and share >= _LIKELY_SHARE:
        return LIKELY
    if block.ends_sentence:
        return 0
    return HINT if weight >= _HINT_WEIGHT and share >= _HINT_SHARE else 0
