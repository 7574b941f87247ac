"""Where the story begins and ends on a pasted page, and which line there is its headline.

A page is a text copied with its menus, teasers and footers (`menus.is_page`). On it only running text is trusted:
the story opens with its first paragraph of prose, ends with its last sentence, and does not go on behind the heading
of a list of links or comments.
"""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.cleaning.classes import LIKELY
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.view import Block

_CLOSING = ("notices/about", "notices/comments", "notices/related_heading")
_SHARE_BEHIND = 0.5
_DEPTH = 14
"""Lines above the story in which its headline is looked for."""
_FEWEST_WORDS = 3
_LONGEST = 260


def trim_page(blocks: Sequence[Block], best: Sequence[Mark | None], head: int, tail: int) -> tuple[int, int]:
    """The story's first block and the one behind its last, within `head` and `tail`."""
    prose = [i for i in range(head, tail) if blocks[i].is_prose and _is_free(best[i])]
    if not prose:
        return head, tail
    head = prose[0]
    whole = sum(blocks[i].weight for i in prose)
    seen = 0
    for place in range(head, tail):
        mark = best[place]
        if mark and mark.rule in _CLOSING and mark.strength > LIKELY and whole - seen < _SHARE_BEHIND * whole:
            tail = place
            break
        seen += blocks[place].weight if blocks[place].is_prose and _is_free(mark) else 0
    last = max((i for i in range(head, tail) if blocks[i].is_sentence and _is_free(best[i])), default=tail - 1)
    return head, last + 1


def find_page_title(
    blocks: Sequence[Block], best: Sequence[Mark | None], menus: Sequence[bool], head: int
) -> int | None:
    """The place of the headline above the story: a line that the page holds twice, else the first behind the menus."""
    counts: dict[str, int] = {}
    for block in blocks:
        counts[block.low] = counts.get(block.low, 0) + 1
    found: list[int] = []
    for place in range(head - 1, max(head - 1 - _DEPTH, -1), -1):
        if menus[place]:
            break
        if _can_be_title(blocks[place], best[place]):
            found.append(place)
    if not found:
        return None
    twice = [place for place in found if counts[blocks[place].low] > 1]
    return min(twice or found)


def _can_be_title(block: Block, mark: Mark | None) -> bool:
    is_marked = mark is not None and mark.strength >= LIKELY and not mark.rule.startswith(("title/", "signs/repeated"))
    if is_marked or (block.is_sentence and block.text[-1] in ".。"):
        return False
    return block.weight <= _LONGEST and (block.is_unspaced or len(block.text.split()) >= _FEWEST_WORDS)


def _is_free(mark: Mark | None) -> bool:
    return mark is None or mark.strength < LIKELY
