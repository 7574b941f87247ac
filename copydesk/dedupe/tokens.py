"""Text to tokens, as arrays: what sketch, repeated lines and file names all look at. The only tokeniser of `dedupe`."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.codepoints import CAPITAL, ENDS, ENDS_BEFORE_SPACE, FOLDED, IGNORED, LONE, NUMBER, tables

Hashes = NDArray[np.uint64]

# Of a text in which more than this share of the tokens are single characters, a character is the unit.
UNSPACED_SHARE: Final = 0.3

# A sentence of one word is said in too many places to be anybody's furniture.
SENTENCE_TOKENS_MIN: Final = 2

_MULTIPLIER: Final = 0x100000001B3
_INVERSE: Final = pow(_MULTIPLIER, -1, 1 << 64)
_BLOCK: Final = 1 << 16
_STOP: Final = ENDS | ENDS_BEFORE_SPACE
_HALF: Final = np.uint64(32)
_SPREAD: Final = np.uint64(0xD6E8FEB86659FD93)


def _powers(base: int, count: int) -> Hashes:
    """base^1 … base^count, modulo 2^64."""
    return np.cumprod(np.full(count, base, np.uint64), dtype=np.uint64)


_POWERS: Final = _powers(_MULTIPLIER, _BLOCK)
_INVERSES: Final = _powers(_INVERSE, _BLOCK)


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a body in order, one entry a token, and what is told of its sentences and headline."""

    hashes: Hashes
    """64-bit hash of the folded word."""
    is_number: NDArray[np.bool_]
    is_name: NDArray[np.bool_]
    """Begins with a capital and does not open a sentence."""
    sizes: NDArray[np.intp]
    """How many tokens each sentence has."""
    sentences: Hashes
    """Hash of each sentence; 0 for one too short to be told by."""
    is_unspaced: bool
    """Whether a character is the unit."""
    headline: Hashes
    """The tokens of the headline."""
    is_headline_unspaced: bool

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
    found = np.empty(len(values), bool)
    found[:1] = True
    np.not_equal(values[1:], values[:-1], out=found[1:])
    return found


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The values ascending, each once; `np.unique` takes three times as long on a text's few hundred."""
    ascending = values.copy()
    ascending.sort()
    return ascending.compress(changes(ascending))


def lengths(first: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """How far it is from each start to the next, from the last to `count`."""
    found = np.empty(len(first), np.intp)
    np.subtract(first[1:], first[:-1], out=found[:-1])
    found[-1] = count - first[-1]
    return found


def tokenise(paragraphs: Sequence[str], title: str | None = None) -> Tokens:
    """The tokens of a text and its headline; a paragraph always ends a sentence."""
    body = "\n".join(paragraphs)
    if "&" in body and ";" in body:
        body = html.unescape(body)
    # In one go: what is computed of a headline alone costs as much as a tenth of the text.
    chars = _read(body, title or "")
    starts, is_lone = _starts(chars)
    if not len(starts):
        return _NO_TOKENS
    count = int(starts.searchsorted(chars.body))
    every = mix(_hash_runs(chars.folded, starts))
    hashes, headline = every[:count], every[count:]
    is_headline_unspaced = _is_unspaced(is_lone[chars.body :], len(headline))
    if not count:
        return replace(_NO_TOKENS, headline=headline, is_headline_unspaced=is_headline_unspaced)
    first = _openings(starts[:count], chars)
    sizes = lengths(first, count)
    sentences = mix(_hash_runs(hashes, first))
    sentences[sizes < SENTENCE_TOKENS_MIN] = 0
    opening = chars.entries[starts[:count]]
    is_name = (opening & CAPITAL) != 0
    is_name[first] = False
    return Tokens(
        hashes,
        (opening & NUMBER) != 0,
        is_name,
        sizes,
        sentences,
        _is_unspaced(is_lone[: chars.body], count),
        headline,
        is_headline_unspaced,
    )


_NONE: Final = np.zeros(0, np.uint64)
_NO_TOKENS: Final = Tokens(
    _NONE, _NONE.astype(bool), _NONE.astype(bool), _NONE.astype(np.intp), _NONE, False, _NONE, False
)


@dataclass(frozen=True, slots=True)
class _Characters:
    """What the tables say of each character of a body, a separator and a headline."""

    body: int
    """How many of them are the body's."""
    entries: Hashes
    folded: Hashes
    """0 for separators."""
    kinds: np.uint64
    """Every bit that any of the entries has."""


def _read(body: str, title: str) -> _Characters:
    text, end = f"{body}\n{title}", len(body)
    if text.isascii():
        points: NDArray[Any] = np.frombuffer(text.encode("ascii"), np.uint8)
    else:
        if not unicodedata.is_normalized("NFC", text):
            body, title = unicodedata.normalize("NFC", body), unicodedata.normalize("NFC", title)
            text, end = f"{body}\n{title}", len(body)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    # Twice as fast as indexing, and what is above the table has its last entry.
    entries = tables().entries.take(points, mode="clip")
    kinds = np.bitwise_or.reduce(entries)
    if kinds & IGNORED:
        kept = (entries & IGNORED) == 0
        entries, end = entries.compress(kept), int(np.count_nonzero(kept[:end]))
    return _Characters(end, entries, entries & FOLDED, kinds)


def _starts(chars: _Characters) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each token begins, and which characters are tokens by themselves (no entry where none is)."""
    is_word = chars.folded != 0
    breaks = is_word.copy()
    if not chars.kinds & LONE:
        np.greater(is_word[1:], is_word[:-1], out=breaks[1:])
        return breaks.nonzero()[0], is_word[:0]
    is_lone = (chars.entries & LONE) != 0
    breaks[1:] &= ~is_word[:-1] | is_lone[1:] | is_lone[:-1]
    return breaks.nonzero()[0], is_lone


def _is_unspaced(is_lone: NDArray[np.bool_], tokens: int) -> bool:
    return bool(len(is_lone) and np.count_nonzero(is_lone) > UNSPACED_SHARE * tokens)


def _hash_runs(values: Hashes, starts: NDArray[np.intp]) -> Hashes:
    """A hash of the values from each start to the next, in order; zeros at the end do not count.

    Sums of value x multiplier^position, brought back to position 0 by the inverse multiplier.
    """
    powers, inverses = _POWERS, _INVERSES
    if len(values) > _BLOCK:
        powers, inverses = _powers(_MULTIPLIER, len(values)), _powers(_INVERSE, len(values))
    sums: Hashes = np.add.reduceat(values * powers[: len(values)], starts)
    sums *= inverses[starts]
    return sums


def _openings(starts: NDArray[np.intp], chars: _Characters) -> NDArray[np.intp]:
    """Which tokens of the body open a sentence."""
    stops = ((chars.entries[: chars.body] & _STOP) != 0).nonzero()[0]
    is_end = ((chars.entries[stops] & ENDS) != 0) | (chars.folded[stops + 1] == 0)
    opening = np.zeros(1 + np.count_nonzero(is_end), np.intp)
    opening[1:] = starts.searchsorted(stops[is_end])
    first = opening[changes(opening)]
    return first[:-1] if first[-1] == len(starts) else first
