"""The evidence for and against two texts being one story, row by row, for a person who wants to argue with it."""

from __future__ import annotations

from dataclasses import dataclass

from copydesk.dedupe.likeness import DEFAULT, GUARDS, Evidence, Thresholds, compare, refusal, relate
from copydesk.dedupe.sketch import Sketch


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was measured, what each guard said, and what follows for the second text."""

    measured: tuple[tuple[str, str, str], ...]
    """(what, found, the thresholds that it is held against)."""
    guards: tuple[tuple[str, bool], ...]
    """(reason to refuse, whether it holds)."""
    verdict: str


def explain(old: Sketch, new: Sketch, *, thresholds: Thresholds = DEFAULT) -> Explanation:
    """Explain what `new` would be if `old` were its only candidate; time does not count."""
    evidence = compare(new, old)
    refused = refusal(evidence, thresholds)
    shared_keys = len(set(new.keys) & set(old.keys))
    verdict = f"not one story: {refused}" if refused else relate(new, old, evidence, thresholds)
    if not refused and not shared_keys:
        verdict += ", but they share no candidate key: the second would not have been held against the first"
    return Explanation(
        (("candidate keys in both", f"{shared_keys} of {len(new.keys)}", "one"), *_measured(evidence, thresholds)),
        tuple((guard.reason, guard.refuses(evidence, thresholds)) for guard in GUARDS),
        verdict,
    )


def _measured(found: Evidence, limit: Thresholds) -> list[tuple[str, str, str]]:
    headlines = "no headline" if found.headlines_agree is None else f"{found.headlines_agree:.2f}"
    return [
        ("shingles", f"{found.shortest} and {found.longest}", f"short: under {limit.short_shingles}"),
        (
            "Jaccard",
            f"{found.jaccard:.2f}",
            f"{limit.jaccard}; {limit.edited} with the same facts, {limit.edited_titled} under the same headline too",
        ),
        ("share of the shorter in the longer", f"{found.containment:.2f}", f"{limit.containment}"),
        ("shingles in both, estimated", f"{found.shared:.0f}", f"{limit.shared}"),
        (
            "slots filled otherwise",
            f"{found.facts_differ} of {found.facts}",
            f"under {limit.facts_min}, or under {limit.facts_differ:.0%}",
        ),
        (
            "headlines' words in both",
            headlines,
            f"{limit.headline} under {limit.headline_shingles} shingles; "
            f"{limit.other_headline} under {limit.short_shingles} and Jaccard {limit.other_headline_jaccard}",
        ),
    ]
