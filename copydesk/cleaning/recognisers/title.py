"""Finds the headline, takes the column label and the publisher's name off it, and marks its repetition."""

from __future__ import annotations

import re

from copydesk.cleaning.classes import HINT, LIKELY, SURE
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View, fold_for
from copydesk.models import PieceClass

_DEPTH = 15
_BY_WORDS = "wording/notice_words"
"""A hint of this kind is no doubt about a headline: `Harbour prices this week` is made of a market page's words."""
_LONGEST = 260
_LONGEST_LABEL = 40
_KICKER_WORDS = 6
_CAPITALS = 0.6
_BRACKET_LABEL = re.compile(r"[\[<]([^\[\]<>]{1,40})[\]>]\s?")
_TITLE_STRENGTH = SURE + 1


def recognise_title(view: View, marks: list[Mark], rules: Rules) -> list[Mark]:
    """The mark of the headline with those of its pieces; empty where the text has none.

    `marks` are those of the other recognisers: what they are sure of is no headline.
    """
    block = _find_title(view, marks)
    if block is None:
        return []
    found = [Mark(block.index, PieceClass.TITLE, "title/headline", _TITLE_STRENGTH)]
    found += _cut_label(block) + _cut_publisher(block, rules)
    for other in view.blocks[block.index + 1 :]:
        if other.low == block.low and other.index != block.index:
            found.append(Mark(other.index, PieceClass.DROPPED, "title/repeated", SURE))
    return found


def _find_title(view: View, marks: list[Mark]) -> Block | None:
    wanted = fold_for(view.lexis, view.fields.title) if view.fields.title else None
    for block in view.blocks[:_DEPTH]:
        if block.role == "h1" or (wanted and block.low == wanted):
            return block
    if wanted:
        return None
    strength = {b.index: 0 for b in view.blocks}
    opens_story: set[int] = set()
    for mark in marks:
        if mark.rule == "dateline/place":
            opens_story.add(mark.block)
        elif not mark.is_piece and (mark.rule != _BY_WORDS or mark.strength >= LIKELY):
            strength[mark.block] = max(strength[mark.block], mark.strength)
    twice = _find_twice(view)
    if twice is not None and strength[twice.index] < LIKELY:
        return twice
    guessed = None
    first = _skip_greeting(view, marks, strength)
    for place, block in enumerate(view.blocks[first:_DEPTH], start=first):
        if block.index in opens_story:
            break
        if strength[block.index] >= LIKELY:
            continue
        if not _can_be_title(block, view, strength, place):
            break
        if strength[block.index] < HINT and not _is_kicker(block, view, strength, place):
            return _prefer_mixed_case(block, view, strength, opens_story, place)
        guessed = guessed or block
    return guessed


def _skip_greeting(view: View, marks: list[Mark], strength: dict[int, int]) -> int:
    """The place behind a newsletter's greeting, above which it gives its own name; 0 where there is none."""
    opening = next((b.index for b in view.blocks if b.is_prose and strength[b.index] < LIKELY), len(view.blocks))
    opening = min(opening, len(view.blocks) // 2)  # a farewell stands below
    return 1 + max((m.block for m in marks if m.rule == "notices/greeting" and m.block < opening), default=-1)


def _prefer_mixed_case(block: Block, view: View, strength: dict[int, int], opens_story: set[int], place: int) -> Block:
    """`NEWS RELEASE 12` in capitals gives way to a headline in mixed case that stands below the head's other lines."""
    letters = [c for c in block.text if c.isalpha()]
    capitals = sum(c.isupper() for c in letters)
    if capitals < _CAPITALS * len(letters) or not capitals or len(block.text.split()) > _KICKER_WORDS:
        return block
    met_line = False
    for other in view.blocks[place + 1 : _DEPTH]:
        if other.index in opens_story or other.is_prose:
            break
        if strength[other.index] >= LIKELY:
            met_line = True
        elif met_line and strength[other.index] < HINT and not other.text.isupper() and not other.is_sentence:
            return other
    return block


def _find_twice(view: View) -> Block | None:
    """The first line that the head of the document holds twice: a headline copied with its link text.

    Lines below the story's first paragraph come back too, and sentences do in lists of key points.
    """
    seen: dict[str, Block] = {}
    is_above = True
    for block in view.blocks[:_DEPTH]:
        if block.low in seen and len(block.text.split()) > 2:
            return seen[block.low]
        is_above = is_above and not block.is_prose
        if is_above and not block.is_sentence:
            seen[block.low] = block
    return None


def _is_kicker(block: Block, view: View, strength: dict[int, int], place: int) -> bool:
    """One to three words, in capitals or below the site's own lines, with a longer unmarked line right below."""
    if place + 1 >= len(view.blocks) or block.is_unspaced or len(block.text.split()) > 3:
        return False
    below = view.blocks[place + 1]
    if strength[below.index] >= HINT or below.is_prose or len(below.text.split()) < 4 or below.blank_before > 1:
        return False
    above = view.blocks[place - 1] if place else None
    return block.text.isupper() or (above is not None and strength[above.index] >= LIKELY)


def _can_be_title(block: Block, view: View, strength: dict[int, int], place: int) -> bool:
    if len(block.text) > _LONGEST or len(view.blocks) == 1:
        return False
    following = view.blocks[place + 1] if place + 1 < len(view.blocks) else None
    has_line_below = following is not None and strength[following.index] >= LIKELY
    if block.text.rstrip("\"'”’」』)）").endswith((".", "。")) and not block.text.endswith(("...", "…")):
        # A sentence with a full stop heads a story only if metadata stands between.
        return has_line_below and not block.is_prose
    return not (block.is_prose and block.weight > 200 and not has_line_below)


def _cut_label(block: Block) -> list[Mark]:
    """`[Label] Title`, `Opinion: Title`, `社评丨标题`."""
    match = _BRACKET_LABEL.match(block.low)
    if match and match.end() < len(block.low):
        label = block.text[match.start(1) : match.end(1)].strip()
        return [_label_mark(block, label, match.end())]
    place = min((p for p in (block.low.find(bar) for bar in (":", "|")) if p > 0), default=-1)
    stop = block.low.find(". ")
    if stop > 0 and (place < 0 or stop < place) and block.text[:stop].isupper():
        place = stop  # `OPINIE. Wie het water kent`
    if 0 < place <= _LONGEST_LABEL and place + 1 < len(block.low):
        label = block.text[:place].strip()
        if block.low[:place].strip() in block.lexis.words["sections"]:
            end = place + 1
            while end < len(block.text) and block.text[end] == " ":
                end += 1
            return [_label_mark(block, label, end)]
    return []


def _label_mark(block: Block, label: str, end: int) -> Mark:
    fact = Fact("section", label)
    return Mark(block.index, PieceClass.SECTION, "title/label", SURE, (fact,), start=0, end=end)


def _cut_publisher(block: Block, rules: Rules) -> list[Mark]:
    """`Title - Publisher`, `Title | Publisher`, for publishers that are known."""
    for bar in ("|", " - ", "_"):
        place = block.low.rfind(bar)
        if place > 0 and rules.publisher(block.text[place + len(bar) :]).name:
            name = block.text[place + len(bar) :].strip()
            fact = Fact("source", name, rank=3)
            end = len(block.text)
            return [Mark(block.index, PieceClass.METADATA, "title/publisher", SURE, (fact,), start=place, end=end)]
    return []
