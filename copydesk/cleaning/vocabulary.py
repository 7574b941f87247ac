"""The words that notices are made of, taken from the phrases of a lexicon, and how much of a line they make up.

A phrase catches a notice that is worded as foreseen. One that is worded otherwise is still made of the same words:
subscribe, channel, our, app. How the share of such words weighs is not decided here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from copydesk.cleaning.patterns import is_paired

# With the vowel signs of Devanagari, which are marks and no letters, and the joiners of Persian.
_LETTERS = r"(?:[^\W\d_]|[\u0900-\u0903\u093a-\u094f\u200c\u200d])+"
_WORD = re.compile(_LETTERS)
_WRITTEN = re.compile(rf"{_LETTERS}~?")
_STRETCH = re.compile(rf"{_LETTERS}(?: {_LETTERS})*~?")
_SHORTEST_STEM = 4
_LONGEST_PARTICLE = 2
_OF_ONE_PHRASE = 0.5
"""Weight of a word that one phrase alone holds: at 1.0 three times as many lines of stories reach a share of 0.3."""
_LEFT_OUT = ("about", "bio", "caption", "correction", "greeting", "related", "rights", "rights_hint", "slug")
"""Classes whose lines are told by how they open, or whose words are a subject of stories: copyright, lawsuits."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one language's notices."""

    words: Mapping[str, float]
    """Word → weight."""
    stems: Mapping[str, float]
    of_syllables: bool = False
    """True where what spaces part are syllables, of which two say something."""

    def measure(self, low: str) -> tuple[float, float]:
        """The weight of the folded line's words that are of the vocabulary, and its ratio to the number of words."""
        words = cut_words(low, of_syllables=self.of_syllables)
        weight = sum(self.words.get(word) or self._weigh_stem(word) for word in words)
        return weight, weight / len(words) if words else 0.0

    def _weigh_stem(self, word: str) -> float:
        return next((self.stems[word[:end]] for end in range(_SHORTEST_STEM, len(word)) if word[:end] in self.stems), 0)


def collect_vocabulary(phrases: Iterable[tuple[str, str]], common: frozenset[str], *, of_syllables: bool) -> Vocabulary:
    """The vocabulary of (class, phrase as written), without the words that are `common` to every text."""
    pattern = _STRETCH if of_syllables else _WRITTEN
    counts: Counter[str] = Counter()
    for name, written in phrases:
        if name not in _LEFT_OUT:
            counts.update(
                {part for word in pattern.findall(written.lower()) for part in _parts(word, of_syllables=of_syllables)}
            )
    weights = {word: 1.0 if count > 1 else _OF_ONE_PHRASE for word, count in counts.items() if word not in common}
    return Vocabulary(
        {w: weight for w, weight in weights.items() if w[-1] != "~" and (len(w) > _LONGEST_PARTICLE or is_paired(w))},
        {w[:-1]: weight for w, weight in weights.items() if w[-1] == "~" and len(w) > _SHORTEST_STEM},
        of_syllables,
    )


def _parts(written: str, *, of_syllables: bool) -> list[str]:
    return [written] if written.endswith("~") else cut_words(written, of_syllables=of_syllables)


def cut_words(low: str, *, of_syllables: bool = False) -> list[str]:
    """The words of a folded text; pairs of characters in scripts that glue words together, or pairs of syllables."""
    found: list[str] = []
    words = _WORD.findall(low)
    if of_syllables:
        return [f"{first} {second}" for first, second in pairwise(words)] or words
    for word in words:
        if is_paired(word):
            found += [word[place : place + 2] for place in range(len(word) - 1)] or [word]
        else:
            found.append(word)
    return found
