"""Each folder under tests/cases/text: a plain-text file and the answer that `copydesk clean --json` gives.

`hard_lines` names paragraphs that look like notices and are story. `pytest tests/golden --update-golden` rewrites the
answers and leaves the notes on a case as they are.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden.text_cases import FOLDERS, NOTES, answer, differences, expected


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_text_is_cleaned_as_expected(folder: Path, request: pytest.FixtureRequest) -> None:
    found = answer(folder)
    wanted = expected(folder)
    if request.config.getoption("--update-golden", default=False):
        notes = {key: wanted[key] for key in NOTES if key in wanted}
        written = json.dumps(found | notes, ensure_ascii=False, indent=2) + "\n"
        (folder / "expected.json").write_text(written, "utf-8")
        wanted = expected(folder)

    assert differences(found, wanted) == {}
    assert found.get("tz") == wanted.get("tz")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_hard_lines_stay_in_the_body(folder: Path) -> None:
    body = answer(folder)["body"]

    assert [line for line in expected(folder).get("hard_lines", []) if line not in body] == []


def test_half_of_the_cases_have_hard_lines() -> None:
    hard = sum(bool(expected(folder).get("hard_lines")) for folder in FOLDERS)

    assert 2 * hard >= len(FOLDERS)
