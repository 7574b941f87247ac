"""Marks paragraphs that hold the phrases of notices, by class: rights, house rules, promotion, related, and so on.

Whether a paragraph only quotes a notice is weighed here from the paragraph itself; its place in the document is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from copydesk.cleaning.classes import CERTAIN, HINT, LIKELY, NOTICE_CLASSES
from copydesk.cleaning.lexis import Hit
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_TOLD = ("correction", "note", "caption")
"""Classes whose notices speak in the past tense and name speakers themselves."""
_OFTEN_LONG = ("about", "bio", "correction", "house", "note", "promo", "release", "rights", "wall")
_LINKS = ("advert", "related", "related_heading", "share", "slug")
_WEIGHED = ("house", "house_hint", "note", "promo", "promo_hint", "rights", "rights_hint")
"""Classes whose one phrase must be a good part of a paragraph of prose."""
_EDGE_ONLY = ("house", "rights", "rights_hint", "house_hint")
# `Q: …`, `P. …`, `记者问：…`: with a stop or dash only labels of one or two letters.
_ANSWER = re.compile(r"([^\W\d_][^:.-]{0,11}?)\s?:|([^\W\d_]{1,2})(?:\.|\s-)\s")
_SMALL_SHARE = 0.3
_SHORT_LINE = 140


def recognise_notices(view: View, rules: Rules) -> list[Mark]:
    """One mark for each paragraph and class whose phrases it holds."""
    marks = []
    for block in view.blocks:
        if block.hits:
            marks += _mark_block(block)
    return marks


def _mark_block(block: Block) -> list[Mark]:
    by_name: dict[str, list[Hit]] = {}
    for hit in block.hits:
        by_name.setdefault(hit.name, []).append(hit)
    doubt = weigh_story(block)
    whole = {hit.name for hit in block.hits if hit.whole}
    marks = []
    for name, hits in by_name.items():
        if whole and name not in whole:
            continue
        is_whole = any(hit.whole for hit in hits)
        strength = max(hit.strength for hit in hits) + (_count_apart(hits) > 1 or is_whole)
        if not is_whole and name in _WEIGHED and block.is_prose and _count_apart(block.hits) == 1:
            strength -= _weigh_coverage(hits[0], block)
        if not is_whole:
            strength -= _doubt_for(name, block, doubt)
        if name not in _OFTEN_LONG and not is_whole and block.weight > _SHORT_LINE:
            strength -= 1
        if strength >= HINT:
            marks.append(Mark(block.index, NOTICE_CLASSES[name].kind, f"notices/{name}", min(strength, CERTAIN)))
    return _join_kinds(block, marks)


def _doubt_for(name: str, block: Block, doubt: int) -> int:
    """Attribution tells a story about rights or rules; in a link or a caption it is only part of a headline."""
    if name in _TOLD:
        return doubt if block.opens_quoted else 0
    is_told_only = doubt and not block.opens_quoted and '"' not in block.low
    return 0 if name in _LINKS and is_told_only else doubt


def _weigh_coverage(hit: Hit, block: Block) -> int:
    """What is taken off where the one phrase is a small part of the paragraph: it tells of more than its notice."""
    if block.low[: hit.end].rstrip().endswith(":"):
        return 0  # "Disclosure: …": a label speaks for all that follows
    share = (hit.end - hit.start) / len(block.text)
    return 2 if share < _SMALL_SHARE / 2 else 1 if share < _SMALL_SHARE else 0


def _join_kinds(block: Block, marks: list[Mark]) -> list[Mark]:
    """A line with two hints of different classes is likely a notice; one that is both rights and another is rights."""
    if len(marks) > 1 and all(mark.strength == HINT for mark in marks):
        kind = next((m for m in marks if m.kind is PieceClass.RIGHTS), marks[0])
        return [Mark(block.index, kind.kind, kind.rule, LIKELY)]
    correction = next((m for m in marks if m.kind is PieceClass.CORRECTION and m.strength >= LIKELY), None)
    if correction:
        return [Mark(block.index, correction.kind, correction.rule, max(m.strength for m in marks))]
    found = [m for m in marks if m.kind is PieceClass.RIGHTS and m.strength >= LIKELY]
    rights = max(found, key=lambda m: m.strength, default=None)
    is_whole = any(hit.whole and NOTICE_CLASSES[hit.name].kind is not PieceClass.RIGHTS for hit in block.hits)
    if rights and len(marks) > 1 and not is_whole:
        strongest = max(m.strength for m in marks)
        return [Mark(block.index, rights.kind, rights.rule, strongest)]
    return marks


def _count_apart(hits: Sequence[Hit]) -> int:
    """How many of the hits do not overlap."""
    count = end = 0
    for hit in sorted(hits, key=lambda h: h.end):
        if hit.start >= end:
            count += 1
            end = hit.end
    return count


def weigh_story(block: Block) -> int:
    """How much speaks for a paragraph of story that quotes or tells of a notice: 0, 1 or 2."""
    doubt = 0
    if block.opens_quoted or ('"' in block.low and any(_is_inside_quotes(block.low, hit.start) for hit in block.hits)):
        doubt += 2
    label = _ANSWER.match(block.low)
    if label and (label[1] or label[2]).strip() in block.lexis.words["answers"]:
        doubt += 2
    if block.text[-1] in "?？" and not any(hit.strength > LIKELY for hit in block.hits if hit.name not in _EDGE_ONLY):
        doubt += 2
    if block.weight > 40 and block.lexis.has_word("speech", block.low):
        doubt += 2
    return min(doubt, 2)


def _is_inside_quotes(low: str, place: int) -> bool:
    return low.count('"', 0, place) % 2 == 1
