"""How stored text looks, and that folding and offsets keep places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.cleaning.normalise import fold, map_offsets, normalise


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  a\t\u00a0b\u3000c  ", "a b c"),
        ("a\u200bb\ufeff\u00adc\u200e", "abc"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("“a” – ，。", "“a” – ，。"),
        ("a\x00b\x07", "ab"),
        ("a\ud800b", "ab"),
        ("a\r\nb\fc", "a b c"),
    ],
)
def test_stored_text_is_clean_and_otherwise_as_typed(raw: str, stored: str) -> None:
    assert normalise(raw) == stored


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text())
def test_folding_keeps_the_length(text: str) -> None:
    assert len(fold(text)) == len(text)


@given(st.text())
def test_each_character_of_stored_text_has_its_place(text: str) -> None:
    stored = normalise(text)
    places = map_offsets(text)

    assert len(places) == len(stored) + 1
    assert all(char in (" ", text[place]) for char, place in zip(stored, places, strict=False))
