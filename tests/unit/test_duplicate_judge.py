"""What the judge makes of pairs of texts: edits in other scripts, bulletins of one template, each guard by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from copydesk.dedupe.likeness import DEFAULT, GUARDS, Candidate, Evidence, Guard, compare, judge, refusal
from copydesk.dedupe.sketch import sketch
from tests.entries import text
from tests.likeness_cases import LANGUAGES, Pair, pairs, template_pairs

NOON = datetime(2026, 5, 25, 12, tzinfo=UTC)

# Measured: 1.000 in Arabic, Korean and Thai, .991 in Chinese and Russian.
F1_MIN = 0.98


def _is_same(pair: Pair) -> bool:
    one, other = (sketch(side.title, side.body) for side in (pair.one, pair.other))
    return refusal(compare(one, other, apart=pair.apart)) is None


def _f1(judged: Iterable[tuple[bool, bool]]) -> float:
    found = list(judged)
    hits = sum(truth and answer for truth, answer in found)
    return 2 * hits / (sum(truth for truth, _ in found) + sum(answer for _, answer in found))


@pytest.mark.parametrize("language", LANGUAGES)
def test_edits_and_look_alikes_in_other_scripts(language: str) -> None:
    every = list(pairs(language))

    assert sum(pair.is_same for pair in every) >= 40
    assert sum(not pair.is_same for pair in every) >= 40
    assert _f1((pair.is_same, _is_same(pair)) for pair in every) >= F1_MIN


def test_bulletins_of_one_template_are_told_from_their_copies() -> None:
    wrong = [pair.name for pair in template_pairs("bulletins") if _is_same(pair) is not pair.is_same]

    assert wrong == []


NEAR = Evidence(0.6, 0.75, 120.0, 20, 0, 160, 170, 0.5, 1.0)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, None, id="near"),
        pytest.param({"jaccard": 0.1, "containment": 0.9}, None, id="a cut"),
        pytest.param({"jaccard": 0.1, "containment": 0.9, "shared": 5.0}, GUARDS[0], id="a cut of a few words"),
        pytest.param({"jaccard": 0.4}, None, id="a heavy edit"),
        pytest.param({"jaccard": 0.4, "hours_apart": 60.0}, GUARDS[0], id="a heavy edit, days later"),
        pytest.param({"jaccard": 0.4, "facts_differ": 6}, GUARDS[0], id="a heavy edit with other facts"),
        pytest.param({"jaccard": 0.25, "headlines_agree": 0.2}, GUARDS[0], id="a very heavy edit, another headline"),
        pytest.param({"longest": 30, "headlines_agree": 0.3}, GUARDS[1], id="notices under two headlines"),
        pytest.param({"shortest": 50, "headlines_agree": 0.0}, GUARDS[2], id="a short part, a strange headline"),
        pytest.param({"facts_differ": 3, "facts": 3}, None, id="one fact corrected"),
        pytest.param({"facts_differ": 9}, GUARDS[3], id="the same words about other facts"),
        pytest.param({"jaccard": 0.95, "facts_differ": 9}, GUARDS[3], id="other facts, however many words are shared"),
        pytest.param({"longest": 70, "facts": 3, "facts_differ": 1, "hours_apart": 24.0}, GUARDS[4], id="another day"),
        pytest.param({"longest": 70, "facts": 3, "facts_differ": 1}, None, id="the same day"),
    ],
)
def test_each_guard_speaks_for_itself(change: dict[str, float], reason: Guard | None) -> None:
    assert refusal(replace(NEAR, **change)) == (reason.reason if reason else None)


WHOLE = [text(number) for number in range(8)]


@pytest.mark.parametrize(
    ("new", "old", "relation"),
    [
        (WHOLE, WHOLE[:7], "near"),
        (WHOLE[:2], WHOLE, "contained-in"),
        (WHOLE, WHOLE[:2], "contains"),
        (WHOLE, [text(20)], None),
    ],
)
def test_the_relation_is_that_of_the_new_text(new: list[str], old: list[str], relation: str | None) -> None:
    found = judge(sketch("T", new), [Candidate("old", sketch("T", old), NOON)], received_at=NOON + timedelta(hours=1))

    assert (found.relation if found else None) == relation
    if found:
        assert found.document == "old"
        assert found.reason.startswith(found.relation)
        assert found.scores["containment"] > 0.8


def test_a_copy_is_preferred_to_a_longer_text_that_has_all_of_it() -> None:
    candidates = [
        Candidate("longer", sketch("T", WHOLE), NOON),
        Candidate("copy", sketch("T", [*WHOLE[:2], "a few words more"]), NOON),
    ]

    for order in (candidates, candidates[::-1]):
        found = judge(sketch("T", WHOLE[:2]), order)
        assert found is not None
        assert (found.document, found.relation) == ("copy", "near")


def test_without_candidates_a_text_is_like_none() -> None:
    assert judge(sketch("T", WHOLE), [], thresholds=DEFAULT) is None
