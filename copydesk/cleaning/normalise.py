"""How stored text looks, and how text is folded for matching.

`normalise` is what every stored string goes through. `fold` gives a string of the same length in which case, width
and the shapes of quotes and dashes no longer matter; it is for matching only and is never stored.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Marks that carry no text. Zero-width joiners stay: Persian and Hindi spelling needs them.
_INVISIBLE = (0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), 0x2060, *range(0x2066, 0x206A), 0xFEFF)
_CONTROL = tuple(c for c in (*range(32), *range(0x7F, 0xA0)) if c not in (9, 10, 12, 13))
# A lone surrogate cannot be written as UTF-8, so no store and no queue would take it.
_REMOVED = dict.fromkeys((*_INVISIBLE, *_CONTROL, *range(0xD800, 0xE000)))

_FULL_WIDTH = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
_SHAPES = {
    "'": "‘’‚‛ʼ`´′",
    '"': "“”„‟«»″「」『』〝〞《》〈〉",
    "-": "‐‑‒–—―−─－﹣",
    "[": "【〔［〖",
    "]": "】〕］〗",
    "(": "（﹙",
    ")": "）﹚",
    ":": "：︰",
    "|": "｜¦│┃丨",
    ",": "、，﹐،",
    ";": "؛",
    "?": "؟",
    ".": "。．।۔",
    "/": "／",
    " ": "\u3000\xa0\u2002\u2003\u2009\u202f",
}
# The Japanese long-vowel mark is a letter, so it is not among the dashes.
_FOLDED: dict[int, str] = _FULL_WIDTH | {ord(c): plain for plain, shapes in _SHAPES.items() for c in shapes}

_REMOVABLE = re.compile(f"[{re.escape(''.join(map(chr, _REMOVED)))}]")
_FOLDABLE = re.compile(f"[{re.escape(''.join(map(chr, _FOLDED)))}]")
_PLAIN = {chr(code): plain for code, plain in _FOLDED.items()}

_SHORT = 80
_DIGIT = re.compile(r"\d")


def normalise(text: str) -> str:
    """`text` without control and invisible characters, each run of white space one space, ends trimmed."""
    if not text.isprintable():
        text = _REMOVABLE.sub("", text)
    return " ".join(text.split())


def fold(text: str) -> str:
    """`text` in lower case with plain quotes, dashes, brackets and half-width forms; the length does not change."""
    return fold_again(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> str:
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    if not low.isascii():
        # A whole text holds a handful of these signs: replacing each is twenty times as fast as `str.translate`.
        for char in set(_FOLDABLE.findall(low)):
            low = low.replace(char, _PLAIN[char])
    return low


fold_again = lru_cache(maxsize=4096)(_fold)
"""Field lines are taken apart and their parts are folded several times over."""


def has_digit(text: str) -> bool:
    """True when a decimal digit of any script stands in `text`."""
    return _DIGIT.search(text) is not None


def map_offsets(raw: str) -> list[int]:
    """For each character of `normalise(raw)`, its offset in `raw`, and one more entry for the end."""
    places: list[int] = []
    gap = False
    end = 0
    for offset, char in enumerate(raw):
        if ord(char) in _REMOVED:
            continue
        if char.isspace():
            gap = True
            continue
        if gap and places:
            places.append(end)
        gap = False
        places.append(offset)
        end = offset + 1
    return [*places, end]
