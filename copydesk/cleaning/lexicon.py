"""Reads one lexicon file: what a language's press writes around a story. Checks it, compiles nothing across languages.

docs/cleaning.md explains each table for a native speaker; the tables are listed in `_TABLES`. A wrong file raises
`LexiconError` that names the file, the key and the reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from copydesk.cleaning.bounded import compile_bounded
from copydesk.cleaning.classes import NOTICE_CLASSES, ROLES
from copydesk.cleaning.normalise import fold
from copydesk.cleaning.patterns import Phrase, compile_phrase
from copydesk.errors import LexiconError

_ORDERS = ("dmy", "mdy", "ymd")
_CAPITALS = ("first", "words")
_ROLE_KEYS = ("colon", "before", "after", "start")
WORD_LISTS = (
    "and",  # joins the last of several names
    "answers",  # one-word labels of questions and answers: a line that opens so is story
    "bylines",  # stand for a name where nobody is named: "staff reporter"
    "common",  # words of every text: phrases are not looked for because of them alone; for speed only
    "company_forms",  # closing words of a company's name that its newspaper does not carry
    "dispatch",  # words for a report that close a byline behind a place
    "not_names",  # a piece that holds one of these is no person's name
    "places",  # stand between a name and where its bearer is: "in", "aus"
    "particles",  # small words inside names: "van", "de"
    "publisher_endings",  # last parts of a paper's name in languages that write it as one word: "bote", "posten"
    "publishers",  # words that make a capitalised line a publisher rather than a person
    "sections",  # column labels and section words
    "speech",  # verbs and nouns of attribution: a line with one of them is story
    "surnames",  # where names need no label to be guessed: what they begin with
    "with",  # stands between a paper and the agency whose material it used: "avec" AFP
    "titles",  # forms of address, taken off names
)
_DATE_LISTS = ("am", "at", "connectors", "hours", "ordinals", "pm", "weekdays", "year", "month", "day")
_TABLES = (
    "language",
    "capitals",
    "name",
    "zone",
    "order",
    "scripts",
    "variants",
    "notices",
    "roles",
    "words",
    "dates",
    "dateline",
    "eras",
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language's file, compiled."""

    language: str
    notices: tuple[tuple[str, str, Phrase], ...]
    """(class, the phrase as written, one compiled alternative)."""
    roles: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Role → where its label stands (`colon`, `before`, `after`) → folded labels."""
    words: Mapping[str, tuple[str, ...]]
    months: Mapping[str, tuple[int, str]]
    """Folded month name → number and calendar."""
    dates: Mapping[str, tuple[str, ...]]
    zones: Mapping[str, str]
    """Folded zone word → offset or IANA name."""
    eras: Mapping[str, int]
    """Folded era name → the year before its first."""
    datelines: tuple[re.Pattern[str], ...]
    zone: str | None = None
    order: str = "dmy"
    capitals: str = "first"
    """Whether a publisher's name has a capital on its first word only or on all its `words`."""
    variants: Mapping[int, str] = field(default_factory=dict)
    """Characters to fold before matching, e.g. traditional to simplified."""


class _Reader:
    """Takes typed values out of a parsed file and words the errors."""

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self.path = path
        self.data = data

    def fail(self, key: str, reason: str) -> LexiconError:
        return LexiconError(f"{self.path.name}, key {key}", reason)

    def table(self, key: str, allowed: tuple[str, ...] | None = None) -> Mapping[str, Any]:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(key, "must be a table")
        for name in value:
            if allowed is not None and name not in allowed:
                raise self.fail(f"{key}.{name}", f"unknown; known are {', '.join(sorted(allowed))}")
        return value

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise self.fail(key, "must be a list of texts, none of them empty")
        if len(set(value)) != len(value):
            raise self.fail(key, f"holds {next(v for v in value if value.count(v) > 1)!r} twice")
        return tuple(value)

    def text(self, key: str, default: str | None = None) -> str | None:
        value = self.data.get(key, default)
        if value is not None and not isinstance(value, str):
            raise self.fail(key, "must be a text")
        return value


def read_toml(path: Path) -> dict[str, Any]:
    """The file's tables; LexiconError where it is no TOML or cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LexiconError(path.name, str(error)) from error


def load_lexicon(path: Path, data: Mapping[str, Any] | None = None) -> Lexicon:
    """Read and compile one lexicon file; `data` are its tables where it has been read already."""
    data = read_toml(path) if data is None else data
    reader = _Reader(path, data)
    for key in data:
        if key not in _TABLES:
            raise reader.fail(key, f"unknown; known are {', '.join(_TABLES)}")
    language = reader.text("language")
    if not language:
        raise reader.fail("language", "is missing")
    order = reader.text("order", "dmy") or "dmy"
    if order not in _ORDERS:
        raise reader.fail("order", f"must be one of {', '.join(_ORDERS)}")
    capitals = reader.text("capitals", "first") or "first"
    if capitals not in _CAPITALS:
        raise reader.fail("capitals", f"must be one of {', '.join(_CAPITALS)}")
    variants = read_variants(path, data)

    def plain(text: str) -> str:
        return _plain(text, variants)

    return Lexicon(
        language=language,
        notices=_read_notices(reader, variants),
        roles=_read_roles(reader, plain),
        words={
            key: tuple(map(plain, reader.texts(f"words.{key}", value)))
            for key, value in reader.table("words", WORD_LISTS).items()
        },
        months=_read_months(reader, plain),
        dates={
            key: tuple(map(plain, reader.texts(f"dates.{key}", value)))
            for key, value in reader.table("dates").items()
            if key not in ("months", "zones")
        },
        zones={plain(key): str(value) for key, value in reader.table("dates").get("zones", {}).items()},
        eras=_read_eras(reader, plain),
        datelines=_read_datelines(reader, variants),
        zone=reader.text("zone"),
        order=order,
        capitals=capitals,
        variants=variants,
    )


def _plain(text: str, variants: Mapping[int, str]) -> str:
    return fold(" ".join(text.split())).translate(variants)


def read_common(path: Path, data: Mapping[str, Any]) -> frozenset[str]:
    """The words that are in every text of the language; empty where the file lists none."""
    reader = _Reader(path, data)
    words = reader.texts("words.common", reader.table("words", WORD_LISTS).get("common", []))
    variants = read_variants(path, data)
    return frozenset(_plain(word, variants) for word in words)


def read_variants(path: Path, data: Mapping[str, Any]) -> Mapping[int, str]:
    """The text `variants`: pairs such as `權权`, the first character is folded to the second."""
    reader = _Reader(path, data)
    pairs = (reader.text("variants", "") or "").split()
    for pair in pairs:
        if len(pair) != 2:
            raise reader.fail("variants", f"{pair!r} is not a pair of characters")
    return {ord(pair[0]): pair[1] for pair in pairs}


def _read_notices(reader: _Reader, variants: Mapping[int, str]) -> tuple[tuple[str, str, Phrase], ...]:
    found = []
    for name, value in reader.table("notices", tuple(NOTICE_CLASSES)).items():
        key = f"notices.{name}"
        for source in reader.texts(key, value):
            try:
                found.append((name, source, compile_phrase(fold(source).translate(variants))))
            except ValueError as error:
                raise reader.fail(key, f"{source!r}: {error}") from error
    return tuple(found)


def _read_roles(reader: _Reader, plain: Callable[[str], str]) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    roles = {}
    for role, places in reader.table("roles", ROLES).items():
        if not isinstance(places, dict) or set(places) - set(_ROLE_KEYS):
            raise reader.fail(f"roles.{role}", f"must be a table with the keys {', '.join(_ROLE_KEYS)}")
        roles[role] = {
            place: tuple(map(plain, reader.texts(f"roles.{role}.{place}", labels))) for place, labels in places.items()
        }
    return roles


def _read_months(reader: _Reader, plain: Callable[[str], str]) -> Mapping[str, tuple[int, str]]:
    """`dates.months`: calendar name → twelve texts, each the spellings of one month parted by spaces or `|`."""
    allowed = (*_DATE_LISTS, "months", "zones")
    calendars = reader.table("dates", allowed).get("months", {})
    found: dict[str, tuple[int, str]] = {}
    for calendar, names in calendars.items():
        key = f"dates.months.{calendar}"
        if calendar not in ("gregorian", "hijri", "jalali"):
            raise reader.fail(key, "must be gregorian, hijri or jalali")
        texts = reader.texts(key, names)
        if len(texts) != 12:
            raise reader.fail(key, f"has {len(texts)} months, not 12")
        for number, spellings in enumerate(texts, start=1):
            for spelling in spellings.split("|"):
                if not spelling.strip():
                    raise reader.fail(key, f"month {number} has an empty spelling")
                found[plain(spelling)] = (number, calendar)
    return found


def _read_eras(reader: _Reader, plain: Callable[[str], str]) -> Mapping[str, int]:
    eras = reader.table("eras")
    for name, year in eras.items():
        if not isinstance(year, int):
            raise reader.fail(f"eras.{name}", "must be the number of the year before the era's first")
    return {plain(name): year for name, year in eras.items()}


def _read_datelines(reader: _Reader, variants: Mapping[int, str]) -> tuple[re.Pattern[str], ...]:
    """`dateline.patterns`: bounded regular expressions over the folded line, group `line` being the dateline."""
    patterns = []
    for source in reader.texts("dateline.patterns", reader.table("dateline", ("patterns",)).get("patterns", [])):
        try:
            pattern = compile_bounded(source.translate(variants))
        except ValueError as error:
            raise reader.fail("dateline.patterns", f"{source!r}: {error}") from error
        if "line" not in pattern.groupindex:
            raise reader.fail("dateline.patterns", f"{source!r}: has no group named `line`")
        patterns.append(pattern)
    return tuple(patterns)
