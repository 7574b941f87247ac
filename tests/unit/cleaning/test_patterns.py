"""The phrase language of the lexicons: what a phrase finds, what is refused, and that time stays linear."""

from __future__ import annotations

import pytest

from copydesk.cleaning.bounded import compile_bounded
from copydesk.cleaning.normalise import fold
from copydesk.cleaning.patterns import compile_phrase, match_phrase


def found(phrase: str, text: str) -> str | None:
    low = fold(text)
    place = match_phrase(compile_phrase(fold(phrase)), low)
    return low[slice(*place)] if place else None


@pytest.mark.parametrize(
    ("phrase", "text", "hit"),
    [
        ("all rights reserved", "© 2024 X. All Rights Reserved.", "all rights reserved"),
        ("(no|any) part of this (book|page)", "No part of this page may", "no part of this page"),
        ("copyright * belongs to", "The copyright of the video belongs to X", "copyright of the video belongs to"),
        ("copyright * belongs to", "copyright " + "x" * 80 + " belongs to X", None),
        ("reprodu~ is prohibited", "Reproduction is prohibited", "reproduction is prohibited"),
        ("^read more$", "» Read more »", "read more"),
        ("^read more$", "Read more about bees", None),
        ("^share on *$", "Share on Facebook", "share on"),
        ("^page # of #$", "Page 2 of 14", "page 2 of 14"),
        ("art", "The party was smart", None),
        ("版权*所有", "本站版权归本报所有。", "版权归本报所有"),
        ("무단전재", "기사의 무단전재를 금합니다", "무단전재"),
        ("“all rights", 'he wrote "all rights"', '"all rights'),
    ],
)  # fmt: skip
def test_a_phrase_finds_what_it_says(phrase: str, text: str, hit: str | None) -> None:
    assert found(phrase, text) == hit


@pytest.mark.parametrize("phrase", ["", "*", "(a|b", "a)", "a|b", "(|)", "^*$", "((((deep))))", "-"])
def test_a_wrong_phrase_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        compile_phrase(phrase)


@pytest.mark.parametrize("pattern", ["a*", "a+b", "(?:a{0,9}){0,9}", "a{0,500}", "(a{1,5}|b{2,3}){2,4}", "a{2,}"])
def test_a_pattern_without_bounds_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"repeats"):
        compile_bounded(pattern)


@pytest.mark.parametrize("pattern", ["a?b{0,80}", "(?P<line>x{1,3}(?:y{1,2})?)", "[ab]{2}c"])
def test_a_bounded_pattern_is_compiled(pattern: str) -> None:
    assert compile_bounded(pattern).pattern == pattern
