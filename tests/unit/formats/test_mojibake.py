"""Misread text is put right exactly where it round-trips, and nothing else is touched."""

from __future__ import annotations

import pytest

from copydesk.formats.mojibake import repair
from tests.unit.formats.reports import REPORTS


@pytest.mark.parametrize(
    ("misread", "right"),
    [
        ("donâ€™t stop", "don’t stop"),
        ("cafÃ© crÃ¨me", "café crème"),
        ("â€œQuotedâ€\x9d â€“ and dashed", "“Quoted” – and dashed"),
        ("â€œQuotedâ€ by losing a byte", "“Quoted” by losing a byte"),
        ("it\x92s \x93so\x94", "it’s “so”"),
        ("RÃ©sumÃ©\nnaïve café", "Résumé\nnaïve café"),
    ],
)
def test_misread_sequences_are_put_right(misread: str, right: str) -> None:
    assert repair(misread) == right


@pytest.mark.parametrize("language", ["ru", "uk", "el", "zh-Hans", "ja", "ko", "ar", "he", "th", "fr", "pl", "vi"])
def test_utf_8_read_as_windows_1252_is_put_right_in_any_language(language: str) -> None:
    text = REPORTS[language][1]
    misread = "".join(bytes((byte,)).decode("cp1252", "ignore") or chr(byte) for byte in text.encode("utf-8"))

    assert repair(misread) == text


def test_utf_8_read_as_windows_1251_is_put_right() -> None:
    text = "Привет, друзья – сказал он"

    assert repair(text.encode("utf-8").decode("cp1251", "replace")) == text


@pytest.mark.parametrize(
    "text",
    [
        "LE CAFÉ» dit-il",
        "MANHÃ»",
        "«Â»",
        "RÂ°",
        "Â© 2024",
        "SÃO PAULO «CANÇÃO»",
        "Pâtes à l’œuf “très” bien… «déjà»",
        "KØBENHAVN Å» ÆØ",
        "Россия, Сербия – Русский",
        *(text for _, text in REPORTS.values()),
    ],
)
def test_text_that_is_right_stays_as_it_is(text: str) -> None:
    assert repair(text) == text
