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

from copydesk.dedupe.tokens import Hashes, changes, distinct, lengths, mix, tokenise
from copydesk.errors import LexiconError

SLOTS_MAX: Final = 48
"""Those with the smallest slot hashes: the same sample in any two texts."""

_FACTORS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64)
_UPPER: Final = np.uint64(48)
_LOWER: Final = np.uint64(16)
_FILTER: Final = np.uint64(0xFFFF)

# All names: a text set in capitals tells no names by them.
_CAPITALS_MAX: Final = 0.5


def slots(words: Hashes, is_number: NDArray[np.bool_], is_name: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Upper half: which slot; lower half: what stands in it. Ascending, each slot once."""
    kind = is_number | is_spelled(words)
    is_fact = kind | is_name if np.count_nonzero(is_name) < _CAPITALS_MAX * len(words) else kind
    places = is_fact.nonzero()[0]
    if not len(places):
        return np.zeros(0, np.uint32)
    opens = changes(kind[places])
    opens[1:] |= places[1:] != places[:-1] + 1
    first = opens.nonzero()[0]
    sizes = lengths(first, len(places))
    # 5.4 is not 4.5: each word of a fact has its weight by its place.
    offset = np.arange(len(places)) - first.repeat(sizes)
    fact: Hashes = np.add.reduceat(words[places] * _FACTORS[np.minimum(offset, 3)], first)
    padded = np.concatenate([_FACTORS[:1], words, _FACTORS[:1]])
    before = padded[places[first]] * _FACTORS[1]
    after = padded[places[first + sizes - 1] + 2] * _FACTORS[2]
    # Both neighbours, each alone: a name of other length or an edit beside it leaves one of the three.
    mixed = mix(np.concatenate([before + after, before, after, fact])) >> _UPPER
    packed = (mixed.reshape(4, -1)[:3] << _LOWER | mixed[3 * len(first) :]).ravel()
    packed.sort()
    # A place that comes twice ("of …") says nothing of what stood in the other text's.
    is_other = changes(packed >> _LOWER)
    once = is_other.copy()
    once[:-1] &= is_other[1:]
    found: NDArray[np.uint32] = packed.compress(once)[:SLOTS_MAX].astype(np.uint32)
    return found


def is_spelled(words: Hashes) -> NDArray[np.bool_]:
    """Which words are numbers, days or months that are spelled out (`spelled.toml`)."""
    table, may_be = _spelled()
    found: NDArray[np.bool_] = may_be.take(words & _FILTER)
    likely = found.nonzero()[0]
    asked = words[likely]
    found[likely] = table[np.minimum(table.searchsorted(asked), len(table) - 1)] == asked
    return found


@cache
def _spelled() -> tuple[Hashes, NDArray[np.bool_]]:
    """The words' hashes, ascending, and for each ending of a hash whether a word has it."""
    lists = tomllib.loads((files("copydesk.dedupe") / "spelled.toml").read_text("utf-8"))
    words = [word for language in lists.values() for kind in language.values() for word in kind.split()]
    if not words or any(word != word.lower() for word in words):
        raise LexiconError("spelled.toml", "it holds no word, or one in capitals")
    hashes = distinct(tokenise(words).hashes)
    may_be = np.zeros(int(_FILTER) + 1, bool)
    may_be[hashes & _FILTER] = True
    return hashes, may_be
