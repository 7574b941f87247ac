"""Two ways to show a cleaned article: as JSON with the keys of the plain-text corpora, and as rows for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from copydesk.cleaning.normalise import normalise
from copydesk.models import Cleaned, Json, Line, Piece, PieceClass

_INLINE = {
    PieceClass.METADATA: "metadata",
    PieceClass.DROPPED: "dropped",
    PieceClass.CAPTION: "captions",
    PieceClass.RIGHTS: "rights",
    PieceClass.CORRECTION: "corrections",
    PieceClass.SECTION: "section",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the input, or a piece of one, with what it was found to be."""

    line: int
    kind: PieceClass
    rule: str
    text: str
    is_piece: bool
    """True when the line holds other pieces too."""


def to_json(cleaned: Cleaned, encoding: str | None) -> Json:
    """The keys of `expected.json` of the plain-text corpora, and `removed`."""
    shared = _shared_lines(cleaned.pieces)
    inline = [p for p in cleaned.removed if _is_inline(p, shared)]
    whole = [p for p in cleaned.removed if not _is_inline(p, shared)]
    answer: Json = {
        "language": cleaned.language,
        "encoding": encoding,
        "outcome": "article" if cleaned.is_article else "not_article",
        "title": cleaned.title,
        "section": cleaned.section,
        "published_at": cleaned.published_at,
        "updated_at": cleaned.updated_at,
        "source": cleaned.publisher,
        "authors": list(cleaned.authors),
        "credits": {role: list(names) for role, names in cleaned.credits.items()},
        "dateline": cleaned.dateline,
        "rights": list(cleaned.rights),
        "captions": list(cleaned.captions),
        "corrections": list(cleaned.corrections),
        "body": list(cleaned.body),
        "dropped": _lines(whole, PieceClass.DROPPED),
        "metadata_lines": _lines(whole, PieceClass.METADATA, PieceClass.SECTION),
        "inline": [{"as": _INLINE[p.kind], "text": normalise(p.text)} for p in inline],
        "removed": [
            {
                "line": p.span.line,
                "start": p.span.start,
                "end_line": p.span.end_line,
                "end": p.span.end,
                "class": p.kind.value,
                "rule": p.rule,
                "text": p.text,
            }
            for p in cleaned.removed
        ],
    }
    if cleaned.zone_unknown:
        answer["tz"] = "unknown"
    if cleaned.warnings:
        answer["warnings"] = list(cleaned.warnings)
    if cleaned.reason:
        answer["reason"] = cleaned.reason
    return answer


def explain(cleaned: Cleaned, lines: Sequence[Line]) -> list[Row]:
    """The input line by line, in order, with class and rule; empty lines are left out."""
    texts = {line.number: line.text for line in lines}
    shared = _shared_lines(cleaned.pieces)
    rows = []
    for piece in cleaned.pieces:
        is_piece = piece.span.line in shared or piece.span.end_line in shared
        if is_piece or piece.span.line == piece.span.end_line:
            rows.append(Row(piece.span.line, piece.kind, piece.rule, piece.text, is_piece))
            continue
        for number in range(piece.span.line, piece.span.end_line + 1):
            text = texts.get(number, "").strip()
            if text:
                rows.append(Row(number, piece.kind, piece.rule, text, is_piece=False))
    return rows


def _shared_lines(pieces: Sequence[Piece]) -> set[int]:
    """Numbers of the lines that hold more than one piece."""
    seen: set[int] = set()
    shared: set[int] = set()
    for piece in pieces:
        for number in {piece.span.line, piece.span.end_line}:
            (shared if number in seen else seen).add(number)
    return shared


def _is_inline(piece: Piece, shared: set[int]) -> bool:
    return piece.span.line in shared or piece.span.end_line in shared


def _lines(pieces: Sequence[Piece], *kinds: PieceClass) -> list[str]:
    """The physical lines of the pieces of these kinds."""
    return [line for piece in pieces if piece.kind in kinds for line in _physical(piece)]


def _physical(piece: Piece) -> Iterator[str]:
    yield from filter(None, map(normalise, piece.text.split("\n")))
