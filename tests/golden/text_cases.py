"""The folders under tests/cases/text and the product's answer to each; shared by the golden and the property tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from copydesk.cleaning import Rules, clean, load_rules, to_json
from copydesk.formats import text
from copydesk.models import Cleaned, Hints, Parsed

CASES = Path(__file__).parent.parent / "cases" / "text"
FOLDERS = sorted(path.parent for path in CASES.glob("*/input.txt"))
RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
NOTES = ("hard_lines", "locale", "notes", "tags")
"""Keys of expected.json that tell about a case and are no part of the answer."""


@lru_cache(maxsize=1)
def rules() -> Rules:
    return load_rules()


def parse(data: bytes) -> Parsed:
    return text.parse(data, Hints())[0]


def clean_parsed(parsed: Parsed) -> Cleaned:
    profile = rules().profile_for_source("inbox")
    return clean(parsed, profile=profile, rules=rules(), received_at=RECEIVED_AT, hints=Hints())


def clean_lines(*lines: str) -> Cleaned:
    return clean_parsed(parse("\n".join(lines).encode()))


def answer(folder: Path) -> dict[str, Any]:
    """What expected.json should hold: the JSON of `copydesk clean` without the places of removed pieces."""
    parsed = parse((folder / "input.txt").read_bytes())
    found = to_json(clean_parsed(parsed), parsed.encoding)
    return {key: value for key, value in found.items() if key not in ("removed", "warnings", "reason")}


def expected(folder: Path) -> dict[str, Any]:
    path = folder / "expected.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}
