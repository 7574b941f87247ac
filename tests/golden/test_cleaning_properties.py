"""What must hold for any text: every line accounted for once, nothing left to do in a cleaned body, no stray errors."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from copydesk.cleaning.normalise import normalise
from copydesk.errors import CopydeskError
from copydesk.models import Cleaned, Line, Parsed, PieceClass
from tests.golden.text_cases import FOLDERS, clean_parsed, parse

WORDS = st.sampled_from(
    [
        "By Ana Ruiz", "©", "All rights reserved", "Read more:", "(", ")", "[", "】", "June 4, 2024", "15:23", "said",
        "“", "版权所有", "记者", "电", "编辑：", "Advertisement", "\t", "\u3000", "\u200b", "\x00", "http://a.example",
        "|",
        "1/3", "The river rose in the night and took the mill.", "河水夜里涨了，磨坊没有了。", "\ud800", "İ", "ﬁ", "-",
        "—", "Source:",
    ]
)  # fmt: skip
LINES = st.lists(st.lists(WORDS | st.text(max_size=12), max_size=6).map(" ".join), max_size=30)


def parsed_lines(texts: list[str]) -> Parsed:
    lines = []
    blank = 0
    for number, text in enumerate(texts, start=1):
        if not normalise(text):
            blank += 1
            continue
        lines.append(Line(number, text, "", blank))
        blank = 0
    return Parsed("text", tuple(lines))


def assert_accounted_for(parsed: Parsed, cleaned: Cleaned) -> None:
    """Each character that is no white space lies in exactly one piece, and the pieces come in reading order."""
    covered = {line.number: [0] * len(line.text) for line in parsed.lines}
    places = []
    for piece in cleaned.pieces:
        span = piece.span
        places.append((span.line, span.start))
        for number in range(span.line, span.end_line + 1):
            if number not in covered:
                continue
            start = span.start if number == span.line else 0
            end = span.end if number == span.end_line else len(covered[number])
            for offset in range(start, end):
                covered[number][offset] += 1
    for line in parsed.lines:
        for char, times in zip(line.text, covered[line.number], strict=True):
            assert times <= 1, (line, char)
            assert times == 1 or not normalise(char), (line, char)
    assert places == sorted(places)


def put_together(cleaned: Cleaned, parsed: Parsed) -> str:
    return "".join("".join(piece.text.split()) for piece in cleaned.pieces)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_line_of_a_case_is_accounted_for_once(folder: Path) -> None:
    parsed = parse((folder / "input.txt").read_bytes())

    assert_accounted_for(parsed, clean_parsed(parsed))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_pieces_of_a_case_put_the_input_together_again(folder: Path) -> None:
    parsed = parse((folder / "input.txt").read_bytes())
    whole = "".join("".join(line.text.split()) for line in parsed.lines)

    assert put_together(clean_parsed(parsed), parsed) == whole


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_cleaning_a_cleaned_body_changes_nothing(folder: Path) -> None:
    first = clean_parsed(parse((folder / "input.txt").read_bytes()))
    if not first.is_article:
        return
    title = [first.title] if first.title else []
    again = clean_parsed(parsed_lines([*title, *first.body]))

    assert (again.title, again.body) == (first.title, first.body)


@given(LINES)
@example(["By Ana Ruiz By Ana Ruiz", "Source: (", "A"])
@settings(max_examples=150, deadline=None)
def test_no_text_raises_anything_but_our_errors(texts: list[str]) -> None:
    parsed = parsed_lines(texts)
    try:
        cleaned = clean_parsed(parsed)
    except CopydeskError:
        return

    assert_accounted_for(parsed, cleaned)


@given(LINES)
@settings(max_examples=60, deadline=None)
def test_what_is_no_article_has_no_body_and_what_is_has_one(texts: list[str]) -> None:
    cleaned = clean_parsed(parsed_lines(texts))

    assert cleaned.is_article == bool(cleaned.body)
    assert cleaned.is_article or all(p.kind in (PieceClass.RIGHTS, PieceClass.DROPPED) for p in cleaned.pieces)
