"""How alike two texts are, from their sketches, and whether that makes one a version of the other.

`compare` measures, `judge` decides; every threshold is in `Thresholds`, and every decision says what made it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.sketch import HASH_BITS, WHOLE, Sketch, sketch
from copydesk.errors import LexiconError

Relation = Literal["near", "contained-in", "contains"]

_SLOT_SHIFT: Final = np.uint32(16)
_LEAD_SHIFT: Final = np.uint32(HASH_BITS - 16)
# How many sampled shingles the assumption about the rest of a short text weighs.
_PRIOR: Final = 2.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where likeness begins, and what speaks against it (measured: docs/duplicates.md)."""

    jaccard: float = 0.5
    containment: float = 0.8
    shared: int = 12
    """Shingles that a text must share to count as contained."""
    edited: float = 0.33
    """From this Jaccard on a text may be the other after a heavy edit: within `edited_hours`, with the same facts."""
    edited_titled: float = 0.2
    """The same under the same headline."""
    edited_facts: float = 0.25
    """Share of slots that may be filled otherwise then; half of it under another headline."""
    edited_hours: float = 48.0
    facts_differ: float = 0.4
    """Of the slots that both texts fill, this share filled otherwise makes them two bulletins of one template."""
    facts_min: int = 4
    """Slots that must be filled otherwise before they count: one fact, perhaps a correction, has up to three."""
    headline_shingles: int = 40
    """Two texts of fewer shingles must agree in their headlines."""
    headline: float = 0.5
    short_shingles: int = 80
    """A text of fewer shingles is short: what it shares with another may be the way such things are always said."""
    apart_hours: float = 20.0
    """Two short texts that are this far apart and differ in a fact are bulletins of two days."""
    other_headline: float = 0.1
    """Headlines that agree less have nothing in common but chance; then a short text must share more."""
    other_headline_jaccard: float = 0.7


DEFAULT: Final = Thresholds()


def read_thresholds(text: str) -> Thresholds:
    """The shipped thresholds with the changes of a text like `jaccard=0.55,shared=14`.

    Raises `LexiconError` for an unknown name, or a value that is no number of its kind.
    """
    kinds = {each.name: type(getattr(DEFAULT, each.name)) for each in fields(Thresholds)}
    changes: dict[str, float] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in kinds:
            raise LexiconError("thresholds", f"{name} is none of {', '.join(kinds)}")
        try:
            changes[name] = kinds[name](value)
        except ValueError as error:
            raise LexiconError("thresholds", f"{name}: {error}") from error
        if not 0 <= changes[name] < math.inf:
            raise LexiconError("thresholds", f"{name}: {value} is no threshold")
    return replace(DEFAULT, **changes)  # type: ignore[arg-type]  # each value was made by the type of its field


@dataclass(frozen=True, slots=True)
class Candidate:
    """An earlier document that may be the same story as a new one."""

    document: str
    sketch: Sketch
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """What two sketches say of their texts; shares are 0 to 1."""

    jaccard: float
    containment: float
    """Share of the smaller text that the larger has."""
    shared: float
    """Estimated number of shingles that both have."""
    facts: int
    """Slots that both texts fill."""
    facts_differ: int
    """Those that they fill otherwise."""
    shortest: int
    """Shingles of the shorter text."""
    longest: int
    headlines_agree: float | None
    """Jaccard of the headlines' words; None where one has none."""
    hours_apart: float | None = None


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
        found = self.evidence
        scores = {
            "jaccard": found.jaccard,
            "containment": found.containment,
            "shared": found.shared,
            "facts": found.facts,
            "facts_differ": found.facts_differ,
        }
        return {name: round(value, 3) for name, value in scores.items()}


@dataclass(frozen=True, slots=True)
class Guard:
    """One reason why two texts are not one story."""

    reason: str
    refuses: Callable[[Evidence, Thresholds], bool]


def compare(new: Sketch, old: Sketch, *, apart: timedelta | None = None) -> Evidence:
    """Measure two sketches against each other; the same either way round."""
    return _evidence(new, old, _overlaps(new, [old])[0], apart)


def likeness(one: Sequence[str], other: Sequence[str]) -> tuple[float, float]:
    """(Jaccard, containment of the smaller in the larger) of two bodies, both 0 to 1; an empty text is like none."""
    evidence = compare(sketch(None, one), sketch(None, other))
    return evidence.jaccard, evidence.containment


def refusal(evidence: Evidence, thresholds: Thresholds = DEFAULT) -> str | None:
    """Why this evidence does not make two texts one story; None where it does."""
    return next((guard.reason for guard in GUARDS if guard.refuses(evidence, thresholds)), None)


def judge(
    new: Sketch,
    candidates: Iterable[Candidate],
    *,
    received_at: datetime | None = None,
    thresholds: Thresholds = DEFAULT,
) -> Likeness | None:
    """The candidate that the new document is most like, and what it is to it; None where it is like none.

    Without `received_at`, time does not count.
    """
    held = list(candidates)
    enough = min(thresholds.jaccard, thresholds.edited, thresholds.edited_titled)
    # Most candidates share so little that nothing else could make them one story.
    overlaps = [
        (overlap, candidate)
        for overlap, candidate in zip(_overlaps(new, [each.sketch for each in held]), held, strict=True)
        if overlap.jaccard >= enough or _is_contained(overlap, thresholds)
    ]
    overlaps.sort(key=lambda pair: _rank(pair[0]), reverse=True)
    for overlap, candidate in overlaps:
        apart = received_at - candidate.received_at if received_at else None
        evidence = _evidence(new, candidate.sketch, overlap, apart)
        if refusal(evidence, thresholds) is None:
            relation = relate(new, candidate.sketch, evidence, thresholds)
            return Likeness(relation, candidate.document, evidence, _reason(relation, evidence))
    return None


def relate(new: Sketch, old: Sketch, evidence: Evidence, thresholds: Thresholds = DEFAULT) -> Relation:
    """What a text is to an earlier one that it was found to be like."""
    if evidence.jaccard >= thresholds.jaccard or not _is_contained(evidence, thresholds):
        return "near"
    return "contained-in" if new.shingles < old.shingles else "contains"


def _too_little(found: Evidence, limit: Thresholds) -> bool:
    return found.jaccard < limit.jaccard and not _is_contained(found, limit) and not _is_edited(found, limit)


def _is_contained(found: Evidence | _Overlap, limit: Thresholds) -> bool:
    return found.containment >= limit.containment and found.shared >= limit.shared


def _is_edited(found: Evidence, limit: Thresholds) -> bool:
    is_recent = found.hours_apart is None or found.hours_apart < limit.edited_hours
    is_titled = found.headlines_agree is not None and found.headlines_agree >= limit.headline
    enough = limit.edited_titled if is_titled else limit.edited
    differing = limit.edited_facts if is_titled else limit.edited_facts / 2
    return is_recent and found.jaccard >= enough and found.facts_differ <= differing * found.facts


def _headlines_differ(found: Evidence, limit: Thresholds) -> bool:
    agree = found.headlines_agree
    return found.longest < limit.headline_shingles and agree is not None and agree < limit.headline


def _facts_differ(found: Evidence, limit: Thresholds) -> bool:
    return found.facts_differ >= max(limit.facts_min, limit.facts_differ * found.facts)


def _another_day(found: Evidence, limit: Thresholds) -> bool:
    is_apart = found.hours_apart is not None and found.hours_apart >= limit.apart_hours
    return is_apart and found.longest < limit.short_shingles and found.facts_differ > limit.edited_facts * found.facts


def _other_headline(found: Evidence, limit: Thresholds) -> bool:
    is_other = found.headlines_agree is not None and found.headlines_agree < limit.other_headline
    return is_other and found.shortest < limit.short_shingles and found.jaccard < limit.other_headline_jaccard


GUARDS: Final = (
    Guard("too little in common", _too_little),
    Guard("short texts under other headlines", _headlines_differ),
    Guard("a short text with a part in common, under another headline", _other_headline),
    Guard("the same words about other facts", _facts_differ),
    Guard("short texts of other days that differ in a fact", _another_day),
)
"""In the order in which they are asked; the first that refuses names the reason."""


class _Overlap(NamedTuple):
    """The part of `Evidence` that the shingles alone tell."""

    jaccard: float
    containment: float
    shared: float


def _overlaps(new: Sketch, olds: Sequence[Sketch]) -> list[_Overlap]:
    """What a text shares with each of the others, in one go: calls of numpy cost more than its work."""
    if not olds:
        return []
    hits = np.zeros(1 + sum(len(old.hashes) for old in olds), np.intp)
    _is_in(np.concatenate([old.hashes for old in olds]), new.hashes).cumsum(out=hits[1:])
    found, start = [], 0
    for old in olds:
        # Up to here both sketches have every shingle of their texts.
        reach = min(new.reach, old.reach)
        own, other = len(_within(new, reach)), len(_within(old, reach))
        both = int(hits[start + other] - hits[start])
        start += len(old.hashes)
        fewer, union = min(own, other), own + other - both
        jaccard = both / union if union else 0.0
        small, large = (new, old) if new.shingles < old.shingles else (old, new)
        if len(large.lead) and small.reach == WHOLE:
            shared = _shared_with_lead(small, large)
            found.append(_Overlap(jaccard, shared / small.shingles, shared))
        else:
            found.append(_Overlap(jaccard, both / fewer if fewer else 0.0, both * (WHOLE + 1) / (reach + 1)))
    return found


def _evidence(new: Sketch, old: Sketch, overlap: _Overlap, apart: timedelta | None) -> Evidence:
    facts, facts_differ = _compare_facts(new.slots, old.slots)
    return Evidence(
        *overlap,
        facts,
        facts_differ,
        min(new.shingles, old.shingles),
        max(new.shingles, old.shingles),
        _jaccard(new.headline, old.headline),
        abs(apart) / timedelta(hours=1) if apart is not None else None,
    )


def _compare_facts(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> tuple[int, int]:
    """(slots that both fill, those that they fill otherwise)."""
    if not len(b):
        return 0, 0
    slot, other = a >> _SLOT_SHIFT, b >> _SLOT_SHIFT
    place = other.searchsorted(slot)
    place[place == len(b)] = 0
    both = other[place] == slot
    facts = int(np.count_nonzero(both))
    return facts, facts - int(np.count_nonzero(b[place] == a))


def _shared_with_lead(small: Sketch, large: Sketch) -> float:
    """How many shingles of a short text a long one has.

    Few of a short text's shingles are within the long one's sample, but of its beginning the sketch has all. What of
    the short text goes on after that is taken to be shared as the beginning is, as far as the sample does not tell.
    """
    is_led = _is_in((small.hashes >> _LEAD_SHIFT).astype(np.uint16), large.lead)
    led = int(np.count_nonzero(is_led))
    rest = small.hashes[~is_led]
    sampled = rest[: rest.searchsorted(np.uint32(large.reach), "right")]
    hits = _common(sampled, large.hashes)
    beyond = min(max(0, small.shingles - len(large.lead)), len(rest))
    assumed = led / min(small.shingles, len(large.lead))
    inside = hits / len(sampled) if len(sampled) else 0.0
    outside = (hits + _PRIOR * assumed) / (len(sampled) + _PRIOR)
    return led + outside * beyond + inside * (len(rest) - beyond)


def _rank(overlap: _Overlap) -> float:
    # Between a copy and a longer text that has all of it, the copy.
    return max(overlap.jaccard, 0.9 * overlap.containment)


def _reason(relation: Relation, evidence: Evidence) -> str:
    share = evidence.jaccard if relation == "near" else evidence.containment
    of = "the two texts' shingles are" if relation == "near" else "the shorter text is"
    return f"{relation}: {share:.0%} of {of} in both"


def _within(sketch: Sketch, reach: int) -> NDArray[np.uint32]:
    """The shingle hashes up to `reach`."""
    hashes = sketch.hashes
    return hashes if sketch.reach <= reach else hashes[: hashes.searchsorted(np.uint32(reach), "right")]


def _jaccard(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> float | None:
    if not len(a) or not len(b):
        return None
    both = _common(a, b)
    return both / (len(a) + len(b) - both)


def _common(a: NDArray[Any], b: NDArray[Any]) -> int:
    """How many values two ascending arrays share."""
    return int(np.count_nonzero(_is_in(a, b)))


def _is_in(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Which values of `a` are in `b`, which ascends."""
    if not len(b):
        return np.zeros(len(a), bool)
    place = b.searchsorted(a)
    place[place == len(b)] = 0
    found: NDArray[np.bool_] = b[place] == a
    return found
