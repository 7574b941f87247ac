"""What the recognisers look things up in: one language's lexicon merged with English and the language-free one.

English is always in, because every press uses some of it ("All rights reserved", "Photo: AFP").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from copydesk.cleaning.classes import NOTICE_CLASSES, NoticeClass
from copydesk.cleaning.lexicon import Lexicon
from copydesk.cleaning.patterns import Phrase, find_anchors, match_phrase

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


@dataclass(frozen=True, slots=True)
class Label:
    """A word that gives what follows (or precedes) it a role."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Lexis:
    """The merged knowledge for documents of one language."""

    language: str
    order: str
    zone: str | None
    variants: Mapping[int, str]
    entries: Mapping[str, tuple[_Entry, ...]]
    unanchored: tuple[_Entry, ...]
    colon: Mapping[str, str]
    """Folded label → role, where a colon follows."""
    before: Mapping[str, tuple[Label, ...]]
    """First character → labels that open a segment, longest first."""
    after: Mapping[str, tuple[Label, ...]]
    """Last character → labels that close a segment, longest first."""
    words: Mapping[str, frozenset[str]]
    months: Mapping[str, tuple[int, str]]
    dates: Mapping[str, frozenset[str]]
    zones: Mapping[str, str]
    eras: Mapping[str, int]
    datelines: tuple[re.Pattern[str], ...]
    month_pattern: re.Pattern[str]

    def find_hits(self, low: str) -> list[Hit]:
        """All phrases that stand in the folded line."""
        if len(low) > 2 * LONGEST_LOOK:
            low = low[:LONGEST_LOOK] + "\n" + low[-LONGEST_LOOK:]
        entries = self.entries
        tried = list(self.unanchored)
        for anchor in find_anchors(low) & entries.keys():
            tried += entries[anchor]
        return [
            Hit(entry.name, entry.strength, *place, entry.phrase.is_whole)
            for entry in (dict.fromkeys(tried) if len(tried) > 1 else tried)
            if (place := match_phrase(entry.phrase, low))
        ]

    def has_word(self, kind: str, low: str) -> bool:
        """True when one of the word list's entries stands in the folded text, as a word of its own."""
        found = self.words.get(kind)
        return bool(found) and any(is_word_in(word, low) for word in found)  # type: ignore[union-attr]  # bool(found)


def is_word_in(word: str, low: str) -> bool:
    """True when `word` stands in `low` and, where words are parted by spaces, is not part of a longer one."""
    place = low.find(word)
    while place >= 0:
        end = place + len(word)
        starts = not place or not low[place - 1].isalnum() or word[0] >= "\u2e80"
        ends = end == len(low) or not low[end].isalnum() or word[-1] >= "\u0e00"
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
    entries: dict[str, list[_Entry]] = {}
    for lexicon in lexicons:
        for name, _, phrase in lexicon.notices:
            entry = _Entry(name, strength_of(NOTICE_CLASSES[name], phrase), phrase)
            for anchor in phrase.anchors or ("",):
                entries.setdefault(anchor, []).append(entry)
    unanchored = tuple(entries.pop("", ()))
    months = {name: month for lexicon in reversed(lexicons) for name, month in lexicon.months.items()}
    return Lexis(
        language=first.language,
        order=first.order,
        zone=first.zone,
        variants=first.variants,
        entries={anchor: tuple(found) for anchor, found in entries.items()},
        unanchored=unanchored,
        colon={text: role for role, text in _labels(reversed(lexicons), "colon")},
        before=_by_char(_labels(lexicons, "before"), 0),
        after=_by_char(_labels(lexicons, "after"), -1),
        words=_join_words(lexicon.words for lexicon in lexicons),
        months=months,
        dates=_join_words(lexicon.dates for lexicon in lexicons),
        zones={word: zone for lexicon in reversed(lexicons) for word, zone in lexicon.zones.items()},
        eras={name: year for lexicon in lexicons for name, year in lexicon.eras.items()},
        datelines=tuple(pattern for lexicon in lexicons for pattern in lexicon.datelines),
        month_pattern=_compile_months(months),
    )


def _labels(lexicons: Iterable[Lexicon], place: str) -> list[tuple[str, str]]:
    return [
        (role, label)
        for lexicon in lexicons
        for role, places in lexicon.roles.items()
        for label in places.get(place, ())
    ]


def _by_char(labels: list[tuple[str, str]], index: int) -> dict[str, tuple[Label, ...]]:
    found: dict[str, list[Label]] = {}
    for role, text in labels:
        found.setdefault(text[index], []).append(Label(role, text))
    return {char: tuple(sorted(group, key=lambda x: -len(x.text))) for char, group in found.items()}


def _join_words(lists: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, frozenset[str]]:
    joined: dict[str, set[str]] = {}
    for words in lists:
        for kind, entries in words.items():
            joined.setdefault(kind, set()).update(entries)
    return {kind: frozenset(entries) for kind, entries in joined.items()}


def _compile_months(months: Mapping[str, object]) -> re.Pattern[str]:
    """Any month name as a word of its own; never matches where there are no names."""
    names = sorted(map(re.escape, months), key=len, reverse=True)
    return re.compile(rf"(?<![^\W\d_])(?:{'|'.join(names)})(?![^\W\d_])" if names else r"(?!)")
