"""A sender's own rules overrule what the recognisers decided, for that sender alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from copydesk import cleaning, formats
from copydesk.errors import LexiconError
from copydesk.models import Cleaned, Hints

TEXT = b"""Ferry runs again

The ferry runs again from Monday, said the mayor.

Zebra line: whatever this is

Read more: the ferry

House words and nothing else
"""

RULES = """
[[sources]]
name = "harbour wire"
zone = "Europe/Oslo"
rules = [
  { action = "drop", match = "prefix", text = "Zebra line:" },
  { action = "keep", match = "exact", text = "Read more: the ferry" },
  { action = "rights", match = "regex", text = "House words .{0,60}" },
]
"""


def cleaned_for(source: str, folder: Path, text: bytes = TEXT) -> Cleaned:
    rules = cleaning.load_rules([folder])
    (parsed,) = formats.parse(text, Hints())
    return cleaning.clean(
        parsed,
        profile=rules.profile_for_source(source),
        rules=rules,
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        hints=Hints(),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "senders.toml").write_text(RULES, encoding="utf-8")
    return tmp_path


def test_lines_are_dropped_kept_and_taken_for_rights_as_the_sender_says(folder: Path) -> None:
    cleaned = cleaned_for("harbour wire", folder)

    assert cleaned.body == ("The ferry runs again from Monday, said the mayor.", "Read more: the ferry")
    assert cleaned.rights == ("House words and nothing else",)
    assert [(p.rule, p.text) for p in cleaned.removed] == [
        ("sender/drop", "Zebra line: whatever this is"),
        ("sender/rights", "House words and nothing else"),
    ]


def test_another_sender_is_not_touched(folder: Path) -> None:
    cleaned = cleaned_for("somebody", folder)

    assert "Zebra line: whatever this is" in cleaned.body
    assert "Read more: the ferry" not in cleaned.body


def test_a_text_of_which_the_rules_leave_nothing_is_no_article(folder: Path) -> None:
    text = b"Zebra line: one of many lines that nobody wants to read, said the harbour office on Monday.\n"
    cleaned = cleaned_for("harbour wire", folder, text)

    assert not cleaned.is_article


@pytest.mark.parametrize(
    "rule",
    [
        '{ action = "lose", match = "prefix", text = "x" }',
        '{ action = "drop", match = "near", text = "x" }',
        '{ action = "drop", match = "regex", text = "(" }',
        '{ action = "drop", match = "prefix" }',
        '{ action = "drop", match = "prefix", text = "" }',
        '{ action = "drop", match = "prefix", text = "x", to = "y" }',
        '{ action = "replace", match = "prefix", text = "x" }',
        '{ action = "replace", match = "regex", text = "a", to = "\\\\1" }',
        '{ action = "replace", match = "regex", text = "a*", to = "" }',
    ],
)
def test_a_wrong_rule_stops_the_start(tmp_path: Path, rule: str) -> None:
    (tmp_path / "senders.toml").write_text(f'[[sources]]\nname = "a"\nrules = [{rule}]\n', encoding="utf-8")

    with pytest.raises(LexiconError, match=r"senders\.toml"):
        cleaning.load_rules([tmp_path])


@pytest.mark.parametrize(
    ("rule", "paragraph"),
    [
        (
            'match = "prefix", text = "The ferry", to = "The old ferry"',
            "The old ferry runs again from Monday, said the mayor.",
        ),
        (
            'match = "regex", text = "(.{3,40}) from (Monday),", to = "\\\\2: \\\\1,"',
            "Monday: The ferry runs again, said the mayor.",
        ),
        ('match = "exact", text = "The ferry runs again from Monday, said the mayor.", to = "It runs."', "It runs."),
    ],
)
def test_text_is_replaced_and_the_input_still_explained(tmp_path: Path, rule: str, paragraph: str) -> None:
    (tmp_path / "a.toml").write_text(f'name = "a"\nrules = [{{ action = "replace", {rule} }}]\n', encoding="utf-8")
    cleaned = cleaned_for("a", tmp_path)

    assert cleaned.body[0] == paragraph
    assert [p.text for p in cleaned.pieces if p.rule == "sender/replace"] == [
        "The ferry runs again from Monday, said the mayor."
    ]


def test_a_line_of_which_a_replacement_leaves_nothing_is_dropped(tmp_path: Path) -> None:
    rule = '{ action = "replace", match = "prefix", text = "Zebra line: whatever this is", to = "" }'
    (tmp_path / "a.toml").write_text(f'name = "a"\nrules = [{rule}]\n', encoding="utf-8")
    cleaned = cleaned_for("a", tmp_path)

    assert not any("Zebra" in paragraph for paragraph in cleaned.body)
    assert "sender/replace" in [piece.rule for piece in cleaned.removed]
