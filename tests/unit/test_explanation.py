"""`copydesk dedupe explain`: the evidence that an operator argues with."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from copydesk.dedupe.explanation import explain
from copydesk.dedupe.likeness import GUARDS
from copydesk.dedupe.sketch import sketch
from tests.entries import text

WHOLE = [text(number) for number in range(8)]


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        (WHOLE, WHOLE[:2], "contained-in"),
        (WHOLE[:2], WHOLE, "contains"),
        (WHOLE, WHOLE[:7], "near"),
        (WHOLE, [text(20)], f"not one story: {GUARDS[0].reason}"),
    ],
)
def test_the_verdict_is_about_the_second_text(first: list[str], second: list[str], verdict: str) -> None:
    told = explain(sketch("T", first), sketch("T", second))

    assert told.verdict == verdict
    assert len(told.guards) == len(GUARDS)


def test_the_command_prints_every_score_and_the_verdict(tmp_path: Path) -> None:
    for name, paragraphs in (("whole.txt", WHOLE), ("cut.txt", WHOLE[:2])):
        (tmp_path / name).write_text("\n\n".join(["A headline of its own", *paragraphs]))

    result = CliRunner().invoke(app, ["dedupe", "explain", str(tmp_path / "whole.txt"), str(tmp_path / "cut.txt")])

    assert result.exit_code == 0, result.output
    assert "Jaccard" in result.output
    assert "the second is: contained-in" in result.output
