"""Inputs that would take long if anything were quadratic: they only have to come to an end."""

from __future__ import annotations

import pytest

from tests.golden.text_cases import clean_parsed, parse


@pytest.mark.parametrize(
    "text",
    [
        "lorem ipsum copyright reserved, she said " * 25_000,
        "([" * 500_000,
        ")]" * 500_000,
        '"' * 1_000_000,
        "by: " * 250_000,
        "版权所有未经授权不得转载" * 80_000,
        "1/2/2024 12:30 " * 65_000,
        "a short line\n" * 100_000,
        "\n" * 1_000_000,
    ],
    ids=["line", "opening", "closing", "quotes", "labels", "chinese", "dates", "lines", "breaks"],
)
def test_a_megabyte_is_cleaned(text: str) -> None:
    cleaned = clean_parsed(parse(text.encode()))

    assert cleaned.is_article == bool(cleaned.body)
