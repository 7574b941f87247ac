"""Cleaning of one candidate, top to bottom: paragraphs, language, marks, decision, article. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from copydesk.cleaning.assembly import Context, assemble
from copydesk.cleaning.decision import decide
from copydesk.cleaning.language import detect_language
from copydesk.cleaning.lexis import Hit, Lexis
from copydesk.cleaning.profiles import Profile
from copydesk.cleaning.recognisers import recognise_all
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.sender import overrule
from copydesk.cleaning.unwrap import group_lines
from copydesk.cleaning.view import Block, View, fold_for, join_lines
from copydesk.models import Cleaned, Hints, Parsed

_SPREAD = re.compile(r"(?:\S ){4}")
_OTHER_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("ko", re.compile("[\uac00-\ud7a3]")),
)
_ANY_OTHER_SCRIPT = re.compile("[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]")
"""Lines in another script than the document's are read with the lexicon of that script's language."""


def clean(parsed: Parsed, *, profile: Profile, rules: Rules, received_at: datetime, hints: Hints) -> Cleaned:
    """Tell story from notices and metadata. A function of its arguments alone; raises nothing on any text."""
    view = build_view(parsed, rules, hints, profile)
    decision = overrule(decide(view, recognise_all(view, rules, profile.learnt)), profile)
    return assemble(view, decision, Context(profile, hints, rules, received_at))


def build_view(parsed: Parsed, rules: Rules, hints: Hints, profile: Profile) -> View:
    """The candidate's paragraphs with folded text and phrase hits."""
    groups = group_lines(parsed.lines)
    texts = [join_lines([line.text for line in group]) for group in groups]
    language = detect_language([text for text in texts if text], rules.variants, rules.common)
    language = language or parsed.fields.language or hints.language or profile.language
    lexis = rules.lexis(language)
    blocks: list[Block] = []
    for group, text in zip(groups, texts, strict=True):
        if not text:
            continue
        own = lexis if text.isascii() else _lexis_for(text, lexis, rules)
        block = Block(
            index=len(blocks),
            lines=group,
            text=text,
            low=fold_for(own, text),
            lexis=own,
            role=group[0].role,
            blank_before=group[0].blank_before,
        )
        block.hits = _find_hits(block)
        blocks.append(block)
    return View(
        blocks=blocks, lexis=lexis, language=language, fields=parsed.fields, is_extracted=parsed.format == "html"
    )


def _find_hits(block: Block) -> tuple[Hit, ...]:
    """The phrases of a paragraph; a line of single characters with spaces between is read without the spaces."""
    hits = block.lexis.find_hits(block.low)
    if not hits and block.is_unspaced and _SPREAD.match(block.low):
        found = block.lexis.find_hits(block.low.replace(" ", ""))
        hits = tuple(replace(hit, start=0, end=len(block.low)) for hit in found)
    return hits


def _lexis_for(text: str, lexis: Lexis, rules: Rules) -> Lexis:
    if lexis.language in ("zh", "ja", "ko"):
        return lexis
    head = text[:60]
    for language, letters in _OTHER_SCRIPTS if _ANY_OTHER_SCRIPT.search(head) else ():
        if letters.search(head):
            return rules.lexis(language)
    return lexis
