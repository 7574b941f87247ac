"""How alike two texts are, by their word 3-grams; a CJK or Thai character counts as a word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Han, kana, Thai, Lao, Khmer and Burmese are written without spaces between words.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")


def shingles(paragraphs: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """The set of word 3-grams of a text; a text of fewer words is its own single shingle."""
    words = _WORD.findall(unicodedata.normalize("NFKC", " ".join(paragraphs)).casefold())
    if len(words) < 3:
        return frozenset([tuple(words)]) if words else frozenset()
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def likeness(one: Iterable[str], other: Iterable[str]) -> tuple[float, float]:
    """(Jaccard, containment of the shorter in the longer), both 0 to 1; two empty texts are not alike."""
    a, b = shingles(one), shingles(other)
    if not a or not b:
        return 0.0, 0.0
    shared = len(a & b)
    return shared / len(a | b), shared / min(len(a), len(b))
