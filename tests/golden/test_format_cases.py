"""Each folder under tests/cases but those of plain text: what its input is read as.

`expected.json` holds the candidates with their fields, lines and warnings, or the error. `hints.json`, where there is
one, is what the sender says. `pytest tests/golden --update-golden` rewrites the answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from copydesk import formats
from copydesk.errors import CopydeskError
from copydesk.models import Hints, Parsed, Status

CASES = Path(__file__).parent.parent / "cases"
NAMES = [name for name in formats.PARSERS if name != "text"]
FOLDERS = sorted(path.parent for name in NAMES for path in (CASES / name).glob("*/input.*"))


def describe(parsed: Parsed) -> dict[str, Any]:
    """A candidate as its case writes it down: what is absent is left out."""
    fields = {name: getattr(parsed.fields, name) for name in parsed.fields.__slots__}
    described = {
        "key": parsed.key,
        "alias": parsed.alias,
        "name": parsed.name,
        "error": f"{parsed.error.code}: {parsed.error.detail}" if parsed.error else None,
        "encoding": parsed.encoding,
        "warnings": list(parsed.warnings),
        "kind": parsed.kind,
        "status": "" if parsed.status is Status.USABLE else parsed.status.value,
        "reason": parsed.reason,
        "fields": {name: _plain(value) for name, value in fields.items() if value},
        "lines": [f"{line.role}: {line.text}" for line in parsed.lines],
    }
    return {name: value for name, value in described.items() if value or name == "lines"}


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, default=dict))


def read(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("input.*")
    stated = folder / "hints.json"
    hints = Hints(**json.loads(stated.read_text("utf-8"))) if stated.exists() else Hints(filename=path.name)
    data = path.read_bytes()
    try:
        name = formats.detect(data, hints)
        return {"format": name, "candidates": [describe(parsed) for parsed in formats.parse(data, hints)]}
    except CopydeskError as error:
        return {"error": error.code, "detail": error.detail}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_case_is_read_as_expected(folder: Path, request: pytest.FixtureRequest) -> None:
    found = read(folder)
    answer = folder / "expected.json"
    if request.config.getoption("--update-golden", default=False):
        answer.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", "utf-8")

    assert found == json.loads(answer.read_text("utf-8"))


def test_every_case_is_of_the_format_of_its_folder() -> None:
    for folder in FOLDERS:
        expected = json.loads((folder / "expected.json").read_text("utf-8"))

        assert expected.get("format", folder.parent.name) == folder.parent.name
