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

FOLDED: Final = np.uint64((1 << 18) - 1)
"""The part of a code point's entry that is the folded character; 0 for separators and what is ignored."""
LONE, IGNORED, NUMBER, CAPITAL, ENDS_BEFORE_SPACE, ENDS = (np.uint64(1 << bit) for bit in range(18, 24))
"""The other bits of an entry. `LONE` characters are words by themselves; `IGNORED` ones are not there (soft hyphen,
zero width, Arabic vowels); `NUMBER` are digits of any script and Han numerals; a sentence ends at some signs only where
a separator follows, at others always."""

JOINING: Final = 1 << 31

# Hangul letters, which join to syllables; whatever else joins what is before it is a mark (category M) to Unicode 14.
_JAMO: Final = range(0x1100, 0x1200)

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

    entries: NDArray[np.uint64]
    """`FOLDED` and the bits beside it. In one array, and as wide as what is computed from it: looking characters up is
    a good part of the time that a sketch takes."""
    is_letter: NDArray[np.bool_]
    """What counts in the hash of a text: letters, digits, and the vowels that are marks to Unicode."""
    letters: NDArray[np.uint32]
    """What normalising (NFKC), folding the case and leaving out all but letters make of the character: another, nothing
    (0), or what depends on its neighbours or is several (`JOINING`)."""


@cache
def tables() -> Tables:
    """The tables, built once from Python's own Unicode database (about 0.3 s)."""
    entries = np.zeros(POINTS, np.uint64)
    is_letter = np.zeros(POINTS, bool)
    letters = np.full(POINTS, JOINING, np.uint32)
    for point in range(POINTS):
        if point in _SURROGATES:
            continue
        char = chr(point)
        category = unicodedata.category(char)
        is_letter[point] = counts(char)
        letters[point] = _letter_entry(char, category)
        if category[0] in "LNM":
            entries[point] = _word_entry(char, category)
    for first, last in _LONE:
        entries[first : last + 1][entries[first : last + 1] != 0] |= LONE
    for first, last in _IGNORED:
        entries[first : last + 1] = IGNORED
    entries[[ord(char) for char in _STOPS_BEFORE_SPACE]] |= ENDS_BEFORE_SPACE
    entries[[ord(char) for char in _STOPS]] |= ENDS
    return Tables(entries, is_letter, letters)


def _word_entry(char: str, category: str) -> int:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
    entry = ord(folded) if len(folded) == 1 and ord(folded) < POINTS else ord(char)
    if category == "Nd" or (category[0] == "L" and unicodedata.numeric(char, None) is not None):
        entry |= int(NUMBER)
    return entry | int(CAPITAL) if category in ("Lu", "Lt") else entry


def _letter_entry(char: str, category: str) -> int:
    if category == "Cn":
        return 0
    if category == "Lo" and ord(char) not in _JAMO and not unicodedata.decomposition(char):
        return ord(char)  # most of them, and nothing is made of those
    folded = unicodedata.normalize("NFKC", char).casefold()
    if any(unicodedata.category(each)[0] == "M" or ord(each) in _JAMO for each in folded):
        return JOINING
    letters = [each for each in folded if counts(each)]
    if len(letters) > 1:
        return JOINING
    return ord(letters[0]) if letters else 0


def counts(char: str) -> bool:
    """Whether a character is a letter or a digit, or a vowel of Indic or Thai writing; variation selectors are not."""
    return char.isalnum() or (unicodedata.category(char) in ("Mn", "Mc") and not "\ufe00" <= char <= "\ufe0f")
