"""Finds the dateline at the head of the story, with the agency, reporters and day that it names.

The line stays in the body; the mark only carries facts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from copydesk.cleaning.classes import HINT, LIKELY
from copydesk.cleaning.guesses import looks_like_publisher
from copydesk.cleaning.marks import Fact, Mark
from copydesk.cleaning.names import split_names
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.times import find_moments
from copydesk.cleaning.view import Block, View, fold_for
from copydesk.models import PieceClass

_DEPTH = 12
"""Blocks from the top in which a dateline is looked for."""
_LONGEST = 110
_JOINTS = re.compile(r"\s-{1,3}\s|(?<=\))\s?-{1,3}\s?|(?<=[^\W\d_])-{2}\s?|:\s")
_BRACKET = re.compile(r"[(/\[]\s?([^()\[\]/]{2,40}?)\s?[)/\]]")
_WORD = re.compile(r"[^\W\d_][\w.'’-]*")


def recognise_dateline(view: View, marks: Sequence[Mark], rules: Rules) -> list[Mark]:
    """At most one mark, on the paragraph that opens with a dateline."""
    taken = {mark.block for mark in marks if not mark.is_piece and mark.strength >= LIKELY}
    for block in view.blocks[:_DEPTH]:
        if block.index in taken and (block.hits or (not block.is_prose and block.low[-1] != "-")):
            continue
        facts = _read_patterns(block, rules) or (_read_general(block, rules) if block.weight > 60 else None)
        if facts:
            return [Mark(block.index, PieceClass.BODY, "dateline/place", HINT, tuple(facts))]
    return []


def _read_patterns(block: Block, rules: Rules) -> list[Fact] | None:
    """The habits that the lexicons describe."""
    head = block.low[:200]
    for pattern in block.lexis.datelines:
        match = pattern.match(head)
        if match:
            start, end = match.span("line")
            return _facts(block, block.text[start:end], match.groupdict(), match, rules)
    return None


def _facts(block: Block, line: str, groups: dict[str, str | None], match: re.Match[str], rules: Rules) -> list[Fact]:
    facts = [Fact("dateline", line)]
    if groups.get("agency"):
        agency = block.text[slice(*match.span("agency"))]
        if rules.publisher(agency).name or looks_like_publisher(agency, fold_for(block.lexis, agency), block.lexis):
            facts.append(Fact("source", agency, rank=1))
    if groups.get("authors"):
        written = block.text[slice(*match.span("authors"))]
        facts += [Fact("authors", name) for name in split_names(written, block.lexis, trusted=False)]
    return facts + _day_facts(block, match.end("line"))


def _day_facts(block: Block, end: int) -> list[Fact]:
    moments = find_moments(block.low[:end], block.lexis)
    return [Fact("published", "", moments[0], rank=5)] if moments else []


def _read_general(block: Block, rules: Rules) -> list[Fact] | None:
    """`OSLO, June 4 (Reuters) - `, `HELENA, Mont. – `, `(AP) — `: place, day and agency before a dash."""
    head = block.low[:_LONGEST]
    joint = _JOINTS.search(head) if "-" in head or ": " in head else None
    if not joint or joint.start() < 2:
        return None
    head = block.text[: joint.start()].rstrip()
    agency = _find_agency(head, block, rules)
    core = _BRACKET.sub(" ", head)
    moments = find_moments(block.low[: len(head)], block.lexis)
    is_colon = joint.group().startswith(":")
    if not _has_place(core, is_certain=bool(agency or moments)) and not (agency and not core.strip(" .,-")):
        return None
    if is_colon and not (moments or agency):
        return None
    facts = [Fact("dateline", head.rstrip(" .:") if not re.search(r"\b\w{2,5}\.$", head) else head)]
    if agency:
        facts.append(Fact("source", agency, rank=1))
    return facts + _day_facts(block, len(head))


def _find_agency(head: str, block: Block, rules: Rules) -> str | None:
    """The publisher in the brackets, known or by its looks, or one that is the whole head."""
    for match in _BRACKET.finditer(head):
        for piece in re.split(r"[,/–-]", match[1]):
            if rules.publisher(piece).name:
                return piece.strip()
        if looks_like_publisher(match[1], fold_for(block.lexis, match[1]), block.lexis):
            return match[1].strip()
    return head if rules.publisher(head).name else None


def _has_place(core: str, *, is_certain: bool) -> bool:
    """True when the words before the dash can be a place: capitals throughout, or capitalised beside an agency."""
    words = _WORD.findall(core)
    if not words or len(words) > 9 or not words[0][:1].isupper():
        return False
    if words[0].isupper() and len(words[0]) > 2:
        return all(w[:1].isupper() or len(w) <= 5 for w in words)
    return is_certain and len(words) <= 8 and sum(w[:1].isupper() for w in words) >= 0.5 * len(words)
