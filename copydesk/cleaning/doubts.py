"""What takes weight off marks in the light of the whole text: quoted formulas, lists, a text without other notices.

The decision asks these before it rules, and the last of them after. None of them marks a line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from copydesk.cleaning.classes import CERTAIN, HINT, SURE
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.rulings import Ruling
from copydesk.cleaning.view import Block
from copydesk.models import PieceClass

_OFTEN_STORY = ("fields/release_line", "fields/unlabelled", "notices/promo", "notices/promo_hint", "signs/address")
_FEWEST_FREQUENT = 5
_OF_THE_HEAD = ("fields/byline", "fields/credits", "fields/release_line", "signs/address")
_DEEP = 3
"""Paragraphs of the story on either side of what lies deep in it."""
_HEADING_ROLES = ("h2", "h3", "h4", "h5", "h6")
_LONG_PARAGRAPH = 300
"""Weight from which a page's paragraph is dropped only when that is certain: long ones were often story."""
_FEW_REMOVED, _FEWEST_LINES = 2, 5
_LONG_LINE = 60
BREAKS = (
    "learnt/line",
    "notices/advert",
    "notices/page",
    "notices/share",
    "signs/page_or_end_mark",
    "signs/rule_line",
)
"""Marks that do not tell that the story is over."""


def spare_quoted(blocks: Sequence[Block], best: list[Mark | None]) -> None:
    """Rights formulas alone between two sentences are the story's where the text ends with a rights line of its own."""
    last = max((i for i, mark in enumerate(best) if mark and mark.kind is PieceClass.RIGHTS), default=0)
    if any(blocks[i].is_prose and best[i] is None for i in range(last, len(blocks))):
        return
    start = 0
    for place in range(1, last):
        mark = best[place]
        if mark and mark.rule == "notices/rights":
            start = start or place
            continue
        around = (start - 1, place)
        if start and all(best[i] is None and blocks[i].is_sentence for i in around):
            best[start:place] = [None] * (place - start)
        start = 0


def doubt_frequent(best: Sequence[Mark | None]) -> list[Mark | None]:
    """The marks below the head; those of a rule that has many are hints: prices with shops, the dates of a tour."""
    counts = Counter(mark.rule for mark in best if mark and mark.rule in _OFTEN_STORY)
    return [replace(mark, strength=HINT) if mark and counts[mark.rule] >= _FEWEST_FREQUENT else mark for mark in best]


def doubt_deep(blocks: Sequence[Block], best: list[Mark | None], head: int, tail: int) -> None:
    """What looks like a line of the head, deep in the story, is one of its own: the date of a quoted post, a venue."""
    prose = [place for place in range(head, tail) if blocks[place].is_prose and best[place] is None]
    if len(prose) < 2 * _DEEP:
        return
    for place in range(prose[_DEEP - 1] + 1, prose[-_DEEP]):
        mark = best[place]
        if mark and mark.rule.startswith(_OF_THE_HEAD) and mark.strength < CERTAIN:
            best[place] = replace(mark, strength=HINT)


def spare_paragraphs(blocks: Sequence[Block], best: list[Mark | None]) -> None:
    """Take weak marks off what a page's markup shows to be story: long paragraphs, and headings taken for captions."""
    for place, block in enumerate(blocks):
        mark = best[place]
        if mark is None or mark.strength >= CERTAIN:
            continue
        is_long = block.weight >= _LONG_PARAGRAPH and mark.kind is PieceClass.DROPPED
        if is_long or (mark.rule == "captions/credit" and block.role in _HEADING_ROLES):
            best[place] = None


def spare_lone(rulings: Sequence[Ruling]) -> None:
    """A text in which only a line or two look like notices, none for certain, has been cleaned before: they stay.

    Of gold texts, which hold nothing but story, so much as 0.2 % was lost in this way.
    """
    removed = [r for r in rulings if r.kind not in (PieceClass.BODY, PieceClass.TITLE) and r.rule not in BREAKS]
    if len(removed) > _FEW_REMOVED or len(rulings) < _FEWEST_LINES:
        return
    are_last = len(removed) > 1 and [r.block.index for r in removed] == [len(rulings) - 2, len(rulings) - 1]
    has_pieces = any(ruling.pieces for ruling in rulings)
    if are_last or has_pieces:
        return
    if all(r.kind is PieceClass.DROPPED and _is_doubtful(r) for r in removed):
        for ruling in removed:
            ruling.kind, ruling.rule, ruling.mark = PieceClass.BODY, "decision/lone", None


def _is_doubtful(ruling: Ruling) -> bool:
    """True for a weak mark, and for one on a long line that is not certain."""
    if ruling.mark is None:
        return True
    return ruling.mark.strength < (CERTAIN if ruling.block.weight >= _LONG_LINE else SURE)
