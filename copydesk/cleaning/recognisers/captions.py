"""Marks whole lines that describe a picture: text with a picture credit behind it, or in brackets at its end."""

from __future__ import annotations

import re

from copydesk.cleaning.classes import LIKELY, SURE
from copydesk.cleaning.fieldcuts import colon_labels
from copydesk.cleaning.fieldline import read_fields
from copydesk.cleaning.guesses import looks_like_publisher
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.names import split_names
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View, fold_for
from copydesk.models import PieceClass

_LONGEST = 400
_MOST_PARTS = 3
_LONGEST_CREDIT = 80
_TAIL = re.compile(r"(?:[(\[][^()\[\]]{2,80}[)\]]|(?<=[.!?。！？…])[^.!?。！？…]{2,90}[.。]?)$")
_SIGNED = re.compile(r"\w{2}[.!?…] ?© ?([^\W\d_][^.!?©\d]{2,50})$")
_MARKUP = ("figcaption", "caption")


def recognise_captions(view: View, rules: Rules) -> list[Mark]:
    """Marks captions by markup or by the credit at their end."""
    marks = []
    for block in view.blocks:
        if block.role in _MARKUP:
            marks.append(
                Mark(block.index, PieceClass.CAPTION, "captions/markup", SURE, tuple(_find_credit(block, rules)))
            )
        elif len(block.text) <= _LONGEST:
            facts = _find_credit(block, rules)
            if facts:
                strength = SURE if len(block.text) < _LONGEST // 2 else LIKELY
                marks.append(Mark(block.index, PieceClass.CAPTION, "captions/credit", strength, tuple(facts)))
    return marks


def _find_credit(block: Block, rules: Rules) -> list[Fact]:
    """The photographers that the end of the line credits; empty where it credits none."""
    if block.hits and any(hit.name == "caption" and hit.strength >= LIKELY for hit in block.hits):
        named = _read_label(block, rules)
        if named:
            return named
    if not block.hits and (signed := _read_signed(block, rules)):
        return signed
    foot = block.low[-100:]
    if "/" not in foot and not _has_picture_word(foot, block):
        return []
    match = _TAIL.search(block.text[-100:])
    if not match:
        return []
    tail = match.group().strip(" ()[]（）【】")
    line = read_fields((tail,), block.lexis, rules)
    roles = {fact.role for fact in line.facts if fact.role != "source"}
    is_credit = line.labelled and not line.unknown and roles == {"photographers"}
    credited = [fact for fact in line.facts if fact.role == "photographers"] if is_credit else []
    return _read_agency_credit(tail, block, rules) or credited


def _read_signed(block: Block, rules: Rules) -> list[Fact]:
    """`The boot in question. © Arie Blom`: the sign stands for who took the picture."""
    match = _SIGNED.search(block.text)
    names = split_names(match[1], block.lexis, trusted=False) if match else []
    return [Fact("photographers", name) for name in names if not rules.publisher(name).name]


def _read_label(block: Block, rules: Rules) -> list[Fact]:
    """Who stands behind the last label of a picture credit in a line that a phrase tells for a caption."""
    labels = [end for _, end, role, _ in colon_labels(block.low, block.lexis) if role == "photographers"]
    written = block.text[labels[-1] :] if labels else ""
    names = split_names(written.strip(" .)]）"), block.lexis, trusted=True) if len(written) <= _LONGEST_CREDIT else []
    return [
        Fact("photographers", name)
        for name in names
        if not rules.publisher(name).name and not looks_like_publisher(name, fold_for(block.lexis, name), block.lexis)
    ]


def _has_picture_word(foot: str, block: Block) -> bool:
    """True when a label of picture credits stands in the end of the line."""
    return block.lexis.picture_words.stands_loosely_in(foot)


def _read_agency_credit(tail: str, block: Block, rules: Rules) -> list[Fact]:
    """`AP Photo/Moana Treadwell`, `Jane Roe/Pool via AP`: a name and a known agency about a slash."""
    parts = [part.strip() for part in re.split(r"[/／]", tail) if part.strip()]
    if not 2 <= len(parts) <= _MOST_PARTS or has_digit(tail):
        return []
    known = [p for p in parts if any(rules.publisher(word).name for word in (p, p.split()[0], p.split()[-1]) if p)]
    names = [n for p in parts if p not in known for n in split_names(p, block.lexis, trusted=False)]
    return [Fact("photographers", name) for name in names] if known else []
