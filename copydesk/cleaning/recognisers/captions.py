"""Marks whole lines that describe a picture: text with a picture credit behind it, or in brackets at its end."""

from __future__ import annotations

import re

from copydesk.cleaning.classes import LIKELY, SURE
from copydesk.cleaning.fieldline import read_fields
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_LONGEST = 500
_TAIL = re.compile(r"(?:[(\[][^()\[\]]{2,80}[)\]]|(?<=[.!?。！？…])[^.!?。！？…]{2,90}[.。]?)$")
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
    match = _TAIL.search(block.text[-100:])
    if not match:
        return []
    tail = match.group().strip(" ()[]（）【】")
    line = read_fields([tail], block.lexis, rules)
    roles = {fact.role for fact in line.facts if fact.role != "source"}
    if line.labelled and not line.unknown and roles == {"photographers"}:
        return [fact for fact in line.facts if fact.role == "photographers"]
    return []
