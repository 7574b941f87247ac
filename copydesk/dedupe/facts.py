"""The facts of a text and the slots they stand in: what tells two bulletins of one template from two copies of a text.

A fact is a number, a spelled-out number, a day or month, or a name (a capital inside a sentence); its slot is the pair
of words around it. Copies of a story agree in the slots they share, however much the words between were edited;
bulletins that a desk writes every day share the slots and differ in what stands in them.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.tokens import Hashes, mix, tokenise
from copydesk.errors import LexiconError

SLOTS_MAX: Final = 48
"""Those with the smallest slot hashes: the same sample in any two texts."""

_FACTORS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
# All names: a text set in capitals tells no names by them.
_CAPITALS_MAX: Final = 0.5


def slots(words: Hashes, is_number: NDArray[np.bool_], is_name: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Upper half: which slot; lower half: what stands in it, its last bit set for numbers. Ascending, a slot once."""
    kind = (is_number | is_spelled(words)).astype(np.int8)
    if len(words) and np.count_nonzero(is_name) < _CAPITALS_MAX * len(words):
        kind[is_name & (kind == 0)] = 2
    places = np.flatnonzero(kind)
    if not len(places):
        return np.zeros(0, np.uint32)
    opens = np.ones(len(places), bool)
    opens[1:] = (places[1:] != places[:-1] + 1) | (kind[places[1:]] != kind[places[:-1]])
    first = np.flatnonzero(opens)
    offset = np.arange(len(places)) - np.repeat(first, np.diff(first, append=len(places)))
    weighted: Hashes = np.add.reduceat(words[places] * _FACTORS[np.minimum(offset, 3)], first)
    fact = (mix(weighted) >> np.uint64(49) << np.uint64(1)) | (kind[places[first]] == 1).astype(np.uint64)
    padded = np.concatenate([_FACTORS[:1], words, _FACTORS[:1]])
    before = padded[places[first]] * _FACTORS[1]
    after = padded[places[np.append(first[1:], len(places)) - 1] + 2] * _FACTORS[2]
    # Both neighbours, each alone: a name of other length or an edit beside it leaves one of the three.
    slot = _upper(mix(np.concatenate([before + after, before, after])))
    fact = np.concatenate([fact, fact, fact])
    _, place, times = np.unique(slot, return_index=True, return_counts=True)
    # A place that comes twice ("of …") says nothing of what stood in the other text's.
    once = place[times == 1]
    found: NDArray[np.uint32] = ((slot[once] << np.uint64(16)) | fact[once])[:SLOTS_MAX].astype(np.uint32)
    return found


def is_spelled(words: Hashes) -> NDArray[np.bool_]:
    """Which words are numbers, days or months that are spelled out (`spelled.toml`)."""
    table = _spelled()
    place = np.searchsorted(table, words)
    found: NDArray[np.bool_] = table[np.minimum(place, len(table) - 1)] == words
    return found


@cache
def _spelled() -> Hashes:
    lists = tomllib.loads((files("copydesk.dedupe") / "spelled.toml").read_text("utf-8"))
    words = [word for language in lists.values() for kind in language.values() for word in kind.split()]
    if not words or any(word != word.lower() for word in words):
        raise LexiconError("spelled.toml", "it holds no word, or one in capitals")
    return np.unique(tokenise(words).hashes)


def _upper(hashes: Hashes) -> Hashes:
    upper: Hashes = hashes >> np.uint64(48)
    return upper
