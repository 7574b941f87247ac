"""Lines that a source prints under many of its stories, learnt from what it printed before.

What a stored story showed of its lines is told by `sight`; who stores it adds the sightings up, one story of a source
at a time, and leaves out texts that teach nothing (`teaches`). `learn` decides from the sums which lines
are furniture, and the answer goes into a profile. Counting in a store, switching a source off and undoing a line are
not done here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from copydesk.cleaning.normalise import fold, normalise
from copydesk.models import Piece, PieceClass

FEWEST_STORIES = 2
"""Stories that must show a short line before it counts as furniture."""
FEWEST_STORIES_FOR_PROSE = 3
"""The same for a paragraph: follow-up stories repeat a paragraph of background, notices stand at the edges."""
_PROSE = 120
"""Characters from which a line can be a paragraph of background."""
_EDGE = 4
"""Paragraphs from either end of a story that are its edges."""
_SHARE_AT_EDGE = 0.8
_SHARE_OF_COPY = 1 / 3
_SHORTEST = 2
"""Letters of the shortest line that is learnt; shorter ones are cells of tables."""
_DIGITS = re.compile(r"\d+")
_RULE = "learnt/"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One line as one story showed it."""

    key: str
    """See `line_key`."""
    text: str
    """As this story showed it."""
    is_prose: bool
    at_edge: bool
    """True within the first or last four paragraphs of the story."""


@dataclass(frozen=True, slots=True)
class LineCount:
    """A line of a source over all its stories so far."""

    key: str
    stories: int
    """How many different stories showed it, each counted once."""
    at_edge: int
    """In how many of them it stood at an edge."""
    is_prose: bool


@dataclass(frozen=True, slots=True)
class Learnt:
    """The furniture of one source: part of its profile."""

    keys: frozenset[str] = frozenset()
    version: str = ""
    """Names the state of learning; stored with what was cleaned by it."""


NOTHING = Learnt()


def line_key(text: str) -> str:
    """Names a line whatever its case, width, white space and figures: `3 min read` is `5 min read`. 32 hex digits."""
    shape = _DIGITS.sub("0", fold(normalise(text)))
    return hashlib.blake2b(shape.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def sight(pieces: Iterable[Piece]) -> tuple[Sighting, ...]:
    """The lines of a story that may turn out to be furniture: its paragraphs, and what was taken out as learnt.

    Each line once. Labelled metadata, rights and notices that are known without learning are left out.
    """
    lines = [normalise(piece.text) for piece in pieces if piece.kind is PieceClass.BODY or piece.rule.startswith(_RULE)]
    found: dict[str, Sighting] = {}
    for place, line in enumerate(lines):
        if sum(map(str.isalpha, line)) < _SHORTEST:
            continue
        at_edge = place < _EDGE or place >= len(lines) - _EDGE
        key = line_key(line)
        if key not in found or not at_edge:
            found[key] = Sighting(key, line, len(line) >= _PROSE, at_edge)
    return tuple(found.values())


def teaches(sightings: Sequence[Sighting], known: Container[str]) -> bool:
    """False for a text of which a third of the lines was shown before: a revision, or another part of one story.

    `known` holds the keys that the source showed before and that are not learnt.
    """
    return _SHARE_OF_COPY * len(sightings) >= sum(sighting.key in known for sighting in sightings)


def learn(counts: Iterable[LineCount], *, fewest_stories: int = FEWEST_STORIES) -> Learnt:
    """The furniture among the counted lines; `fewest_stories` is the operator's floor of evidence."""
    keys = frozenset(count.key for count in counts if _is_furniture(count, fewest_stories))
    digest = hashlib.blake2b("".join(sorted(keys)).encode(), digest_size=6).hexdigest() if keys else ""
    return Learnt(keys, digest)


def _is_furniture(count: LineCount, fewest_stories: int) -> bool:
    if not count.is_prose:
        return count.stories >= fewest_stories
    needed = max(fewest_stories, FEWEST_STORIES_FOR_PROSE)
    return count.stories >= needed and count.at_edge >= _SHARE_AT_EDGE * count.stories
