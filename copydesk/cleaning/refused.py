"""What cleaning answers for a text that is no article: its lines, its rights, and why."""

from __future__ import annotations

from collections.abc import Iterable

from copydesk.models import Cleaned, Piece


def refused(
    reason: str | None, *, language: str | None, pieces: Iterable[Piece], rights: tuple[str, ...] = ()
) -> Cleaned:
    """An answer without story, headline or any other field."""
    return Cleaned(
        is_article=False,
        language=language,
        title=None,
        section=None,
        published_at=None,
        zone_unknown=False,
        updated_at=None,
        publisher=None,
        authors=(),
        credits={},
        dateline=None,
        rights=rights,
        captions=(),
        corrections=(),
        body=(),
        pieces=tuple(pieces),
        reason=reason,
    )
