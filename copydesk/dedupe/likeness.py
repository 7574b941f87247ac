"""How alike two texts are, from their sketches, and whether that makes one a version of the other.

`compare` measures, `judge` decides; every threshold is in `Thresholds`, and every decision says which one made it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.sketch import Sketch, sketch

Relation = Literal["near", "contained-in", "contains"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where likeness begins, and what speaks against it (measured: docs/duplicates.md)."""

    jaccard: float = 0.5
    containment: float = 0.8
    shared: int = 12
    """Shingles that a text must share to count as contained."""
    numbers_agree: float = 0.5
    numbers_min: int = 5
    """Numbers that both texts must have before their disagreement counts."""
    same: float = 0.97
    """From this Jaccard on, differing numbers are a correction."""
    headline_shingles: int = 40
    headline: float = 0.5


DEFAULT: Final = Thresholds()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that may be the same story as a new one."""

    document: str
    sketch: Sketch
    received_at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two sketches say of their texts; shares are 0 to 1, None where there is nothing to compare."""

    jaccard: float
    containment: float
    """Share of the smaller text that the larger has."""
    shared: float
    """Estimated number of shingles that both have."""
    numbers: int
    """Numbers of the text that has fewer."""
    numbers_agree: float | None
    headlines_agree: float | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a new document is to an earlier one, and why."""

    relation: Relation
    """Of the new document to `document`: `contains` means that the new one is the longer version."""
    document: str
    evidence: Evidence
    reason: str

    @property
    def scores(self) -> dict[str, float]:
        """The figures that a receipt and a sighting keep."""
        found = {
            "jaccard": self.evidence.jaccard,
            "containment": self.evidence.containment,
            "shared": self.evidence.shared,
            "numbers_agree": self.evidence.numbers_agree,
            "headlines_agree": self.evidence.headlines_agree,
        }
        return {name: round(value, 3) for name, value in found.items() if value is not None}


def compare(new: Sketch, old: Sketch) -> Evidence:
    """Measure two sketches against each other; the same either way round."""
    reach = np.uint32(min(new.reach, old.reach))
    a = new.hashes[: np.searchsorted(new.hashes, reach, "right")]
    b = old.hashes[: np.searchsorted(old.hashes, reach, "right")]
    both = _common(a, b)
    smaller = min(len(a), len(b))
    union = len(a) + len(b) - both
    numbers = min(len(new.numbers), len(old.numbers))
    headline = len(new.headline) and len(old.headline)
    titles = _common(new.headline, old.headline)
    return Evidence(
        both / union if smaller else 0.0,
        both / smaller if smaller else 0.0,
        both * float(1 << 32) / (int(reach) + 1),
        numbers,
        _common(new.numbers, old.numbers) / numbers if numbers else None,
        titles / (len(new.headline) + len(old.headline) - titles) if headline else None,
    )


def refusal(evidence: Evidence, longest: int, thresholds: Thresholds = DEFAULT) -> str | None:
    """Why this evidence does not make two texts one story; None where it does. `longest`: shingles of the longer."""
    limit = thresholds
    if evidence.jaccard < limit.jaccard and not (
        evidence.containment >= limit.containment and evidence.shared >= limit.shared
    ):
        return "too little in common"
    if longest < limit.headline_shingles and (evidence.headlines_agree or 1.0) < limit.headline:
        return "short texts under other headlines"
    if evidence.jaccard < limit.same and evidence.numbers >= limit.numbers_min:
        assert evidence.numbers_agree is not None  # noqa: S101 - there are numbers
        if evidence.numbers_agree < limit.numbers_agree:
            return "the same words with other numbers"
    return None


def likeness(one: Sequence[str], other: Sequence[str]) -> tuple[float, float]:
    """(Jaccard, containment of the smaller in the larger) of two bodies, both 0 to 1; an empty text is like none."""
    evidence = compare(sketch(None, one), sketch(None, other))
    return evidence.jaccard, evidence.containment


def judge(
    new: Sketch,
    candidates: Iterable[Candidate],
    *,
    received_at: datetime | None = None,
    thresholds: Thresholds = DEFAULT,
) -> Likeness | None:
    """The candidate that the new document is most like, and what it is to it; None where it is like none."""
    best: tuple[float, Candidate, Evidence] | None = None
    for candidate in candidates:
        evidence = compare(new, candidate.sketch)
        if refusal(evidence, max(new.shingles, candidate.sketch.shingles), thresholds) is not None:
            continue
        rank = max(evidence.jaccard, 0.9 * evidence.containment)
        if best is None or rank > best[0]:
            best = (rank, candidate, evidence)
    if best is None:
        return None
    _, candidate, evidence = best
    relation: Relation = "near"
    if evidence.jaccard < thresholds.jaccard:
        relation = "contained-in" if new.shingles < candidate.sketch.shingles else "contains"
    return Likeness(relation, candidate.document, evidence, f"{relation}: jaccard {evidence.jaccard:.2f}")


def _common(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> int:
    """How many values two ascending arrays share."""
    if not len(a) or not len(b):
        return 0
    place = np.searchsorted(b, a)
    place[place == len(b)] = 0
    return int(np.count_nonzero(b[place] == a))
