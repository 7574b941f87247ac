"""Marks what is glued to the end of a paragraph: credits in brackets, end marks, agency slugs."""

from __future__ import annotations

import re
from dataclasses import replace

from copydesk.cleaning.beside import FieldLine
from copydesk.cleaning.classes import LIKELY, SURE
from copydesk.cleaning.fieldline import read_fields
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.recognisers.fields import facts_of_piece
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_LONGEST = 200
_LONGEST_BYLINE = 16
_PAIRS = {")": "(", "]": "["}
_SENTENCE_ENDS = ".!?。！？…।۔؟\"'”’」』)）】]"
_DASHED = re.compile(r"\s[-–—]\s?([^-–—]{2,40})$")
_DATE_SLUG = re.compile(r"\d{6,8}$")
_END_SIGNS = "■□▪◼●◆♦▲"
_BARE_INITIALS = re.compile(r"[^\W\d_]{2,4}(?:[/,] ?[^\W\d_]{2,4}){0,3}$")
_SIGNED = re.compile(r"(?:[^\W\d_]\.[ -]?){1,2}[^\W\d_][\w'’-]{2,20}$")
_INITIALS = re.compile(r"(?:[^\W\d_]{1,5}[/ .-]?){1,6}$")


def recognise_glued(view: View, rules: Rules) -> list[Mark]:
    """Marks pieces at the end of paragraphs of prose, working inwards until nothing more is found."""
    marks = []
    last_prose = max((b.index for b in view.blocks if b.is_prose and not _is_notice(b)), default=-1)
    for block in view.blocks:
        end = len(block.text)
        for _ in range(3):
            mark = _mark_end(block, end, rules, is_last=block.index >= last_prose)
            if mark is None:
                break
            marks.append(mark)
            end = len(block.text[: mark.start].rstrip())
    return marks


def _is_notice(block: Block) -> bool:
    """True when the paragraph holds a phrase that makes it likely a notice."""
    return any(hit.strength >= LIKELY for hit in block.hits)


def _mark_end(block: Block, end: int, rules: Rules, *, is_last: bool) -> Mark | None:
    text, low = block.text[:end], block.low[:end]
    if len(text) < 20 and not block.is_unspaced:
        return None
    if text[-1:] in _END_SIGNS:
        return Mark(block.index, PieceClass.DROPPED, "glued/end_mark", SURE, start=end - 1, end=end)
    if low[-2:-1] in _PAIRS and low[-1] == "." and is_last:
        # `(ANSA).`: the stop belongs to the credit.
        mark = _mark_bracket(block, text[:-1], low[:-1], rules, is_last=is_last)
        return replace(mark, end=end) if mark else None
    if low[-1:] in _PAIRS:
        return _mark_bracket(block, text, low, rules, is_last=is_last)
    dashed = _mark_dashed(block, text, rules) if is_last else None
    return dashed or _mark_words(block, text, low, rules, is_last=is_last)


def _mark_bracket(block: Block, text: str, low: str, rules: Rules, *, is_last: bool) -> Mark | None:
    start = low.rfind(_PAIRS[low[-1]])
    if start <= 0 or len(low) - start > _LONGEST:
        return None
    is_finished = text[:start].rstrip().endswith(tuple(_SENTENCE_ENDS))
    if not is_finished and not (is_last and block.is_prose):
        return None
    inner = text[start + 1 : -1].strip()
    inner_low = low[start + 1 : -1].strip()
    if any(h.whole and h.name in ("end", "page") for h in block.lexis.find_hits(inner_low)):
        return Mark(block.index, PieceClass.DROPPED, "glued/end_mark", SURE, start=start, end=len(text))
    if is_last and is_finished and (signed := _mark_signature(block, inner, start, len(text))):
        return signed
    line = read_fields((inner,), block.lexis, rules) if inner else FieldLine()
    if line.is_understood and (
        line.labelled or _is_credit(line, text[start], inner, is_last=is_last, is_finished=is_finished)
    ):
        return Mark(
            block.index, PieceClass.METADATA, "glued/credit", SURE, facts_of_piece(line), start=start, end=len(text)
        )
    return None


def _mark_signature(block: Block, inner: str, start: int, end: int) -> Mark | None:
    """`(sb)`, `(T. Vauquelin)` behind the story's last sentence."""
    if _BARE_INITIALS.match(inner) and inner == inner.lower() and not block.is_unspaced:
        return Mark(block.index, PieceClass.DROPPED, "glued/initials", SURE, start=start, end=end)
    if _SIGNED.match(inner):
        facts = (Fact("authors", inner, rank=2),)
        return Mark(block.index, PieceClass.METADATA, "glued/credit", SURE, facts, start=start, end=end)
    return None


def _is_credit(line: FieldLine, bracket: str, inner: str, *, is_last: bool, is_finished: bool) -> bool:
    """A bracket without a label counts at the story's end: an agency's name, or a name in the brackets of bylines.

    In Chinese and Japanese round brackets are such brackets too: `（西岡由衣）`, `（共同＝梶原悠斗）`.
    """
    known = any(fact.role == "source" and fact.rank < 4 for fact in line.facts)
    if not is_last or (any(fact.moment for fact in line.facts) and not known):
        return False
    is_byline = bracket in "【〔" or (bracket == "（" and is_finished and len(inner) <= _LONGEST_BYLINE)
    return known or (is_byline and any(fact.role == "authors" for fact in line.facts))


def _mark_dashed(block: Block, text: str, rules: Rules) -> Mark | None:
    """`… -สำนักข่าวไทย`: an agency behind a dash, in scripts without a full stop too."""
    dashed = _DASHED.search(text[-_LONGEST:])
    if not dashed or not rules.publisher(dashed[1]).agency:
        return None
    facts = (Fact("source", dashed[1].strip(), rank=2),)
    start = len(text) - len(dashed[0]) + 1
    return Mark(block.index, PieceClass.METADATA, "glued/slug", SURE, facts, start=start, end=len(text))


def _mark_words(block: Block, text: str, low: str, rules: Rules, *, is_last: bool) -> Mark | None:
    """Words behind the last finished sentence: `Enditem`, `PTI TGB RMT KH`, `Editor: …`."""
    if text[-1] in _SENTENCE_ENDS:
        return None
    window = text[-_LONGEST:]
    cut = max(window.rfind(mark) for mark in _SENTENCE_ENDS)
    if cut < 0 or len(window) - cut <= 1:
        return None
    start = len(text) - len(window) + cut + 1
    tail, tail_low = text[start:], low[start:]
    if len(tail.strip()) > 80 or (tail[:1].isalnum() and not block.is_unspaced):
        return None
    start += len(tail) - len(tail.lstrip())
    tail, tail_low = tail.strip(), tail_low.strip()
    is_end = any(h.whole and h.name == "end" for h in block.lexis.find_hits(tail_low))
    if is_end or (is_last and _DATE_SLUG.match(tail_low)):
        return Mark(block.index, PieceClass.DROPPED, "glued/end_mark", SURE, start=start, end=len(text))
    words = tail.split()
    if is_last and words and rules.publisher(words[0]).agency and _INITIALS.match(tail_low):
        facts = (Fact("source", words[0], rank=2),)
        return Mark(block.index, PieceClass.METADATA, "glued/slug", SURE, facts, start=start, end=len(text))
    return None
