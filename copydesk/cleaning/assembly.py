"""Turns rulings into the cleaned article: paragraphs, pieces with their places, and the metadata that facts give."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from copydesk.cleaning.classes import CREDIT_ROLES
from copydesk.cleaning.decision import Decision
from copydesk.cleaning.marks import Fact
from copydesk.cleaning.normalise import normalise
from copydesk.cleaning.profiles import Profile
from copydesk.cleaning.publisher import find_publisher, names_of_people
from copydesk.cleaning.refused import refused
from copydesk.cleaning.rules import Rules
from copydesk.cleaning.rulings import Ruling
from copydesk.cleaning.times import Moment, format_moment
from copydesk.cleaning.view import Block, View, joins_with_space
from copydesk.models import Cleaned, Hints, Piece, PieceClass, Span

_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PAGE_RULES = ("signs/page_or_end_mark", "notices/page", "signs/bare_number", "notices/advert", "notices/related")


@dataclass(frozen=True, slots=True)
class Context:
    """What stands beside the text: the sender, what it said, and when the item came."""

    profile: Profile
    hints: Hints
    rules: Rules
    received_at: datetime


def assemble(view: View, decision: Decision, context: Context) -> Cleaned:
    """Build the cleaned article, or the empty one where the document is no article."""
    if decision.reason is not None:
        return _assemble_notice(view, decision)
    rulings = decision.rulings
    texts = {r.block.index: _strip_pieces(r) for r in rulings}
    facts = list(_facts(decision))
    body = _join_cut(rulings, texts)
    source = view.fields.publisher or find_publisher(facts, rulings, texts, context.rules)
    published, updated = _find_times(view, facts, source, context, _year_of_rights(rulings))
    dateline = next((f.value for f in facts if f.role == "dateline"), None)
    if dateline and not any(p.startswith(dateline) for p in body):
        dateline = None
    by_role = {role: names for role in CREDIT_ROLES if (names := _values(facts, role))}
    title = next((texts[r.block.index] for r in rulings if r.kind is PieceClass.TITLE), None)
    return Cleaned(
        is_article=True,
        language=view.fields.language or view.language,
        title=view.fields.title or title or context.hints.title,
        section=view.fields.section or _find_section(facts),
        published_at=published,
        zone_unknown=_lacks_zone(published),
        updated_at=updated,
        publisher=source,
        authors=view.fields.authors or names_of_people(facts, source, context.rules),
        credits=by_role,
        dateline=dateline,
        rights=_collect(rulings, texts, PieceClass.RIGHTS) or view.fields.rights or context.profile.rights,
        captions=_collect(rulings, texts, PieceClass.CAPTION),
        corrections=_collect(rulings, texts, PieceClass.CORRECTION),
        body=body,
        pieces=tuple(_pieces(rulings)),
        warnings=_warn(published, context),
    )


def _assemble_notice(view: View, decision: Decision) -> Cleaned:
    for ruling in decision.rulings:
        if ruling.kind is not PieceClass.RIGHTS:
            if ruling.kind in (PieceClass.BODY, PieceClass.TITLE):
                ruling.rule = "decision/no_article"
            ruling.kind = PieceClass.DROPPED
        ruling.pieces = ()
    texts = {r.block.index: r.block.text for r in decision.rulings}
    return refused(
        decision.reason,
        language=view.language,
        pieces=_pieces(decision.rulings),
        rights=_collect(decision.rulings, texts, PieceClass.RIGHTS),
    )


def _facts(decision: Decision) -> Iterable[Fact]:
    for ruling in decision.rulings:
        if ruling.mark:
            yield from ruling.mark.facts
        for piece in ruling.pieces:
            yield from piece.facts
        if decision.facts_from and decision.facts_from.block == ruling.block.index and ruling.kind is PieceClass.BODY:
            yield from decision.facts_from.facts


def _values(facts: Sequence[Fact], role: str) -> tuple[str, ...]:
    """The values of a role without repetition, labelled ones before guesses: guesses count only alone."""
    found = [f for f in facts if f.role == role and f.value]
    best = [f for f in found if f.rank < 4] or found
    return tuple(dict.fromkeys(f.value for f in best))


def _ranked(facts: Iterable[Fact], role: str) -> list[Fact]:
    return sorted((f for f in facts if f.role == role), key=lambda f: f.rank)


def _collect(rulings: Sequence[Ruling], texts: dict[int, str], kind: PieceClass) -> tuple[str, ...]:
    return tuple(texts[r.block.index] for r in rulings if r.kind is kind)


def _strip_pieces(ruling: Ruling) -> str:
    """The paragraph without the pieces glued to it."""
    text = ruling.block.text
    if ruling.text is not None:
        return ruling.text
    if not ruling.pieces:
        return text
    for piece in sorted(ruling.pieces, key=lambda p: p.start, reverse=True):
        text = text[: piece.start] + text[piece.end :]
    return normalise(text)


def _join_cut(rulings: Sequence[Ruling], texts: dict[int, str]) -> tuple[str, ...]:
    """The body's paragraphs; one that page marks cut in two is joined again."""
    body: list[str] = []
    is_cut = False
    last: Block | None = None
    for ruling in rulings:
        if ruling.kind is not PieceClass.BODY:
            is_cut = is_cut or ruling.rule in _PAGE_RULES
            continue
        text = texts[ruling.block.index]
        if not text:
            continue
        if last is not None and is_cut and _goes_on(last, text):
            body[-1] += (" " if joins_with_space(body[-1], text) else "") + text
        else:
            body.append(text)
        is_cut, last = False, ruling.block
    return tuple(body)


def _goes_on(last: Block, text: str) -> bool:
    """True when `text` continues a sentence that `last` left open."""
    if last.ends_sentence or last.text[-1] in ":;：；":
        return False
    return text[0].islower() or (last.is_unspaced and last.is_prose)


# --- metadata ----------------------------------------------------------------------------------------------


def _find_section(facts: Sequence[Fact]) -> str | None:
    """A labelled section, else the only line that looks like one: several are a menu."""
    found = _ranked(facts, "section")
    if not found or (found[0].rank >= 2 and len(found) > 1):
        return None
    return found[0].value


def _find_times(
    view: View, facts: Sequence[Fact], source: str | None, context: Context, year_of_rights: int | None
) -> tuple[str | None, str | None]:
    """`published_at` and `updated_at` as ISO 8601; a missing year is the text's, else that of its rights line."""
    zone = context.profile.zone or context.hints.zone or context.rules.publisher(source).zone or view.lexis.zone
    moments = [(f, f.moment) for f in _ranked(facts, "published") if f.moment]
    year = next((m.year for _, m in moments if m.year), None)
    year = year or next((f.moment.year for f in facts if f.moment and f.moment.year), None) or year_of_rights
    published = view.fields.published_at or _first(moments, zone, year)
    updates = [(f, f.moment) for f in _ranked(facts, "updated") if f.moment]
    updated = view.fields.updated_at or _first(updates, zone, year)
    if published is None:
        published, updated = updated, None
    return published or context.hints.published_at, updated


def _year_of_rights(rulings: Sequence[Ruling]) -> int | None:
    """The last year that a rights line gives: `© 2019-2024`."""
    years = [int(y) for r in rulings if r.kind is PieceClass.RIGHTS for y in _YEAR.findall(r.block.low)]
    return max(years, default=None)


def _first(moments: Sequence[tuple[Fact, Moment]], zone: str | None, year: int | None) -> str | None:
    stamps = [stamp for _, moment in moments if (stamp := format_moment(moment, zone, year))]
    if not stamps:
        return None
    # A bare day that another line gives with its clock time is the same statement, less exact.
    return next((s for s in stamps if "T" in s and s.startswith(stamps[0])), stamps[0])


def _lacks_zone(stamp: str | None) -> bool:
    return bool(stamp) and "T" in stamp and datetime.fromisoformat(stamp).tzinfo is None  # type: ignore[operator,arg-type]  # bool(stamp)


def _warn(published: str | None, context: Context) -> tuple[str, ...]:
    """Flags a time of publication more than a day after the item came."""
    if not published:
        return ()
    try:
        when = datetime.fromisoformat(published)
    except ValueError:
        return ("published_at is not ISO 8601",)
    limit = context.received_at + timedelta(days=1)
    late = when > limit if when.tzinfo and limit.tzinfo else when.date() > limit.date()
    return ("published_at is after the item was received",) if late else ()


# --- pieces ------------------------------------------------------------------------------------------------


def _pieces(rulings: Sequence[Ruling]) -> Iterable[Piece]:
    """Every line and piece of one, in reading order."""
    for ruling in rulings:
        block = ruling.block
        if not ruling.pieces:
            yield _whole(block, ruling.kind, ruling.rule)
            continue
        place = 0
        for mark in sorted(ruling.pieces, key=lambda p: p.start):
            yield from _part(block, place, mark.start, ruling.kind, ruling.rule)
            yield from _part(block, mark.start, mark.end or mark.start, mark.kind, mark.rule)
            place = mark.end or mark.start
        yield from _part(block, place, len(block.text), ruling.kind, ruling.rule)


def _whole(block: Block, kind: PieceClass, rule: str) -> Piece:
    first, last = block.lines[0], block.lines[-1]
    span = Span(line=first.number, start=0, end_line=last.number, end=len(last.text))
    text = first.text if first is last else "\n".join(line.text for line in block.lines)
    return Piece(span=span, kind=kind, rule=rule, text=text.strip())


def _part(block: Block, start: int, end: int, kind: PieceClass, rule: str) -> Iterable[Piece]:
    while start < end and block.text[start] == " ":
        start += 1
    while end > start and block.text[end - 1] == " ":
        end -= 1
    if start == end:
        return
    span = block.locate(start, end)
    yield Piece(span=span, kind=kind, rule=rule, text=_cut(block, span))


def _cut(block: Block, span: Span) -> str:
    """The input from one place to another, as it stood."""
    lines = [line for line in block.lines if span.line <= line.number <= span.end_line]
    texts = [line.text for line in lines]
    texts[-1] = texts[-1][: span.end]
    texts[0] = texts[0][span.start :]
    return "\n".join(texts).strip()
