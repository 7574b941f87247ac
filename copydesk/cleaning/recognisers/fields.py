"""Marks whole lines that are rows of fields: release lines, bylines, credit lines, picture credits, sections."""

from __future__ import annotations

from functools import lru_cache

from copydesk.cleaning.beside import FieldLine
from copydesk.cleaning.classes import HINT, LIKELY, SURE
from copydesk.cleaning.fieldcuts import has_colon_label, has_edge_label, is_label
from copydesk.cleaning.fieldline import LONGEST_LINE, read_fields
from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.normalise import has_digit, normalise
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View, fold_for, split_columns
from copydesk.models import PieceClass

_EDGE = 14
"""Blocks from either end in which unlabelled lines are looked at; heads and tails of the press are shorter."""
_BRACKETS = {"(": ")", "[": "]"}
_TABLE_CELLS = 3


def recognise_fields(view: View, rules: Rules) -> list[Mark]:
    """Marks field lines, with the facts they give."""
    marks = []
    last = len(view.blocks) - 1
    for block in view.blocks:
        is_edge = block.index < _EDGE or last - block.index < _EDGE
        if len(block.text) <= LONGEST_LINE and (is_edge or ":" in block.low) and _may_hold_fields(block):
            mark = _mark_line(block, view, rules)
            if mark:
                marks.append(mark)
    return marks


def _may_hold_fields(block: Block) -> bool:
    """False for questions, and for prose that has no label: most paragraphs end here, unread."""
    if block.text[-1] in "?？!！":
        return False
    if any(hit.whole and hit.strength >= SURE for hit in block.hits):
        return False
    if not block.is_sentence:
        return True
    if not block.is_prose and has_digit(block.low):
        return True
    return has_colon_label(block.low, block.lexis) or has_edge_label(block.low, block.lexis)


def _mark_line(block: Block, view: View, rules: Rules) -> Mark | None:
    raw = block.lines[0].text if len(block.lines) == 1 else ""
    line = read_fields(read_columns(block.text, raw, block.lexis), block.lexis, rules)
    if not line.facts:
        return None
    has_moment = any(fact.moment for fact in line.facts)
    if line.is_understood:
        if line.labelled or has_moment:
            strength = SURE
        elif any(fact.rank < 4 for fact in line.facts):
            strength = LIKELY
        else:
            strength = HINT
    elif _is_mostly_understood(line, block, has_moment=has_moment):
        strength = LIKELY
    else:
        return None
    if not line.labelled and (block.is_prose or (block.is_sentence and not has_moment)):
        return None
    if _is_table_note(block, view, line):
        return None
    has_page = any(fact.role == "dropped" for fact in line.facts)
    rule = _rule_of(line) if line.labelled or has_moment or has_page else "fields/unlabelled"
    return Mark(block.index, _kind_of(line), rule, strength, tuple(line.facts))


@lru_cache(maxsize=4096)
def read_columns(text: str, raw: str, lexis: Lexis) -> tuple[str, ...]:
    """The columns of a paragraph, those of its `raw` line where it has only one; a bracket about all is taken off."""
    low = fold_for(lexis, text)
    if low[0] in _BRACKETS and low.endswith(_BRACKETS[low[0]]) and low.count(low[0]) == 1:
        return (normalise(text[1:-1]),)
    columns = split_columns(raw) if raw else [text]
    if len(columns) == 2 and fold_for(lexis, columns[0]) in lexis.colon:
        return (": ".join(columns),)
    if len(columns) > 1 and is_label(columns[0], lexis):
        return (" ".join(columns),)
    return tuple(columns)


def _is_mostly_understood(line: FieldLine, block: Block, *, has_moment: bool) -> bool:
    """A field line with one odd part: a print section, a desk's name, a place."""
    odd = sum(map(len, line.unknown))
    if block.is_prose or len(line.unknown) > 1 or odd > 60:
        return False
    return (has_moment or line.labelled > 0) and odd <= max(0.6 * len(block.text), 12)


def _is_table_note(block: Block, view: View, line: FieldLine) -> bool:
    """A source note under a table belongs to the table."""
    if not all(fact.role in ("source", "dropped") for fact in line.facts) or not block.index:
        return False
    rows = [b for b in view.blocks[max(0, block.index - 4) : block.index] if _is_row(b)]
    return len(rows) >= 2 and rows[-1].index == block.index - 1


def _is_row(block: Block) -> bool:
    """A line of a table: figures in columns, or short text with figures."""
    figures = sum(any(map(str.isdecimal, word)) for word in block.text.split())
    columns = len(split_columns(block.lines[0].text))
    return not block.ends_sentence and figures >= 1 and (columns >= _TABLE_CELLS or figures >= 2 or "|" in block.text)


def _kind_of(line: FieldLine) -> PieceClass:
    roles = {fact.role for fact in line.facts if not (fact.role == "source" and fact.rank >= 2)}
    if roles and roles <= {"photographers"}:
        return PieceClass.CAPTION
    if roles <= {"dropped"} and not any(fact.role == "source" for fact in line.facts):
        return PieceClass.DROPPED
    return PieceClass.METADATA


def _rule_of(line: FieldLine) -> str:
    roles = {fact.role for fact in line.facts}
    if roles & {"published", "updated"}:
        return "fields/release_line"
    if "photographers" in roles and len(roles) == 1:
        return "fields/picture_credit"
    if roles & {"authors"}:
        return "fields/byline"
    return "fields/source" if "source" in roles else "fields/credits"


def facts_of_piece(line: FieldLine) -> tuple[Fact, ...]:
    """The facts of a credit that is glued to a paragraph."""
    return tuple(fact for fact in line.facts if fact.role not in ("dropped", "other"))
