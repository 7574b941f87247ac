"""Signs that need no language: ©, addresses, bars between short words, end and page marks, tags, repetition."""

from __future__ import annotations

import re
from collections import Counter

from copydesk.cleaning.classes import HINT, LIKELY, SURE
from copydesk.cleaning.marks import Mark
from copydesk.cleaning.normalise import fold, has_digit
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.view import Block, View, split_columns
from copydesk.models import PieceClass

_COPYRIGHT = re.compile(r"[©℗ⓒⒸ]|\(c\)\s?(?:19|20)\d\d|\(c\)\s[^\W\d]|&copy;")
_PAGE_MARK = re.compile(r"[(\[<-]?\s?\d{1,3}\s?/\s?\d{1,3}\s?[)\]>-]?$")
_BARE_NUMBER = re.compile(r"[-\s]*\d{1,3}[-\s]*$")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S{3,}|\b\S{1,60}@\S{1,60}\.\w{2,}|(?<!\w)@\w{2,30}")
_MAIL = re.compile(r"\w@[\w.-]{2,60}\.\w{2,}")
_SLUG = re.compile(r"[a-z]{1,4}-[a-z-]{2,20}--\S|.{0,60}\bld-writethru|(?:zczc|nnnn)\b|[a-z]{1,2}\d{3,4}\s")
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,3}[-/][A-Z0-9]{1,4}$")
_CODES = re.compile(r"[A-Z]{2,4}(?:\s?/{1,2}\s?[A-Z]{2,4}){1,4}$")
_INITIALS = re.compile(r"\(?[^\W\d_]{1,4}(?:[/ ]{1,4}[^\W\d_]{1,4}){0,4}/?\)?$")
_PHONE = re.compile(r"\+?\d[\d\s().-]{6,20}\d")
_PLAYER = re.compile(r"\d{1,2}:\d\d(?:\s?[/|]\s?-?\d{1,2}:\d\d)?$")
_LONE_INITIALS = re.compile(r"[^\W\d_]{2,4}(?:[ /,-][^\W\d_]{2,4})?\.?$")
_CREDIT = re.compile(r"\w{2}[.!?…] ?© ?[^\W\d_][^.!?©]{2,50}$")
_THIRTY = re.compile(r"[-\s]*(?:30|0|ends?|fin)[-\s]+$")
_TAG = re.compile(r"[#＃][\w-]+")
_ARROWS = "↓↑→▼▲►▶☞☟👇⬇"
_NAV_ITEM = 30
_TRAIL = re.compile(r"\s*[|>»→›▸]\s*|\s[/\\•·-]\s")
_TRAIL_HEAD = 8
_TRAIL_LONGEST, _TRAIL_WORDS = 90, 4
_REMARK = 200
_HEAD, _FOOT = 15, 8
_HEADER = re.compile(r"[^\W\d_][\w.-]{1,24}(?: [\w.-]{1,24})?:\s?\S.{0,80}$")
_HEADER_LINES = 3
_SHORT_NOTICE = 400


def recognise_signs(view: View, rules: Rules) -> list[Mark]:
    """Marks by form alone."""
    counts = Counter(block.low for block in view.blocks)
    marks = _mark_header(view)
    for block in view.blocks:
        found = (
            _mark_form(block) or _mark_trail(block) or _mark_slug(block, view, rules) or _mark_repeated(block, counts)
        )
        if found:
            kind, rule, strength = found
            marks.append(Mark(block.index, kind, f"signs/{rule}", strength))
    return marks


def _mark_header(view: View) -> list[Mark]:
    """Three lines or more of `Label: value` without a blank line between, above the first paragraph of prose."""
    run: list[Block] = []
    for block in view.blocks[:_HEAD]:
        if block.is_prose:
            break
        if run and block.blank_before:
            if len(run) >= _HEADER_LINES:
                break
            run = []
        is_pair = "\t" in block.lines[0].text.strip() and len(split_columns(block.lines[0].text)) == 2
        if (is_pair or _HEADER.match(block.low)) and not block.is_sentence:
            run.append(block)
    labels = {block.low.partition(":")[0] for block in run}
    if len(run) < _HEADER_LINES or len(labels) < len(run):
        return []  # labels that come back are those of an interview
    return [Mark(block.index, PieceClass.DROPPED, "signs/header_line", LIKELY) for block in run]


def _mark_form(block: Block) -> tuple[PieceClass, str, int] | None:  # noqa: PLR0911  # one sign a line
    low = block.low
    if len(low) > _SHORT_NOTICE:
        return None
    if not any(map(str.isalnum, low)):
        return PieceClass.DROPPED, "rule_line", SURE
    if (not low.isascii() or "(c)" in low or "&copy;" in low) and _COPYRIGHT.search(low):
        if block.opens_quoted or low.count('"', 0, max(low.find("©"), 0)) % 2:
            return None
        if _CREDIT.search(block.text) and not block.hits and not has_digit(low):
            return None  # a caption with its photographer
        if (
            block.is_prose
            and sum(hit.name == "rights" for hit in block.hits) < 2
            and not has_digit(low[: low.find("©") + _NAV_ITEM])
        ):
            return None  # a sentence about the sign
        return PieceClass.RIGHTS, "copyright_sign", SURE if low.find("©") <= _NAV_ITEM or not block.is_prose else LIKELY
    if len(low) <= 12 and (_PAGE_MARK.match(low) or _THIRTY.match(low)):
        return PieceClass.DROPPED, "page_or_end_mark", SURE
    if len(low) <= 13 and block.index < _HEAD and _PLAYER.match(low):
        return PieceClass.DROPPED, "player_time", LIKELY
    if len(low) <= 6 and _BARE_NUMBER.match(low):
        return PieceClass.DROPPED, "bare_number", HINT
    if _SLUG.match(low) and not block.is_sentence:
        return PieceClass.DROPPED, "slug", SURE
    return _mark_links(block)


def _mark_trail(block: Block) -> tuple[PieceClass, str, int] | None:
    """The path to a page above its headline: `Home > Region > Northwind`, `News / Cities / Northwind`.

    Three items or more, or two of which the first is an item of the site's menu.
    """
    if block.index >= _TRAIL_HEAD or len(block.low) > _TRAIL_LONGEST or has_digit(block.low) or block.ends_sentence:
        return None
    items = [fold(item) for item in _TRAIL.split(block.text.strip(" >»›/|")) if item]
    if len(items) < 2 or any(len(item.split()) > _TRAIL_WORDS or ":" in item for item in items):
        return None
    is_home = any(hit.whole and hit.name == "site" for hit in block.lexis.find_hits(items[0]))
    is_path = len(items) > 2 and ("/" in block.low or ">" in block.low or "»" in block.text or "→" in block.text)
    return (PieceClass.DROPPED, "trail", SURE if is_home else LIKELY) if is_home or is_path else None


def _mark_slug(block: Block, view: View, rules: Rules) -> tuple[PieceClass, str, int] | None:
    """The last lines of an agency's story: `dpa kvo bh`, `AP-ES-06-04-24 1815EDT`, `(mfh)`."""
    low = block.low
    if len(low) > 40 or block.index < max(2, len(view.blocks) - _FOOT):
        return None
    words = re.split(r"[-\s/]+", low.strip("()[] ."))
    if len(words) > 1 and rules.publisher(words[0]).agency and all(len(w) <= 7 for w in words[1:]):
        return PieceClass.METADATA, "agency_slug", SURE
    if (len(low) <= 9 and _CODE.match(block.text)) or (len(low) <= 20 and _CODES.match(block.text)):
        return PieceClass.DROPPED, "initials", LIKELY
    if len(low) <= 14 and _INITIALS.match(low) and (low[0] == "(" or "/" in low) and (block.text == low or "//" in low):
        return PieceClass.DROPPED, "initials", LIKELY
    if len(low) <= 9 and block.text == low and _LONE_INITIALS.match(low) and _tells_case(low):
        return PieceClass.DROPPED, "initials", HINT
    return None


def _tells_case(low: str) -> bool:
    return low.upper() != low


def _mark_links(block: Block) -> tuple[PieceClass, str, int] | None:
    low = block.low
    if "@" in low or "http" in low or "www." in low:
        rest = _PHONE.sub("", _ADDRESS.sub("", low)).strip(" :,.;|()")
        if len(rest) < 30 and len(rest) < 0.7 * len(low):
            return PieceClass.DROPPED, "address", SURE if len(rest) < 10 else LIKELY
        if not block.opens_quoted and (_MAIL.search(low) or "://" in low or "www." in low):
            return PieceClass.DROPPED, "mail_address", LIKELY if block.weight < _REMARK else HINT
    if low.startswith("#") and not _TAG.sub("", low).strip(" ,"):
        return PieceClass.DROPPED, "tags", SURE
    if _is_navigation(low):
        return PieceClass.DROPPED, "bar_list", LIKELY
    # A closing quotation mark points the same way, but then the line holds the opening one.
    is_pointed = block.text[-1] in "»›" and not any(c in block.text for c in "«‹")
    if block.text[-1] in _ARROWS or block.text[0] in _ARROWS or is_pointed:
        return PieceClass.DROPPED, "arrows", LIKELY if not block.is_prose else HINT
    return None


def _is_navigation(low: str) -> bool:
    """At least three short words between bars, without figures: `Fixtures | Tables | Buy tickets`."""
    for bar in ("|", " > ", " · ", " • "):
        if low.count(bar) >= 2:
            items = [item.strip() for item in low.split(bar)]
            return all(len(item) <= _NAV_ITEM for item in items) and not has_digit(low)
    return False


def _mark_repeated(block: Block, counts: Counter[str]) -> tuple[PieceClass, str, int] | None:
    if counts[block.low] < 3 or block.is_prose or len(block.low) < 4 or has_digit(block.low):
        return None
    return PieceClass.DROPPED, "repeated", LIKELY
