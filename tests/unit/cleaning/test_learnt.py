"""Learnt lines: what counts as furniture of a source, and what a profile with them takes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from copydesk.cleaning import EMPTY_PROFILE, clean, load_rules
from copydesk.cleaning.learnt import Learnt, LineCount, Sighting, learn, line_key, sight, teaches
from copydesk.models import Cleaned, Hints, Line, Parsed

RULES = load_rules()
STORY = [
    "Ferry stays in port until the harbour is dredged",
    "The ferry between the two islands stays in port this week, the harbour master said on Tuesday.",
    "Sand has filled the channel since the storms of January, and the ship touched ground twice in a month.",
    "A dredger is on its way from the mainland and will need at least four days for the work, he said.",
]
FURNITURE = "The tide table by your bedside"


def clean_lines(lines: list[str], learnt: Learnt) -> Cleaned:
    parsed = Parsed("text", tuple(Line(number, text, "", 1) for number, text in enumerate(lines, start=1)))
    return clean(
        parsed,
        profile=replace(EMPTY_PROFILE, learnt=learnt),
        rules=RULES,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        hints=Hints(),
    )


@pytest.mark.parametrize(
    ("count", "is_learnt"),
    [
        (LineCount("a", stories=1, at_edge=1, is_prose=False), False),
        (LineCount("a", stories=2, at_edge=0, is_prose=False), True),
        (LineCount("a", stories=2, at_edge=2, is_prose=True), False),
        (LineCount("a", stories=5, at_edge=2, is_prose=True), False),
        (LineCount("a", stories=5, at_edge=5, is_prose=True), True),
    ],
    ids=["seen once", "short and seen twice", "prose seen twice", "background in mid-story", "prose at the edges"],
)
def test_a_line_is_learnt_when_the_evidence_is_enough(count: LineCount, is_learnt: bool) -> None:  # a table
    assert (learn([count]).keys == {"a"}) is is_learnt


def test_the_floor_of_evidence_can_be_raised() -> None:
    count = LineCount("a", stories=3, at_edge=3, is_prose=False)

    assert not learn([count], fewest_stories=4).keys


def test_the_version_names_what_is_learnt() -> None:
    one, other = LineCount("a", 2, 0, is_prose=False), LineCount("b", 2, 0, is_prose=False)

    assert learn([one, other]).version == learn([other, one]).version != learn([one]).version


def test_figures_case_and_width_do_not_make_another_line() -> None:
    assert line_key("３ MIN  read") == line_key("12 min read") != line_key("12 min walk")


def test_a_text_that_repeats_what_was_shown_teaches_nothing() -> None:
    lines = [Sighting(key, key, is_prose=False, at_edge=True) for key in "abcdef"]

    assert teaches(lines, {"a", "b"})
    assert not teaches(lines, {"a", "b", "c"})


def test_a_learnt_line_is_taken_out_with_its_rule_and_goes_on_being_sighted() -> None:
    lines = [*STORY[:3], FURNITURE, STORY[3]]
    learnt = Learnt(frozenset({line_key(FURNITURE)}), "v")
    before, after = clean_lines(lines, Learnt()), clean_lines(lines, learnt)

    assert FURNITURE in before.body
    assert after.body == tuple(STORY[1:])
    assert [piece.rule for piece in after.removed if piece.text == FURNITURE] == ["learnt/line"]
    assert line_key(FURNITURE) in {sighting.key for sighting in sight(after.pieces)}


def test_a_learnt_byline_still_names_its_author() -> None:
    lines = [STORY[0], "By Dana Whitcomb", *STORY[1:]]

    assert clean_lines(lines, Learnt(frozenset({line_key(lines[1])}), "v")).authors == ("Dana Whitcomb",)
