"""The sketch of a text: what is kept of it to tell later how much of it another text shares.

Bottom-k sketch (Broder 1997; Cohen and Kaplan 2007): the smallest hashes of the text's shingles are a fair sample of
them, and the same sample of any two texts, so both Jaccard and containment can be estimated from two sketches whatever
the texts' lengths. Which of two texts came first, and what was said of them, is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.tokens import Hashes, Tokens, mix, tokenise
from copydesk.errors import SketchUnreadable

VERSION: Final = 1
"""First byte of a packed sketch; moves with whatever makes old and new sketches incomparable."""

SHINGLE_WORDS: Final = 3
SHINGLE_CHARACTERS: Final = 6
"""Tokens of a shingle where a character is a token."""

HASHES_MAX: Final = 128
SMALLEST_KEYS: Final = 8
LEADING_KEYS: Final = 8
LEADING_SHINGLES: Final = 60
"""A feed's summary is the article's beginning: some keys must come from there."""
NUMBERS_MAX: Final = 64
HEADLINE_MAX: Final = 32

# Bodies up to this many tokens keep their headline's words: a notice of one line may name its subject only there.
HEADLINE_TOKENS: Final = 50

# What is left after repeated lines went must be this much, else all is kept: a text of nothing but furniture is a text.
KEPT_TOKENS_MIN: Final = 8

_HEAD: Final = struct.Struct("<BBIBBBB")
_WHOLE: Final = (1 << 32) - 1
_FACTORS: Final = np.array(
    [
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
    ],
    np.uint64,
)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """What is kept of one text; about 0.7 kB packed."""

    shingles: int
    """How many different shingles the text has."""
    keys: tuple[int, ...]
    """Up to 16 unsigned 64-bit hashes under which texts that share a part of it are likely to be found."""
    hashes: NDArray[np.uint32]
    """The upper halves of the 128 smallest shingle hashes, ascending; of all where there are fewer."""
    numbers: NDArray[np.uint32]
    """Hashes of (word before, number), ascending."""
    headline: NDArray[np.uint32]
    """Hashes of the headline's words, ascending, where the body is short."""

    @property
    def reach(self) -> int:
        """The largest value up to which `hashes` has every shingle of the text."""
        return int(self.hashes[-1]) if self.shingles > len(self.hashes) else _WHOLE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and pack(self) == pack(other)

    def __hash__(self) -> int:
        return hash(pack(self))


def sketch(title: str | None, body: Sequence[str], *, repeated: Collection[int] = ()) -> Sketch:
    """The sketch of an article's body; the title counts where the body is short.

    `repeated` are hashes of `line_hashes` that the source prints in many stories: they are left out.
    """
    return sketch_tokens(title, tokenise(body), repeated=repeated)


def line_hashes(body: Sequence[str]) -> list[int]:
    """A hash of each sentence of a body, as `repeated` takes them; sentences of one or two words are left out."""
    return tokenise(body).line_hashes()


def sketch_tokens(title: str | None, tokens: Tokens, *, repeated: Collection[int] = ()) -> Sketch:
    """`sketch` of a body that is already cut into tokens."""
    words, is_number = _without(tokens, repeated)
    shingles = _shingles(words, SHINGLE_CHARACTERS if tokens.is_unspaced else SHINGLE_WORDS)
    different = np.unique(shingles)
    leading = np.sort(shingles[:LEADING_SHINGLES])[:LEADING_KEYS]
    keys = dict.fromkeys([*different[:SMALLEST_KEYS].tolist(), *leading.tolist()])
    headline = tokenise([title]).hashes if title and len(words) < HEADLINE_TOKENS else words[:0]
    return Sketch(
        len(different),
        tuple(keys),
        _upper(different[:HASHES_MAX]),
        _upper(np.unique(_numbers(words, is_number))[:NUMBERS_MAX]),
        _upper(np.unique(headline)[:HEADLINE_MAX]),
    )


def pack(sketch: Sketch) -> bytes:
    """The sketch as bytes, its version first."""
    head = _HEAD.pack(
        VERSION,
        0,
        sketch.shingles,
        len(sketch.keys),
        len(sketch.hashes),
        len(sketch.numbers),
        len(sketch.headline),
    )
    keys = np.array(sketch.keys, "<u8").tobytes()
    return head + keys + b"".join(a.astype("<u4").tobytes() for a in (sketch.hashes, sketch.numbers, sketch.headline))


def unpack(data: bytes) -> Sketch:
    """The sketch that `pack` made; raises `SketchUnreadable` for one of another version or length."""
    if not data or data[0] != VERSION or len(data) < _HEAD.size:
        raise SketchUnreadable("sketch", f"version {data[0]}" if data else "no bytes")
    _, _, shingles, *counts = _HEAD.unpack_from(data)
    if len(data) != _HEAD.size + 8 * counts[0] + 4 * sum(counts[1:]):
        raise SketchUnreadable("sketch", f"{len(data)} bytes")
    keys = np.frombuffer(data, "<u8", counts[0], _HEAD.size)
    rest = np.frombuffer(data, "<u4", offset=_HEAD.size + 8 * counts[0])
    hashes, numbers, headline = np.split(rest, np.cumsum(counts[1:3]))
    return Sketch(shingles, tuple(keys.tolist()), hashes, numbers, headline)


def _without(tokens: Tokens, repeated: Collection[int]) -> tuple[Hashes, NDArray[np.bool_]]:
    if repeated:
        kept = np.array([line not in repeated for line in tokens.sentences.tolist()], bool)[tokens.sentence]
        if KEPT_TOKENS_MIN <= np.count_nonzero(kept) < len(kept):
            return tokens.hashes[kept], tokens.is_number[kept]
    return tokens.hashes, tokens.is_number


def _shingles(words: Hashes, size: int) -> Hashes:
    """Hashes of every `size` tokens in a row; of each token where there are fewer than that."""
    if len(words) < size:
        return mix(words)
    count = len(words) - size + 1
    total = words[:count] * _FACTORS[0]
    for place in range(1, size):
        total += words[place : place + count] * _FACTORS[place]
    return mix(total)


def _numbers(words: Hashes, is_number: NDArray[np.bool_]) -> Hashes:
    places = np.flatnonzero(is_number[1:]) + 1
    return mix(words[places] + words[places - 1] * _FACTORS[1])


def _upper(hashes: Hashes) -> NDArray[np.uint32]:
    return (hashes >> np.uint64(32)).astype(np.uint32)
