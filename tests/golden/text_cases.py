"""The folders under tests/cases/text and the product's answer to each; shared by the golden and the property tests."""

from __future__ import annotations

import codecs
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
NOTES = ("also_accepted", "bom", "hard_lines", "locale", "notes", "tags")
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


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Per key what was found and what was wanted; a key that the case leaves out is not asked about."""
    also = wanted.get("also_accepted", {})
    return {
        key: (found.get(key), value)
        for key, value in wanted.items()
        if key not in NOTES
        and not is_same(key, found.get(key), value)
        and not any(is_same(key, found.get(key), other) for other in also.get(key, []))
    }


def is_same(key: str, found: Any, wanted: Any) -> bool:
    """Equal values, or two names of one codec."""
    if key == "encoding" and found and wanted:
        return codecs.lookup(found).name == codecs.lookup(wanted).name
    return bool(found == wanted)


def expected(folder: Path) -> dict[str, Any]:
    path = folder / "expected.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else {}
