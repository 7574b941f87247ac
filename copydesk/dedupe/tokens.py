"""Text to tokens, as arrays: what sketch, repeated lines and file names all look at. The only tokeniser of `dedupe`."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.codepoints import ENDS, IGNORED, LONE, POINTS, tables

Hashes = NDArray[np.uint64]

# Of a text in which more than this share of the tokens are single characters, a character is the unit.
UNSPACED_SHARE: Final = 0.3

# A sentence of one word is said in too many places to be anybody's furniture.
SENTENCE_TOKENS_MIN: Final = 2

_MULTIPLIER: Final = 0x100000001B3
_INVERSE: Final = pow(_MULTIPLIER, -1, 1 << 64)
_BLOCK: Final = 1 << 16
_FIRST: Final = np.zeros(1, np.intp)
_HALF: Final = np.uint64(32)
_SPREAD: Final = np.uint64(0xD6E8FEB86659FD93)


def _powers(base: int, count: int) -> Hashes:
    """base^1 … base^count, modulo 2^64."""
    return np.cumprod(np.full(count, base, np.uint64), dtype=np.uint64)


_POWERS: Final = _powers(_MULTIPLIER, _BLOCK)
_INVERSES: Final = _powers(_INVERSE, _BLOCK)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a text in order; every array but `sentences` has one entry a token."""

    hashes: Hashes
    """64-bit hash of the folded word."""
    is_number: NDArray[np.bool_]
    is_name: NDArray[np.bool_]
    """Begins with a capital and does not open a sentence."""
    sentence: NDArray[np.intp]
    """Index into `sentences`."""
    sentences: Hashes
    """Hash of each sentence; 0 for one too short to be told by."""
    is_unspaced: bool

    def __len__(self) -> int:
        return len(self.hashes)

    def line_hashes(self) -> list[int]:
        """The hash of each sentence that is long enough to be told by."""
        return [line for line in self.sentences.tolist() if line]


def mix(values: Hashes) -> Hashes:
    """Spread 64-bit values evenly (a finaliser of Pelle Evensen's kind: shift, multiply, shift, multiply, shift)."""
    values = values ^ (values >> _HALF)
    values *= _SPREAD
    values ^= values >> _HALF
    values *= _SPREAD
    values ^= values >> _HALF
    return values


def changes(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a value is not the one before it; always at the first."""
    found = np.ones(len(values), bool)
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The values ascending, each once; `np.unique` takes three times as long on a text's few hundred."""
    ascending = values.copy()
    ascending.sort()
    found: NDArray[Any] = ascending[changes(ascending)]
    return found


def lengths(first: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """How far it is from each start to the next, from the last to `count`."""
    found = np.empty(len(first), np.intp)
    np.subtract(first[1:], first[:-1], out=found[:-1])
    found[-1] = count - first[-1]
    return found


def tokenise(paragraphs: Sequence[str]) -> Tokens:
    """The tokens of a text; a paragraph always ends a sentence."""
    text = "\n".join(paragraphs)
    if "&" in text and ";" in text:
        text = html.unescape(text)
    chars = _read(text)
    starts, is_unspaced = _starts(chars)
    if not len(starts):
        nothing = np.zeros(0, np.uint64)
        return Tokens(nothing, nothing.astype(bool), nothing.astype(bool), nothing.astype(np.intp), nothing, False)
    table = tables()
    hashes = mix(_hash_runs(chars.folded, starts))
    first = _openings(starts, chars)
    sizes = lengths(first, len(starts))
    sentences = mix(_hash_runs(hashes, first))
    sentences[sizes < SENTENCE_TOKENS_MIN] = 0
    points = chars.points[starts]
    is_name = table.is_capital[points]
    is_name[first] = False
    return Tokens(
        hashes,
        table.is_number[points],
        is_name,
        np.arange(len(first)).repeat(sizes),
        sentences,
        is_unspaced,
    )


def words(text: str) -> tuple[Hashes, bool]:
    """Only the hashes of a text's tokens, and whether a character is its unit."""
    chars = _read(text)
    starts, is_unspaced = _starts(chars)
    if not len(starts):
        return np.zeros(0, np.uint64), False
    return mix(_hash_runs(chars.folded, starts)), is_unspaced


@dataclass(frozen=True, slots=True)
class _Characters:
    """What the tables say of each character of a text."""

    points: NDArray[Any]
    folded: NDArray[Any]
    """0 for separators."""
    is_lone: NDArray[np.bool_] | None
    stop: NDArray[np.uint8]


def _read(text: str) -> _Characters:
    if text.isascii():
        raw = text.encode("ascii")
        fold, stop = _ascii()
        return _Characters(
            np.frombuffer(raw, np.uint8),
            np.frombuffer(raw.translate(fold), np.uint8),
            None,
            np.frombuffer(raw.translate(stop), np.uint8),
        )
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    table = tables()
    points = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), POINTS - 1)
    part = table.part[points]
    kept = part != IGNORED
    if not kept.all():
        points, part = points[kept], part[kept]
    return _Characters(points, table.fold[points], part == LONE, table.stop[points])


@cache
def _ascii() -> tuple[bytes, bytes]:
    """The tables' first 128 entries as `bytes.translate` takes them."""
    table = tables()
    return tuple(bytes(column[:128].tolist()) + bytes(128) for column in (table.fold, table.stop))  # type: ignore[return-value]  # two columns, two tables


def _starts(chars: _Characters) -> tuple[NDArray[np.intp], bool]:
    """Where each token begins, and whether characters are the unit of this text."""
    is_word = chars.folded != 0
    breaks = is_word.copy()
    if chars.is_lone is None:
        np.greater(is_word[1:], is_word[:-1], out=breaks[1:])
        return breaks.nonzero()[0], False
    breaks[1:] &= ~is_word[:-1] | chars.is_lone[1:] | chars.is_lone[:-1]
    starts = breaks.nonzero()[0]
    return starts, bool(np.count_nonzero(chars.is_lone) > UNSPACED_SHARE * len(starts))


def _hash_runs(values: NDArray[Any], starts: NDArray[np.intp]) -> Hashes:
    """A hash of the values from each start to the next, in order; zeros at the end do not count.

    Sums of value x multiplier^position, brought back to position 0 by the inverse multiplier.
    """
    powers, inverses = _POWERS, _INVERSES
    if len(values) > _BLOCK:
        powers, inverses = _powers(_MULTIPLIER, len(values)), _powers(_INVERSE, len(values))
    sums: Hashes = np.add.reduceat(values.astype(np.uint64) * powers[: len(values)], starts)
    sums *= inverses[starts]
    return sums


def _openings(starts: NDArray[np.intp], chars: _Characters) -> NDArray[np.intp]:
    """Which tokens open a sentence."""
    stops = chars.stop.nonzero()[0]
    # Of the last character only the start of another token after it would matter.
    is_end = np.ones(len(stops), bool)
    inner = stops[stops < len(chars.folded) - 1]
    is_end[: len(inner)] = (chars.stop[inner] == ENDS) | (chars.folded[inner + 1] == 0)
    opening = starts.searchsorted(stops[is_end])
    first: NDArray[np.intp] = distinct(np.concatenate([_FIRST, opening[opening < len(starts)]]))
    return first
