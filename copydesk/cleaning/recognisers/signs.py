"""Signs that need no language: ©, addresses, bars between short words, end and page marks, tags, repetition."""

from __future__ import annotations

import re
from collections import Counter

from copydesk.cleaning.classes import HINT, LIKELY, SURE
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View
from copydesk.models import PieceClass

_COPYRIGHT = re.compile(r"[©℗]|\(c\)\s?(?:19|20)\d\d|\(c\)\s[^\W\d]|&copy;")
_PAGE_MARK = re.compile(r"[(\[<-]?\s?\d{1,3}\s?/\s?\d{1,3}\s?[)\]>-]?$")
_BARE_NUMBER = re.compile(r"[-\s]*\d{1,3}[-\s]*$")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S{3,}|\b\S{1,60}@\S{1,60}\.\w{2,}")
_PHONE = re.compile(r"\+?\d[\d\s().-]{6,20}\d")
_THIRTY = re.compile(r"[-\s]*(?:30|0|ends?|fin)[-\s]+$")
_TAG = re.compile(r"[#＃][\w-]+")
_ARROWS = "↓↑→▼▲►▶☞☟👇⬇»›"
_NAV_ITEM = 30
_SHORT_NOTICE = 400


def recognise_signs(view: View, rules: Rules) -> list[Mark]:
    """Marks by form alone."""
    counts = Counter(block.low for block in view.blocks)
    marks = []
    for block in view.blocks:
        found = _mark_form(block) or _mark_repeated(block, counts)
        if found:
            kind, rule, strength = found
            marks.append(Mark(block.index, kind, f"signs/{rule}", strength))
    return marks


def _mark_form(block: Block) -> tuple[PieceClass, str, int] | None:
    low = block.low
    if len(low) > _SHORT_NOTICE:
        return None
    if not any(map(str.isalnum, low)):
        return PieceClass.DROPPED, "rule_line", SURE
    if ("(c)" in low or "©" in low or "℗" in low or "&copy;" in low) and _COPYRIGHT.search(low):
        if block.opens_quoted or low.count('"', 0, max(low.find("©"), 0)) % 2:
            return None
        return PieceClass.RIGHTS, "copyright_sign", SURE if low.find("©") <= _NAV_ITEM or not block.is_prose else LIKELY
    if len(low) <= 12 and (_PAGE_MARK.match(low) or _THIRTY.match(low)):
        return PieceClass.DROPPED, "page_or_end_mark", SURE
    if len(low) <= 6 and _BARE_NUMBER.match(low):
        return PieceClass.DROPPED, "bare_number", HINT
    return _mark_links(block)


def _mark_links(block: Block) -> tuple[PieceClass, str, int] | None:
    low = block.low
    if "@" in low or "http" in low or "www." in low:
        rest = _PHONE.sub("", _ADDRESS.sub("", low))
        if len(rest.strip()) < 30 and len(rest.strip()) < 0.7 * len(low):
            return PieceClass.DROPPED, "address", SURE if len(rest.strip()) < 4 else LIKELY
    if low.startswith("#") and not _TAG.sub("", low).strip(" ,"):
        return PieceClass.DROPPED, "tags", SURE
    if _is_navigation(low):
        return PieceClass.DROPPED, "bar_list", LIKELY
    if block.text[-1] in _ARROWS or block.text[0] in _ARROWS:
        return PieceClass.DROPPED, "arrows", LIKELY if not block.is_prose else HINT
    return None


def _is_navigation(low: str) -> bool:
    """At least three short words between bars, without figures: `Fixtures | Tables | Buy tickets`."""
    for bar in ("|", " > ", " · ", " • "):
        if low.count(bar) >= 2:
            items = [item.strip() for item in low.split(bar)]
            return all(len(item) <= _NAV_ITEM for item in items) and not any(map(str.isdecimal, low))
    return False


def _mark_repeated(block: Block, counts: Counter[str]) -> tuple[PieceClass, str, int] | None:
    if counts[block.low] < 3 or block.is_prose or len(block.low) < 4 or any(map(str.isdecimal, block.low)):
        return None
    return PieceClass.DROPPED, "repeated", LIKELY
