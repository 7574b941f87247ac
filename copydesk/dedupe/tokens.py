"""Text to tokens, as arrays: what sketch, repeated lines and file names all look at. The only tokeniser of `dedupe`."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.codepoints import IGNORED, LONE, POINTS, SEPARATOR, tables

Hashes = NDArray[np.uint64]

# Of a text in which more than this share of the tokens are single characters, a character is the unit.
UNSPACED_SHARE: Final = 0.3

# A sentence of one word is said in too many places to be anybody's furniture.
SENTENCE_TOKENS_MIN: Final = 2

_MULTIPLIER: Final = 0x100000001B3
_INVERSE: Final = pow(_MULTIPLIER, -1, 1 << 64)
_BLOCK: Final = 1 << 16


def _powers(base: int, count: int) -> Hashes:
    """base^1 … base^count, modulo 2^64."""
    return np.cumprod(np.full(count, base, np.uint64), dtype=np.uint64)


_POWERS: Final = _powers(_MULTIPLIER, _BLOCK)
_INVERSES: Final = _powers(_INVERSE, _BLOCK)
_ORDER: Final = _powers(0x9E3779B97F4A7C15, _BLOCK)


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
    """Spread 64-bit values evenly (the finaliser of SplitMix64's family with Pelle Evensen's `rrxmrrxmsx` constant)."""
    values = values ^ (values >> np.uint64(32))
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    values *= np.uint64(0xD6E8FEB86659FD93)
    values ^= values >> np.uint64(32)
    return values


def tokenise(paragraphs: Sequence[str]) -> Tokens:
    """The tokens of a text; a paragraph always ends a sentence."""
    text = "\n".join(paragraphs)
    if "&" in text and ";" in text:
        text = html.unescape(text)
    points, part, stop = _read(text)
    table = tables()
    is_word = part != SEPARATOR
    is_lone = part == LONE
    breaks = is_word.copy()
    breaks[1:] &= ~is_word[:-1] | is_lone[1:] | is_lone[:-1]
    starts = np.flatnonzero(breaks)
    if not len(starts):
        nothing = np.zeros(0, np.uint64)
        return Tokens(nothing, nothing.astype(bool), nothing.astype(bool), nothing.astype(np.intp), nothing, False)
    hashes = _hash_runs(table.fold[points], starts)
    sentence, opens, sentences = _sentences(hashes, starts, part, stop)
    return Tokens(
        hashes,
        table.is_number[points[starts]],
        table.is_capital[points[starts]] & ~opens,
        sentence,
        sentences,
        bool(is_lone[starts].mean() > UNSPACED_SHARE),
    )


def _read(text: str) -> tuple[NDArray[np.uint32], NDArray[np.uint8], NDArray[np.uint8]]:
    """Code points without the ignored ones, the part each plays, and where sentences may end."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    points = np.minimum(np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32), POINTS - 1)
    part = tables().part[points]
    kept = part != IGNORED
    if not kept.all():
        points, part = points[kept], part[kept]
    return points, part, tables().stop[points]


def _hash_runs(folded: NDArray[np.uint32], starts: NDArray[np.intp]) -> Hashes:
    """A hash of the folded characters from each start to the next; separators are 0 and do not count.

    Prefix sums of character x multiplier^position, brought back to position 0 by the inverse multiplier.
    """
    powers, inverses = _POWERS, _INVERSES
    if len(folded) > _BLOCK:
        powers = _powers(_MULTIPLIER, len(folded))
        inverses = _powers(_INVERSE, len(folded))
    sums: Hashes = np.add.reduceat(folded.astype(np.uint64) * powers[: len(folded)], starts)
    return mix(sums * inverses[starts])


def _sentences(
    hashes: Hashes, starts: NDArray[np.intp], part: NDArray[np.uint8], stop: NDArray[np.uint8]
) -> tuple[NDArray[np.intp], NDArray[np.bool_], Hashes]:
    """(sentence of each token, whether it opens one, hash of each sentence)."""
    stops = np.flatnonzero(stop)
    following = part[np.minimum(stops + 1, len(part) - 1)]
    stops = stops[(stop[stops] == 2) | (following == SEPARATOR)]
    number = np.searchsorted(stops, starts)
    opens = np.ones(len(starts), bool)
    opens[1:] = number[1:] != number[:-1]
    first = np.flatnonzero(opens)
    lengths = np.diff(first, append=len(hashes))
    sentence = np.cumsum(opens) - 1
    position = np.arange(len(hashes)) - first[sentence]
    sentences = mix(np.add.reduceat(hashes * _ORDER[np.minimum(position, _BLOCK - 1)], first))
    sentences[lengths < SENTENCE_TOKENS_MIN] = 0
    return sentence, opens, sentences
