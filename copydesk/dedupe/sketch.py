"""The sketch of a text: what is kept of it to tell later how much of it another text shares.

Bottom-k sketch (Broder 1997; Cohen and Kaplan 2007): the smallest hashes of the text's shingles are a fair sample of
them, and the same sample of any two texts, so both Jaccard and containment can be estimated from two sketches whatever
the texts' lengths. Which of two texts came first, and what was said of them, is not known here.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import mul
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.facts import slots
from copydesk.dedupe.tokens import Hashes, Tokens, distinct, mix, tokenise
from copydesk.errors import SketchUnreadable

VERSION: Final = 1
"""First byte of a packed sketch; moves with whatever makes old and new sketches incomparable."""

SHINGLE_WORDS: Final = 3
SHINGLE_CHARACTERS: Final = 6
"""Tokens of a shingle where a character is a token."""

HASHES_MAX: Final = 128
SMALLEST_KEYS: Final = 4
LEADING_KEYS: Final = 8
TELLING_KEYS: Final = 4
LEADING_SHINGLES: Final = 64
"""A feed's summary is the article's beginning: some keys come from there, and a long text's sketch holds it whole."""
HEADLINE_MAX: Final = 32

HASH_BITS: Final = 24
"""Of a shingle hash are kept: of two texts of 10,000 shingles, one hash in 1,700 is taken for another."""
WHOLE: Final = (1 << HASH_BITS) - 1

_HEAD: Final = struct.Struct("<BIBBBBB")
_KEYS_AT: Final = 5
"""Where the head says how many keys there are."""
_SIZES: Final = (8, 3, 2, 4, 2)
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
    """What is kept of one text; all arrays ascend and hold a value once."""

    shingles: int
    """How many different shingles the text has."""
    keys: tuple[int, ...]
    """Up to 16 unsigned 64-bit hashes under which texts that share a part of it are likely to be found."""
    hashes: NDArray[np.uint32]
    """The upper 24 bits of the 128 smallest shingle hashes; of all where there are fewer."""
    lead: NDArray[np.uint16]
    """The upper 16 bits of the hashes of the first 64 shingles; empty where `hashes` has every shingle."""
    slots: NDArray[np.uint32]
    """The facts and where they stand (`facts.slots`)."""
    headline: NDArray[np.uint16]
    """Hashes of the headline's words."""

    @property
    def reach(self) -> int:
        """The largest value up to which `hashes` has every shingle of the text."""
        return int(self.hashes[-1]) if self.shingles > HASHES_MAX else WHOLE

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and pack(self) == pack(other)

    def __hash__(self) -> int:
        return hash(pack(self))


def sketch(title: str | None, body: Sequence[str], *, repeated: Collection[int] = ()) -> Sketch:
    """The sketch of an article's body; the title counts where the body is short.

    `repeated` are hashes of `line_hashes` that the source prints in many stories: they are left out.
    """
    return sketch_tokens(tokenise(body, title), repeated=repeated)


def line_hashes(body: Sequence[str]) -> list[int]:
    """A hash of each sentence of a body, as `repeated` takes them; sentences of one or two words are left out."""
    return tokenise(body).line_hashes()


def sketch_tokens(tokens: Tokens, *, repeated: Collection[int] = ()) -> Sketch:
    """`sketch` of a text that is already cut into tokens."""
    kept = _kept(tokens, repeated)
    size = SHINGLE_CHARACTERS if tokens.is_unspaced else SHINGLE_WORDS
    shingles = _shingles(tokens.hashes, size)
    is_fact = tokens.is_number | tokens.is_name
    if kept is not None:
        # A shingle that reaches into a repeated line goes with it, so that what stays is a part of the whole text's.
        whole = _all(kept, len(shingles))
        telling = shingles.compress(whole & _any(is_fact, len(shingles)))
        shingles = shingles.compress(whole)
        held = slots(tokens.hashes.compress(kept), tokens.is_number.compress(kept), tokens.is_name.compress(kept))
    else:
        telling = shingles.compress(_any(is_fact, len(shingles)))
        held = slots(tokens.hashes, tokens.is_number, tokens.is_name)
    different = distinct(shingles)
    first = distinct(shingles[:LEADING_SHINGLES])
    keys = dict.fromkeys(
        [
            *different[:SMALLEST_KEYS].tolist(),
            *first[:LEADING_KEYS].tolist(),
            *distinct(telling)[:TELLING_KEYS].tolist(),
        ]
    )
    return Sketch(
        len(different),
        tuple(keys),
        (different[:HASHES_MAX] >> np.uint64(64 - HASH_BITS)).astype(np.uint32),
        _upper(first if len(different) > HASHES_MAX else first[:0]),
        held,
        _headline(tokens),
    )


def pack(sketch: Sketch, *, keys: bool = True) -> bytes:
    """The sketch as bytes, its version first; about 0.6 kB for a long text, with its keys 0.13 kB more."""
    kept = sketch.keys if keys else ()
    counts = (len(kept), len(sketch.hashes), len(sketch.lead), len(sketch.slots), len(sketch.headline))
    parts = (
        np.array(kept, "<u8"),
        sketch.hashes.astype("<u4").view(np.uint8).reshape(-1, 4)[:, :3],
        sketch.lead.astype("<u2"),
        sketch.slots.astype("<u4"),
        sketch.headline.astype("<u2"),
    )
    return _HEAD.pack(VERSION, sketch.shingles, *counts) + b"".join(part.tobytes() for part in parts)


def split_keys(data: bytes) -> tuple[tuple[int, ...], bytes]:
    """(the keys of a packed sketch, the sketch packed without them); raises `SketchUnreadable` as `unpack`."""
    count = _check(data)[0]
    bare = bytearray(data)
    bare[_KEYS_AT] = 0
    del bare[_HEAD.size : _HEAD.size + count * _SIZES[0]]
    return struct.unpack_from(f"<{count}Q", data, _HEAD.size), bytes(bare)


def unpack(data: bytes) -> Sketch:
    """The sketch that `pack` made; raises `SketchUnreadable` for one of another version or length."""
    counts = _check(data)
    ends = accumulate(map(mul, counts, _SIZES), initial=_HEAD.size)
    keys, hashes, lead, held, headline = (data[start:end] for start, end in pairwise(ends))
    wide = np.zeros((counts[1], 4), np.uint8)
    wide[:, :3] = np.frombuffer(hashes, np.uint8).reshape(-1, 3)
    return Sketch(
        _HEAD.unpack_from(data)[1],
        tuple(np.frombuffer(keys, "<u8").tolist()),
        wide.view("<u4").ravel(),
        np.frombuffer(lead, "<u2"),
        np.frombuffer(held, "<u4"),
        np.frombuffer(headline, "<u2"),
    )


def _check(data: bytes) -> list[int]:
    """How many entries each array of a packed sketch has; raises `SketchUnreadable`."""
    if not data or data[0] != VERSION or len(data) < _HEAD.size:
        raise SketchUnreadable("sketch", f"version {data[0]}" if data else "no bytes")
    _, _, *counts = _HEAD.unpack_from(data)
    size = _HEAD.size + sum(map(mul, counts, _SIZES))
    if len(data) != size:
        raise SketchUnreadable("sketch", f"{len(data)} bytes instead of {size}")
    return counts


def _kept(tokens: Tokens, repeated: Collection[int]) -> NDArray[np.bool_] | None:
    """Which tokens are not in repeated lines; None where all count: no such line, or nothing else."""
    if not repeated:
        return None
    kept = np.array([line not in repeated for line in tokens.sentences.tolist()], bool).repeat(tokens.sizes)
    return kept if 0 < np.count_nonzero(kept) < len(kept) else None


def _shingles(tokens: Hashes, size: int) -> Hashes:
    """Hashes of every `size` tokens in a row; of each token where there are fewer than that."""
    if len(tokens) < size:
        return mix(tokens)
    count = len(tokens) - size + 1
    total = tokens[:count] * _FACTORS[0]
    for place in range(1, size):
        total += tokens[place : place + count] * _FACTORS[place]
    return mix(total)


def _headline(tokens: Tokens) -> NDArray[np.uint16]:
    """Hashes of the headline's words, of pairs of characters where a character is a token."""
    shingles = _shingles(tokens.headline, 2) if tokens.is_headline_unspaced else tokens.headline
    return _upper(shingles)[:HEADLINE_MAX]


def _any(tokens: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Which of the `count` shingles hold any of these tokens."""
    found = tokens[:count].copy()
    for place in range(1, len(tokens) - count + 1):
        found |= tokens[place : place + count]
    return found


def _all(tokens: NDArray[np.bool_], count: int) -> NDArray[np.bool_]:
    """Which of the `count` shingles hold only these tokens."""
    found = tokens[:count].copy()
    for place in range(1, len(tokens) - count + 1):
        found &= tokens[place : place + count]
    return found


def _upper(hashes: Hashes) -> NDArray[np.uint16]:
    return distinct((hashes >> np.uint64(48)).astype(np.uint16))
