"""Tells a pasted page from a text: runs of short lines that are menus, and whether there are so many that it is a page.

Verse, results and lists of names are runs of short lines too; a menu's have three words at most, no figure and no
punctuation.
"""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.view import Block

_MOST_WORDS = 3
_LONGEST = 40
_SHORTEST_RUN = 4
_FEWEST_ON_PAGE = 12
_SHARE_ON_PAGE = 0.2
_LONG_PAGE, _FEWEST_ON_LONG_PAGE = 60, 8
_PUNCTUATION = '.,;:!?"()…、。「」'


def find_menus(blocks: Sequence[Block]) -> list[bool]:
    """For each block, whether it lies in a run of at least four lines like those of a menu."""
    flags = [False] * len(blocks)
    start = 0
    for place in range(len(blocks) + 1):
        if place < len(blocks) and _is_item(blocks[place]):
            continue
        if place - start >= _SHORTEST_RUN:
            flags[start:place] = [True] * (place - start)
        start = place + 1
    return flags


def is_page(blocks: Sequence[Block], flags: Sequence[bool]) -> bool:
    """True when so many lines are menus that the text was copied from a page with all that stood on it.

    In a long document fewer will do. One must stand above the first paragraph of prose or below the last.
    """
    count = sum(flags)
    prose = [place for place, block in enumerate(blocks) if block.is_prose]
    if not prose or not (any(flags[: prose[0]]) or any(flags[prose[-1] :])):
        return False  # lists of the story's own: a roster, ingredients
    if count >= max(_FEWEST_ON_PAGE, _SHARE_ON_PAGE * len(flags)):
        return True
    return len(flags) >= _LONG_PAGE and count >= _FEWEST_ON_LONG_PAGE


def _is_item(block: Block) -> bool:
    low = block.low
    if block.weight > _LONGEST or has_digit(low) or any(mark in low for mark in _PUNCTUATION):
        return False
    return block.is_unspaced or len(low.split()) <= _MOST_WORDS
