"""Plain text to lines: where they break, how they are counted, what stands before them."""

from __future__ import annotations

import pytest

from copydesk.formats import text
from copydesk.models import Hints, Line


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\r", "\f", "\u2028", "\u2029", "\x85"])
def test_every_kind_of_line_break_ends_a_line(mark: str) -> None:
    lines = text.split_lines(f"one{mark}two")

    assert [(line.number, line.text) for line in lines] == [(1, "one"), (2, "two")]


def test_blank_lines_are_counted_and_left_out() -> None:
    lines = text.split_lines("\n  one  \n\n \u3000\n\u200b\ntwo")

    assert lines == (Line(2, "  one  ", "", 1), Line(6, "two", "", 3))


def test_the_candidate_carries_its_bytes_and_charset() -> None:
    data = "Größe\nzählt\n".encode("cp1252")

    (parsed,) = text.parse(data, Hints())

    assert [line.text for line in parsed.lines] == ["Größe", "zählt"]
    assert (parsed.format, parsed.raw, parsed.encoding, parsed.key) == ("text", data, "cp1252", None)
