"""Tables over Unicode code points: what a character folds to and what part it plays in a text.

A text is looked up as an array of numbers and never cut into strings; that is what makes a sketch cheap. Characters
that fold to several (ß, ligatures) stay themselves; code points above the tables count as one and the same sign.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

# The two planes that living scripts and rare Han are in; emoji and the like are separators anyway.
POINTS: Final = 0x30000

SEPARATOR, WORD, LONE, IGNORED = range(4)
"""`LONE` characters are words by themselves; `IGNORED` ones are not there (soft hyphen, zero width, Arabic vowels)."""

ENDS_BEFORE_SPACE, ENDS = 1, 2
"""Where a sentence ends: only where a separator follows, or always."""

# Written without spaces between words, and Hangul, whose words end in particles: a character is a word.
_LONE = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xAC00, 0xD7AF),  # Hangul
    (0xF900, 0xFAFF),
    (0x20000, 0x2FFFF),
)
_IGNORED = ((0x00AD, 0x00AD), (0x0640, 0x0640), (0x064B, 0x065F), (0x200B, 0x200F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF))
_SURROGATES = range(0xD800, 0xE000)

_STOPS_BEFORE_SPACE = ".!?؟۔।"
_STOPS = "\n。！？"


@dataclass(frozen=True, slots=True)
class Tables:
    """One entry a code point."""

    fold: NDArray[np.uint32]
    """The folded character; 0 for separators."""
    part: NDArray[np.uint8]
    is_number: NDArray[np.bool_]
    """Digits of any script, and Han numerals."""
    is_capital: NDArray[np.bool_]
    is_letter: NDArray[np.bool_]
    """What counts in the hash of a text: letters, digits, and the vowels that are marks to Unicode."""
    stop: NDArray[np.uint8]
    """`ENDS_BEFORE_SPACE`, `ENDS`, or 0."""


@cache
def tables() -> Tables:
    """The tables, built once from Python's own Unicode database (about 0.3 s)."""
    fold = np.arange(POINTS, dtype=np.uint32)
    part = np.zeros(POINTS, np.uint8)
    is_number = np.zeros(POINTS, bool)
    is_capital = np.zeros(POINTS, bool)
    is_letter = np.zeros(POINTS, bool)
    for point in range(POINTS):
        if point in _SURROGATES:
            continue
        char = chr(point)
        category = unicodedata.category(char)
        is_letter[point] = counts(char)
        if category[0] in "LNM":
            part[point] = WORD
            folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
            if len(folded) == 1 and ord(folded) < POINTS:
                fold[point] = ord(folded)
            is_number[point] = category == "Nd" or (category[0] == "L" and unicodedata.numeric(char, None) is not None)
            is_capital[point] = category in ("Lu", "Lt")
    for first, last in _LONE:
        part[first : last + 1][part[first : last + 1] == WORD] = LONE
    for first, last in _IGNORED:
        part[first : last + 1] = IGNORED
    fold[(part == SEPARATOR) | (part == IGNORED)] = 0
    stop = np.zeros(POINTS, np.uint8)
    stop[[ord(char) for char in _STOPS_BEFORE_SPACE]] = ENDS_BEFORE_SPACE
    stop[[ord(char) for char in _STOPS]] = ENDS
    return Tables(fold, part, is_number, is_capital, is_letter, stop)


def counts(char: str) -> bool:
    """Whether a character is a letter or a digit, or a vowel of Indic or Thai writing; variation selectors are not."""
    return char.isalnum() or (unicodedata.category(char) in ("Mn", "Mc") and not "\ufe00" <= char <= "\ufe0f")
