"""What the recognisers look things up in: one language's lexicon merged with English and the language-free one.

English is always in, because every press uses some of it ("All rights reserved", "Photo: AFP").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter

from ahocorasick_rs import AhoCorasick

from copydesk.cleaning.classes import NOTICE_CLASSES, NoticeClass
from copydesk.cleaning.lexicon import WORD_LISTS, Lexicon
from copydesk.cleaning.patterns import Phrase, find_openings, is_paired, match_phrase
from copydesk.cleaning.vocabulary import Vocabulary, collect_vocabulary

_WORDS = re.compile(r"[^\W_]+")
_order = attrgetter("order")
LONGEST_REMEMBERED = 240
"""Characters up to which what was found in a line is kept: a desk's notices come back with each of its texts."""
_REACH = 32
_LONG_WORD = 4
_FEWEST_LETTERS = 4
"""Shorter literals stand in every text; phrases with such that open a line are found by their opening."""
_SYLLABLES = ("vi",)
"""Languages whose spaces part syllables."""
LONGEST_LOOK = 1_200
"""Characters at each end of a line in which phrases are looked for; notices say what they are early or late."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One phrase of a lexicon found in a line."""

    name: str
    """The notice class."""
    strength: int
    start: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Entry:
    name: str
    strength: int
    phrase: Phrase
    order: int
    """Its place among all phrases of the lexis."""


@dataclass(frozen=True, slots=True)
class Label:
    """A word that gives what follows (or precedes) it a role."""

    role: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Lexis:
    """The merged knowledge for documents of one language."""

    language: str
    order: str
    capitals_throughout: bool
    """True where all words of a publisher's name have a capital."""
    zone: str | None
    variants: Mapping[int, str]
    literals: AhoCorasick
    """Finds the literals of all phrases in one pass over a text."""
    by_literal: Sequence[tuple[tuple[_Entry, ...], tuple[_Entry, ...]]]
    """For each literal, the phrases that hold it anywhere, and those that hold it within `_REACH` of the start."""
    by_opening: Mapping[str, tuple[_Entry, ...]]
    """Phrases of short words tied to the start, by what opens the line; see `patterns.find_openings`."""
    always_tried: tuple[_Entry, ...]
    colon: Mapping[str, str]
    """Folded label → role, where a colon follows."""
    before: Mapping[str, tuple[Label, ...]]
    """First two characters → labels that open a segment, longest first; see `opening`."""
    after: Mapping[str, tuple[Label, ...]]
    """Last character → labels that close a segment, longest first."""
    words: Mapping[str, WordList]
    picture_words: WordList
    """The labels of picture credits, wherever they stand."""
    months: Mapping[str, tuple[int, str]]
    dates: Mapping[str, frozenset[str]]
    zones: Mapping[str, str]
    eras: Mapping[str, int]
    datelines: tuple[re.Pattern[str], ...]
    month_pattern: re.Pattern[str]
    hour_pattern: re.Pattern[str]
    """A whole hour and the word behind it: `14 Uhr`."""
    vocabulary: Vocabulary
    """The words of the language's own notices."""

    def find_hits(self, low: str) -> tuple[Hit, ...]:
        """All phrases that stand in the folded line."""
        if len(low) > LONGEST_REMEMBERED:
            return self._find_hits(low)
        return find_hits_again(self, low)

    def _find_hits(self, low: str) -> tuple[Hit, ...]:
        if len(low) > 2 * LONGEST_LOOK:
            low = low[:LONGEST_LOOK] + "\n" + low[-LONGEST_LOOK:]
        tried = set(self.always_tried)
        for index, start, _ in self.literals.find_matches_as_indexes(low, overlapping=True):
            anywhere, early = self.by_literal[index]
            tried.update(anywhere)
            if start <= _REACH:
                tried.update(early)
        for opening in find_openings(low):
            tried.update(self.by_opening.get(opening, ()))
        # In the order of the files: that of a set is another one in each process.
        found = []
        for entry in sorted(tried, key=_order) if len(tried) > 1 else tried:
            place = match_phrase(entry.phrase, low)
            if place:
                found.append(Hit(entry.name, entry.strength, *place, entry.phrase.is_whole))
        return tuple(found)

    def opening(self, low: str, start: int = 0) -> tuple[Label, ...]:
        """The labels that may open the folded text at `start`, longest first."""
        pair = low[start : start + 2]
        if pair not in self.before and pair[:1] not in self.before:
            return ()
        found = self.before.get(pair, ())
        return found + self.before.get(pair[:1], ()) if len(pair) == 2 else found

    def has_word(self, kind: str, low: str) -> bool:
        """True when one of the word list's entries stands in the folded text, as a word of its own."""
        return self.words[kind].stands_in(low)


@lru_cache(maxsize=8192)
def find_hits_again(lexis: Lexis, low: str) -> tuple[Hit, ...]:
    return lexis._find_hits(low)  # the memory of that method


class WordList(frozenset[str]):
    """Words and phrases, with a quick test whether any of them stands in a text."""

    singles: frozenset[str]
    """Those that are one word of a spaced script: they can be looked up among the words of a text."""
    others: re.Pattern[str]
    words_of: frozenset[str]
    """The longest word of each entry in a spaced script."""
    closers: tuple[str, ...]
    """The entries of unspaced scripts, to look for at the end of a text; `openers`, those long enough for its start."""
    openers: tuple[str, ...]
    glued: re.Pattern[str]
    """The entries of unspaced scripts."""
    loose: AhoCorasick
    """Any text of `words_of` or `glued`, though perhaps in a longer word."""

    @classmethod
    def build(cls, words: Iterable[str]) -> WordList:
        """A list of `words`."""
        made = cls(words)
        made.singles = frozenset(w for w in made if w.isalpha() and not is_paired(w))
        made.closers = tuple(w for w in made if is_paired(w))
        made.openers = tuple(w for w in made.closers if len(w) > 2)
        made.glued = _any_of(w for w in made if is_paired(w))
        made.words_of = frozenset(max(_WORDS.findall(w), key=len, default="") for w in made if not is_paired(w))
        made.loose = AhoCorasick([w for w in (*made.words_of, *made.closers) if w])
        made.others = _any_of(made - made.singles)
        return made

    def stands_loosely_in(self, low: str) -> bool:
        """As `stands_in`, but any text that holds one word of an entry of several may count."""
        if not self.loose.find_matches_as_indexes(low):
            return False
        return not self.words_of.isdisjoint(_WORDS.findall(low)) or self.glued.search(low) is not None

    def stands_in(self, low: str) -> bool:
        """True when one of the words stands in the folded text, as a word of its own."""
        if not self.singles.isdisjoint(_WORDS.findall(low)):
            return True
        found = self.others.search(low)
        # A phrase found inside a longer word hides others; that is rare, and only then each is looked for.
        return found is not None and (is_word_in(found.group(), low) or any(is_word_in(word, low) for word in self))


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern of all the words as they stand; never matches where there are none."""
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))) or "(?!)")


def is_word_in(word: str, low: str) -> bool:
    """True when `word` stands in `low` and, where words are parted by spaces, is not part of a longer one."""
    place = low.find(word)
    while place >= 0:
        end = place + len(word)
        starts = not place or not low[place - 1].isalnum() or is_paired(word[0])
        ends = end == len(low) or not low[end].isalnum() or is_paired(word[-1])
        if starts and ends:
            return True
        place = low.find(word, place + 1)
    return False


def strength_of(info: NoticeClass, phrase: Phrase) -> int:
    """How sure the class makes us when this phrase is found."""
    if phrase.is_whole:
        return info.whole
    return info.tied if phrase.at_start else info.free


def merge(lexicons: Sequence[Lexicon]) -> Lexis:
    """One lookup from several lexicons; the first gives the language, its zone and its order of dates."""
    first = lexicons[0]
    phrases = ((name, phrase) for lexicon in lexicons for name, _, phrase in lexicon.notices)
    entries = [
        _Entry(name, strength_of(NOTICE_CLASSES[name], phrase), phrase, order)
        for order, (name, phrase) in enumerate(phrases)
    ]
    by_literal: dict[str, list[_Entry]] = {}
    by_opening: dict[str, list[_Entry]] = {}
    always_tried = []
    for entry in entries:
        shortest = min(map(len, entry.phrase.literals), default=0)
        if entry.phrase.openings and shortest < _FEWEST_LETTERS:
            for opening in entry.phrase.openings:
                by_opening.setdefault(opening, []).append(entry)
        elif shortest:
            for literal in entry.phrase.literals:
                by_literal.setdefault(literal, []).append(entry)
        else:
            always_tried.append(entry)
    months = {name: month for lexicon in reversed(lexicons) for name, month in lexicon.months.items()}
    return Lexis(
        language=first.language,
        order=first.order,
        capitals_throughout=first.capitals == "words",
        zone=first.zone,
        variants=first.variants,
        literals=AhoCorasick(list(by_literal)),
        by_literal=tuple(
            (tuple(e for e in found if not _is_early(e)), tuple(e for e in found if _is_early(e)))
            for found in by_literal.values()
        ),
        by_opening={opening: tuple(found) for opening, found in by_opening.items()},
        always_tried=tuple(always_tried),
        colon={text: role for role, text in _labels(reversed(lexicons), "colon")},
        before=_by_opening(_opening_labels(lexicons)),
        after=_by_char(_labels(lexicons, "after"), -1),
        words={
            kind: WordList.build(w) for kind, w in _join_words(map(_words_for(first), lexicons), WORD_LISTS).items()
        },
        picture_words=WordList.build(
            label
            for place in ("colon", "before", "after")
            for role, label in _labels(lexicons, place)
            if role == "photographers"
        ),
        months=months,
        dates=_join_words([lexicon.dates for lexicon in lexicons]),
        zones={word: zone for lexicon in reversed(lexicons) for word, zone in lexicon.zones.items()},
        eras={name: year for lexicon in lexicons for name, year in lexicon.eras.items()},
        datelines=tuple(pattern for lexicon in lexicons for pattern in lexicon.datelines),
        month_pattern=_compile_months(months),
        hour_pattern=_compile_hours(word for lexicon in lexicons for word in lexicon.dates.get("hours", ())),
        vocabulary=collect_vocabulary(
            ((name, written) for name, written, _ in first.notices),
            frozenset((*first.words.get("common", ()), *first.words.get("not_names", ()))),
            of_syllables=first.language in _SYLLABLES,
        ),
    )


def _words_for(first: Lexicon) -> Callable[[Lexicon], Mapping[str, tuple[str, ...]]]:
    """The word lists of a lexicon as they count in `first`'s language: short English words are names elsewhere (An)."""

    def lists(lexicon: Lexicon) -> Mapping[str, tuple[str, ...]]:
        if lexicon is first:
            return lexicon.words
        kept = tuple(word for word in lexicon.words.get("not_names", ()) if len(word) >= _LONG_WORD)
        return {**lexicon.words, "not_names": kept}

    return lists


def _is_early(entry: _Entry) -> bool:
    return 0 <= entry.phrase.reach <= _REACH


def _labels(lexicons: Iterable[Lexicon], place: str) -> list[tuple[str, str]]:
    return [
        (role, label)
        for lexicon in lexicons
        for role, places in lexicon.roles.items()
        for label in places.get(place, ())
    ]


def _opening_labels(lexicons: Sequence[Lexicon]) -> list[tuple[str, str]]:
    """Labels without a colon; of the shared lexicons only those of several words, one English word is too little."""
    own = _labels(lexicons[:1], "before")
    return [*own, *((role, text) for role, text in _labels(lexicons[1:], "before") if " " in text)]


def _by_opening(labels: list[tuple[str, str]]) -> dict[str, tuple[Label, ...]]:
    found: dict[str, list[Label]] = {}
    for role, text in labels:
        found.setdefault(text[:2], []).append(Label(role, text))
    return {key: tuple(sorted(group, key=lambda x: -len(x.text))) for key, group in found.items()}


def _by_char(labels: list[tuple[str, str]], index: int) -> dict[str, tuple[Label, ...]]:
    found: dict[str, list[Label]] = {}
    for role, text in labels:
        found.setdefault(text[index], []).append(Label(role, text))
    return {char: tuple(sorted(group, key=lambda x: -len(x.text))) for char, group in found.items()}


def _join_words(
    lists: Iterable[Mapping[str, tuple[str, ...]]], always: Iterable[str] = ()
) -> dict[str, frozenset[str]]:
    """The lists joined by kind; the kinds in `always` are there even if no lexicon has them."""
    joined: dict[str, set[str]] = {kind: set() for kind in always}
    for words in lists:
        for kind, entries in words.items():
            joined.setdefault(kind, set()).update(entries)
    return {kind: frozenset(entries) for kind, entries in joined.items()}


def _compile_months(months: Mapping[str, object]) -> re.Pattern[str]:
    """Any month name as a word of its own; never matches where there are no names."""
    names = sorted(map(re.escape, months), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(names)})(?![^\W\d_])" if names else r"(?!)")


def _compile_hours(words: Iterable[str]) -> re.Pattern[str]:
    names = sorted(map(re.escape, words), key=len, reverse=True)
    return re.compile(rf"(?<![\d:.,])(\d{{1,2}})\s?(?:{'|'.join(names)})(?!\w)" if names else r"(?!)")
