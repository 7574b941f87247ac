"""What a search asks for, between who reads it (`copydesk.searching`) and who answers it (`copydesk.storage`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """The words of a text, a space between two, and its runs without spaces as pairs of neighbouring characters."""

    words: str
    runs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SearchTerm:
    """Something that must stand in a text, or must not."""

    terms: SearchTerms
    is_excluded: bool


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """Any of the alternatives, all terms of it."""

    alternatives: tuple[tuple[SearchTerm, ...], ...]

    @property
    def wanted(self) -> tuple[SearchTerm, ...]:
        """Every term that a found text may show."""
        return tuple(term for one in self.alternatives for term in one if not term.is_excluded)
