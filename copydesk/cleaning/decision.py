"""One decision per document: which marks hold, in the light of where the story begins and ends.

A mark that is sure holds anywhere; a likely one holds outside the story or on a short line; a hint holds only beside
a mark that holds. A list that follows a "read also" goes with its heading. Lines without any mark are story, unless
they stand among notices behind the story's end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from copydesk.cleaning.classes import CERTAIN, HINT, LIKELY, SURE
from copydesk.cleaning.doubts import (
    BREAKS,
    doubt_deep,
    doubt_frequent,
    spare_lone,
    spare_paragraphs,
    spare_quoted,
)
from copydesk.cleaning.lists import run_lists
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.menus import find_menus, is_page
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.pages import find_page_title, trim_page
from copydesk.cleaning.rulings import Ruling
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_CHROME = (PieceClass.DROPPED, PieceClass.RIGHTS)
_PROSE_GAIN, _LONG_GAIN, _SENTENCE_GAIN, _SHORT_GAIN = 2.0, 5.0, 2.0, 0.6
"""What an unmarked paragraph of prose (more if it is long), or an unmarked short line, counts for the story."""
_MENU_COST, _PAGE_SHORT_COST = -0.5, -1.0
_SHARE_OF_MENUS = 0.2
"""Share of menu lines from which short lines on a page are rather its own than the story's."""
_INSIDE = (
    "captions/credit", "captions/markup", "learnt/line", "notices/advert",
    "notices/caption", "notices/page", "notices/promo",
    "notices/related", "notices/share", "signs/bare_number", "signs/page_or_end_mark", "signs/rule_line",
)  # fmt: skip
"""Marks of lines that often stand between paragraphs of a story; they hardly count against it."""
_COSTS = dict.fromkeys(_INSIDE, -0.5)
_LINKS_COST = -1.5
"""Of the heading of a list of links, which may stand between two paragraphs of a text, though not on a pasted page."""
_EDGE_ONLY = (
    "fields/unlabelled", "notices/bio", "notices/contact", "notices/house", "notices/rights", "signs/mail_address",
)  # fmt: skip
"""Marks of what stands at the edges: inside the story they hold only when certain."""
_WITHOUT_STOPS = ("th",)
"""Languages that put no mark at the end of a sentence."""
_BY_WORDS = "wording/notice_words"
_OPENERS = ("notices/house", "notices/rights", "notices/site", "notices/wall")
_SHORT_REMARK = 160
_PROSE_IN_WALL, _PROSE_IN_NOTICE = 2, 4
_SHARE_BEHIND_END = 0.25
_FEWEST_HEADLINES = 5
_FEWEST_BEFORE_WORDS, _LONGEST_WORDS = 3, 90
_WEAK = 4
"""Rank of a fact that counts only where no better one says the same."""
_ITEM = re.compile(r"\d{1,3}[.)] \S")
"""An item of a numbered list: it goes on over the links between its items."""
_STAMP = re.compile(r"(?:^|\D)(?:\d{1,2}:\d\d|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?)(?:\D|$)")


@dataclass(frozen=True, slots=True)
class Decision:
    """The rulings for all paragraphs, and whether there is an article in them."""

    rulings: list[Ruling]
    facts_from: Mark | None
    """The dateline's mark, whose facts count although its line stays in the body."""
    reason: str | None
    """Why this is no article, None for one."""


def decide(view: View, marks: Sequence[Mark]) -> Decision:
    """Weigh the marks and rule on every paragraph."""
    best, pieces, dateline = _sort_marks(len(view.blocks), marks)
    spare_quoted(view.blocks, best)
    menus = find_menus(view.blocks)
    on_page = not view.is_extracted and is_page(view.blocks, menus)
    if not on_page:
        best = [replace(m, strength=HINT) if m and m.rule == "signs/repeated" else m for m in best]
    head, tail = _find_edges(view.blocks, best, menus if on_page else [False] * len(menus))
    if on_page:
        head, tail = trim_page(view.blocks, best, head, tail)
        _move_title(view.blocks, best, menus, head)
    tail = _end_at_mark(view.blocks, best, pieces, tail)
    if not on_page:
        best[head:] = doubt_frequent(best[head:])
    doubt_deep(view.blocks, best, head, tail)
    if view.is_extracted:
        spare_paragraphs(view.blocks, best)
    accepted = [_holds(block, best[i], inside=head <= i < tail) for i, block in enumerate(view.blocks)]
    _accept_hints(view.blocks, best, accepted, head, tail)
    rulings = [
        Ruling(block, held.kind, held.rule, held, tuple(pieces[i]))
        if accepted[i] and (held := best[i])
        else Ruling(block, PieceClass.BODY, "decision/story", None, tuple(pieces[i]))
        for i, block in enumerate(view.blocks)
    ]
    if on_page:
        _clear_page(rulings, menus, head, tail)
    _extend_captions(rulings)
    _drop_menu_sections(rulings)
    run_lists(rulings, tail, on_page=on_page, only_related=view.is_extracted)
    if not view.is_extracted:
        _close_tail(rulings, tail)
        _drop_last_words(rulings)
        _clear_head(rulings)
        if not on_page and dateline is None:
            spare_lone(rulings)
    for ruling in rulings:
        if ruling.kind not in (PieceClass.BODY, PieceClass.TITLE):
            ruling.pieces = ()
    return Decision(rulings, dateline, _find_reason(view, rulings, dateline))


def _sort_marks(count: int, marks: Sequence[Mark]) -> tuple[list[Mark | None], list[list[Mark]], Mark | None]:
    """The best mark of each paragraph, the marks of its pieces, and the dateline's."""
    best: list[Mark | None] = [None] * count
    pieces: list[list[Mark]] = [[] for _ in range(count)]
    dateline = None
    for mark in marks:
        held = best[mark.block]
        if mark.rule == "dateline/place":
            dateline = mark
        elif mark.is_piece:
            pieces[mark.block].append(mark)
        elif held is None or _outranks(mark, held):
            best[mark.block] = _keep_author(mark, held) if held else mark
        else:
            best[mark.block] = _keep_author(held, mark)
    if dateline and (opening := best[dateline.block]) and opening.strength < SURE:
        best[dateline.block] = None
    return best, pieces, dateline


def _keep_author(held: Mark, other: Mark) -> Mark:
    """An address line still tells who wrote, where nothing else does: `Jane Roe, reporter, roe@paper.example`."""
    if held.rule != "signs/address" or held.facts:
        return held
    return replace(held, facts=tuple(replace(f, rank=_WEAK) for f in other.facts if f.role == "authors"))


def _move_title(blocks: Sequence[Block], best: list[Mark | None], menus: Sequence[bool], head: int) -> None:
    """Put the headline's mark where a pasted page has it: above the story, not at the top of its menus."""
    place = find_page_title(blocks, best, menus, head)
    if place is None:
        return
    for index, mark in enumerate(best):
        if mark and mark.kind is PieceClass.TITLE:
            best[index] = None
    best[place] = Mark(place, PieceClass.TITLE, "title/above_story", CERTAIN)


def _outranks(mark: Mark, held: Mark) -> bool:
    """The stronger mark wins; of equals, rights over what is dropped, then the one that found facts."""
    if mark.kind is held.kind and min(mark.strength, held.strength) >= LIKELY and bool(mark.facts) != bool(held.facts):
        return bool(mark.facts)
    if mark.strength != held.strength:
        return mark.strength > held.strength
    for kind in (PieceClass.RIGHTS, PieceClass.CORRECTION):
        if kind in (mark.kind, held.kind):
            return held.kind is not kind
    return bool(mark.facts) and not held.facts


def _find_edges(blocks: Sequence[Block], best: Sequence[Mark | None], menus: Sequence[bool]) -> tuple[int, int]:
    """The number of blocks before the story, and the index where the notices behind it begin.

    The story is the run of lines with the highest sum, prose counting for it and marks against it by their strength;
    so one unknown line among notices does not belong to it, and one marked line inside does not end it.
    """
    on_page = is_page(blocks, menus)
    short_cost = _PAGE_SHORT_COST if sum(menus) >= _SHARE_OF_MENUS * len(menus) else _PAGE_SHORT_COST / 10
    top = total = 0.0
    head = tail = start = 0
    for place, block in enumerate(blocks):
        gain = _MENU_COST if menus[place] else _score(block, best[place])
        if not on_page and (mark := best[place]) and mark.rule == "notices/related_heading":
            gain = _LINKS_COST
        total += short_cost if on_page and 0 < gain <= _SHORT_GAIN else gain
        if total <= 0:
            total, start = 0.0, place + 1
        elif total > top:
            top, head, tail = total, start, place + 1
    return (head, tail) if top else (len(blocks), len(blocks))


def _end_at_mark(
    blocks: Sequence[Block], best: Sequence[Mark | None], pieces: Sequence[Sequence[Mark]], tail: int
) -> int:
    """`tail`, moved up to an end mark behind which little prose follows."""
    for place in range(tail):
        mark = best[place]
        is_end = (mark and mark.rule == "notices/end") or any(p.rule == "glued/end_mark" for p in pieces[place])
        if is_end:
            before = sum(b.weight for b in blocks[: place + 1] if b.is_prose)
            after = sum(b.weight for b in blocks[place + 1 : tail] if b.is_prose)
            if after < _SHARE_BEHIND_END * before:
                return place + 1
    return tail


def _score(block: Block, mark: Mark | None) -> float:
    if mark is None or mark.kind is PieceClass.BODY:
        if block.is_prose:
            return _PROSE_GAIN + min(block.weight / 100, _LONG_GAIN)
        return _SENTENCE_GAIN if block.is_sentence else _SHORT_GAIN
    if mark.kind is PieceClass.TITLE:
        return -2.0 * SURE
    if mark.strength == HINT:
        return 0.5 * _PROSE_GAIN if block.is_prose else -0.2
    if mark.rule in _COSTS:
        return _COSTS[mark.rule]
    return -float(min(mark.strength, SURE))


def _holds(block: Block, mark: Mark | None, *, inside: bool) -> bool:
    if mark is None or mark.strength < LIKELY:
        return False
    if not inside or mark.strength >= CERTAIN or mark.kind is PieceClass.TITLE:
        return True
    if mark.rule in _EDGE_ONLY:
        return False
    return mark.strength >= SURE or not block.is_prose


def _accept_hints(
    blocks: Sequence[Block], best: Sequence[Mark | None], accepted: list[bool], head: int, tail: int
) -> None:
    """Hints hold beside marks that hold; towards the inside of the document both neighbours must."""
    for place, mark in enumerate(best):
        if mark is None or mark.strength != HINT or accepted[place]:
            continue
        before = place > 0 and accepted[place - 1]
        after = place + 1 < len(blocks) and accepted[place + 1]
        outside = place < head or place >= tail
        is_signature = place == len(blocks) - 1 and place > 1 and any(f.role == "authors" for f in mark.facts)
        # The last sentence of a story may use the words of a notice; it needs one on the story's side.
        may_open = not (mark.rule == _BY_WORDS and blocks[place].is_sentence)
        beside = before or (after and may_open)
        if is_signature or (outside and beside) or (before and after and not blocks[place].is_prose):
            accepted[place] = True


def _drop_menu_sections(rulings: list[Ruling]) -> None:
    """A section's name between two of the site's own lines is an item of its menu."""
    for place, ruling in enumerate(rulings):
        around = rulings[max(0, place - 1) : place] + rulings[place + 1 : place + 2]
        is_guess = (
            ruling.rule == "fields/unlabelled" and ruling.mark and all(f.role == "section" for f in ruling.mark.facts)
        )
        if is_guess and len(around) == 2 and all(r.rule == "notices/site" for r in around):
            ruling.kind, ruling.rule, ruling.mark = PieceClass.DROPPED, "decision/menu", None


def _extend_captions(rulings: list[Ruling]) -> None:
    """`Image caption,` and the like alone on a line: the caption is the next one."""
    for ruling, following in pairwise(rulings):
        is_label = ruling.kind is PieceClass.CAPTION and ruling.block.low[-1] in ",:"
        if is_label and following.kind is PieceClass.BODY:
            following.kind, following.rule = PieceClass.CAPTION, "decision/behind_label"


def _close_tail(rulings: list[Ruling], tail: int) -> None:
    """Unmarked lines behind the story's end: short ones go, sentences only between notices or far behind."""
    cost = 0
    ended = tail > 0 and any(p.rule == "glued/end_mark" for p in rulings[tail - 1].pieces)
    for place in range(tail, len(rulings)):
        ruling = rulings[place]
        ended = ended or ruling.rule == "notices/end"
        if ruling.kind in _CHROME:
            cost += ruling.mark.strength if ruling.mark and ruling.rule not in BREAKS else 0
        elif ruling.kind is PieceClass.BODY and (cost or ended) and not _ITEM.match(ruling.block.low):
            after = rulings[place + 1] if place + 1 < len(rulings) else None
            is_between = rulings[place - 1].kind in _CHROME and after is not None and after.kind in _CHROME
            is_far = cost >= 2 * SURE and ruling.block.weight < _SHORT_REMARK
            if ended or not ruling.block.is_sentence or is_between or is_far:
                rule = "decision/behind_end" if ended else "decision/among_notices"
                ruling.kind, ruling.rule = PieceClass.DROPPED, rule


def _clear_page(rulings: list[Ruling], menus: Sequence[bool], head: int, tail: int) -> None:
    """On a pasted page only the story's own run of lines is story, and menus are not even there."""
    for place, ruling in enumerate(rulings):
        if ruling.kind is PieceClass.BODY and (place < head or place >= tail or menus[place]):
            ruling.kind, ruling.rule = PieceClass.DROPPED, "decision/page_around_story"


def _drop_last_words(rulings: list[Ruling]) -> None:
    """A short line alone between the story's last paragraph and the notices: no sentence, no figures, no verse."""
    last = max((place for place, r in enumerate(rulings) if r.kind is PieceClass.BODY), default=0)
    prose = sum(r.kind is PieceClass.BODY and r.block.is_prose for r in rulings)
    if prose < _FEWEST_BEFORE_WORDS or last + 1 >= len(rulings):
        return
    ruling, before, after = rulings[last], rulings[last - 1], rulings[last + 1]
    tells_end = ruling.block.lexis.language not in _WITHOUT_STOPS
    is_plain = (
        tells_end
        and not ruling.block.ends_sentence
        and not has_digit(ruling.block.low)
        and ruling.block.text[-1] not in ",;:"
    )
    if (
        is_plain
        and ruling.block.weight < _LONGEST_WORDS
        and before.kind is PieceClass.BODY
        and before.block.is_prose
        and after.kind in _CHROME
        and after.rule not in BREAKS
    ):
        ruling.kind, ruling.rule = PieceClass.DROPPED, "decision/last_words"


def _clear_head(rulings: list[Ruling]) -> None:
    """Unmarked lines above the headline are no story, unless they are running text."""
    title = next((place for place, r in enumerate(rulings) if r.kind is PieceClass.TITLE), 0)
    for ruling in rulings[:title]:
        if ruling.kind is PieceClass.BODY and not ruling.block.is_prose:
            ruling.kind, ruling.rule = PieceClass.DROPPED, "decision/above_title"


def _find_reason(view: View, rulings: Sequence[Ruling], dateline: Mark | None) -> str | None:
    """Why the document is no article: nothing but notices, a wall, a stub before one, an error, a list of headlines."""
    story = [r.block for r in rulings if r.kind is PieceClass.BODY]
    if not story:
        return "no line of story"
    facts = [fact for r in rulings if r.mark for fact in r.mark.facts]
    has_head = bool(dateline) or any(f.role in ("authors", "published") for f in facts)
    has_head = has_head or bool(view.is_extracted and view.fields.authors and view.fields.published_at)
    story_weight = sum(block.weight for block in story)
    notices = [r for r in rulings if r.kind in _CHROME]
    notice_weight = sum(r.block.weight for r in notices)
    prose = sum(block.is_prose for block in story)
    if wall := _find_wall(view, rulings, prose, has_head=has_head):
        return wall
    opens_as_notice = rulings[0].kind in _CHROME and rulings[0].rule in _OPENERS
    if not has_head and prose <= _PROSE_IN_NOTICE and notice_weight > (1 if opens_as_notice else 3) * story_weight:
        return "notices only"
    if not has_head and _is_list_of_headlines(story):
        return "a list of headlines"
    return None


def _find_wall(view: View, rulings: Sequence[Ruling], prose: int, *, has_head: bool) -> str | None:
    """What stands in the story's place, or before the rest of it; None for a story."""
    walls = sum(r.rule == "notices/wall" for r in rulings)
    errors = sum(r.rule == "notices/error" for r in rulings)
    if walls and not has_head and prose <= min(walls, _PROSE_IN_WALL):
        return "a wall: consent, log-in or subscription"
    if view.is_extracted and prose <= _PROSE_IN_WALL and _ends_at_wall(rulings):
        return "the beginning of a story that is behind a wall"
    if errors and not has_head and prose <= min(errors, _PROSE_IN_WALL):
        return "a page of the server's own: not found, or a check of the browser"
    return None


def _ends_at_wall(rulings: Sequence[Ruling]) -> bool:
    """True where a wall stands behind the story, and none of it behind the wall."""
    wall = next((place for place, r in enumerate(rulings) if r.rule == "notices/wall"), None)
    return wall is not None and not any(r.kind is PieceClass.BODY for r in rulings[wall:])


def _is_list_of_headlines(story: Sequence[Block]) -> bool:
    """Five lines or more, none a sentence, most with the clock time or day of their story."""
    if len(story) < _FEWEST_HEADLINES or any(block.is_sentence for block in story):
        return False
    stamped = sum(bool(_STAMP.search(block.low)) for block in story)
    return stamped >= 0.6 * len(story)
