"""What an item's own structure says stands over what cleaning found: an agency's headline, byline, rights, captions.

Reads no text beyond the byline; where nothing is stated the cleaned article comes back as it is.
"""

from __future__ import annotations

import re
from dataclasses import replace

from copydesk.cleaning.names import split_names
from copydesk.cleaning.normalise import normalise
from copydesk.cleaning.refused import refused
from copydesk.cleaning.rules import Rules
from copydesk.models import Cleaned, Parsed, Piece, PieceClass, Span

_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af|от)\s+(?=\S)", re.IGNORECASE)


def apply_structure(cleaned: Cleaned, parsed: Parsed, rules: Rules) -> Cleaned:
    """The article with what its container states; a text that the container calls one is one."""
    if not parsed.kind:
        return cleaned
    fields = parsed.fields
    if not cleaned.is_article:
        cleaned = _as_stated(cleaned, parsed)
    authors = fields.authors or (_names_in(fields.byline, cleaned.language, rules) if fields.byline else ())
    photographers = fields.details.get("photographers", ())
    return replace(
        cleaned,
        authors=authors or cleaned.authors,
        credits=cleaned.credits | ({"photographers": photographers} if photographers else {}),
        dateline=fields.dateline or cleaned.dateline,
        rights=_both(fields.rights, cleaned.rights),
        captions=_both(fields.captions, cleaned.captions),
        corrections=_both(fields.corrections, cleaned.corrections),
    )


def refuse(parsed: Parsed) -> Cleaned:
    """What cleaning makes of an item that says itself that it is no article: nothing but its reason."""
    return refused(parsed.reason, language=parsed.fields.language, pieces=_piece(parsed, PieceClass.DROPPED))


def _as_stated(cleaned: Cleaned, parsed: Parsed) -> Cleaned:
    """Every line as body: the marks that spoke against the text were guesses."""
    fields = parsed.fields
    return replace(
        cleaned,
        is_article=True,
        language=fields.language or cleaned.language,
        title=fields.title,
        section=fields.section,
        published_at=fields.published_at,
        updated_at=fields.updated_at,
        publisher=fields.publisher,
        rights=(),
        body=tuple(text for line in parsed.lines if (text := normalise(line.text))),
        pieces=tuple(_piece(parsed, PieceClass.BODY)),
        warnings=(*cleaned.warnings, "kept_as_its_sender_states"),
        reason=None,
    )


def _piece(parsed: Parsed, kind: PieceClass) -> list[Piece]:
    return [
        Piece(
            span=Span(line=line.number, start=0, end_line=line.number, end=len(line.text)),
            kind=kind,
            rule="structure/stated",
            text=line.text.strip(),
        )
        for line in parsed.lines
    ]


def _names_in(byline: str, language: str | None, rules: Rules) -> tuple[str, ...]:
    """The people that a byline names; all of it where it names none: an agency may sign for itself."""
    written = _BY.sub("", byline).strip()
    lexis = rules.lexis(language)
    names: list[str] = []
    for part in re.split(r"\s*[;/]\s*", written):
        names += split_names(part, lexis, trusted=True)
    people = [name for name in dict.fromkeys(names) if not rules.publisher(name).name]
    return tuple(people) or (written,)


def _both(stated: tuple[str, ...], found: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*stated, *found)))
