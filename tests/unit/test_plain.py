"""Texts of strangers on a terminal."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from copydesk.cli_output import print_json, table_of
from copydesk.cli_plain import hand_over, plain, say

HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b0m \u202egnp.exe \x7f[/x][bold]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a line\nand\ta tab", "a line\nand\ta tab"),
        ("ordinary – “quoted” שלום مرحبا 新闻", "ordinary – “quoted” שלום مرحبا 新闻"),
        ("\u202bשלום\u202c \u2067x\u2069", "\u202bשלום\u202c \u2067x\u2069"),
        ("over\rwritten", r"over\x0dwritten"),
        (HOSTILE, r"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b0m \u202egnp.exe \x7f[/x][bold]"),
    ],
)
def test_a_control_character_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_table_shows_cells_as_they_are_and_keeps_its_own_colours() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=200)
    table = table_of("title", "state")
    table.add_row(HOSTILE, Text(HOSTILE, "red"))

    console.print(table)

    printed = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert printed.count(r"\x1b[2J\x1b[31mred\x9b0m \u202egnp.exe \x7f[/x][bold]") == 2
    assert "\x1b[31m\\x1b" in printed
    for control in ("\x1b]", "\x1b[2J", "\x07", "\x9b", "\u202e"):
        assert control not in printed


def test_json_says_the_same_without_a_control_character(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"title": HOSTILE})

    printed = capsys.readouterr().out
    assert json.loads(printed) == {"title": HOSTILE}
    assert plain(printed) == printed


def test_into_a_pipe_an_article_goes_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    hand_over("\u202btext\u202c \u202e")

    assert capsys.readouterr().out == "\u202btext\u202c \u202e\n"


def test_lines_are_plain_on_both_streams(capsys: pytest.CaptureFixture[str]) -> None:
    say(HOSTILE)
    say(HOSTILE, is_error=True)

    assert capsys.readouterr() == (plain(HOSTILE) + "\n", plain(HOSTILE) + "\n")
