"""What is known about one publisher or one configured sender: names, zone, language, extra rules, default rights.

The same kind of file serves both. Shipped ones describe publishers and stand in `sources/`; an operator's describe
senders. Storing profiles is not done here, and lines are learnt in `learnt.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import soupsieve

from copydesk.cleaning.bounded import compile_bounded
from copydesk.cleaning.learnt import NOTHING, Learnt
from copydesk.cleaning.lexicon import read_toml
from copydesk.cleaning.normalise import fold, normalise
from copydesk.errors import LexiconError
from copydesk.models import FIELD_NAMES, PagePart

_KEYS = (
    "name",
    "aliases",
    "zone",
    "language",
    "encoding",
    "rights",
    "agency",
    "carrier",
    "rules",
    "sources",
    "fields",
    "page",
)
_PAGE_PARTS: tuple[str, ...] = get_args(PagePart)
_ACTIONS = ("drop", "keep", "replace", "rights")
_MATCHES = ("exact", "prefix", "regex")
_SEEN = 500
"""Characters of a line that a pattern sees."""


@dataclass(frozen=True, slots=True)
class LineRule:
    """An extra rule of a sender: what to do with a line that matches."""

    action: str
    match: str
    text: str
    to: str = ""
    """For `replace`: what is put in the place of the match, which for `regex` may name its groups: `\\1`."""

    def replaced(self, line: str) -> str:
        """The line that fits with `to` in the place of what matched; "" where nothing is left of it."""
        if self.match == "exact":
            return normalise(self.to)
        if self.match == "prefix":
            return normalise(self.to + line[len(self.text) :])
        head = line[:_SEEN]
        return normalise(compile_bounded(self.text).sub(self.to, head, count=1) + line[_SEEN:])

    def fits(self, line: str) -> bool:
        """True when the normalised line is meant; a pattern sees the first 500 characters."""
        if self.match == "exact":
            return line == self.text
        if self.match == "prefix":
            return line.startswith(self.text)
        return compile_bounded(self.text).match(line[:_SEEN]) is not None


@dataclass(frozen=True, slots=True)
class Profile:
    """One publisher or sender; the empty profile knows nothing."""

    name: str = ""
    aliases: tuple[str, ...] = ()
    zone: str | None = None
    """IANA name, only where the publisher plainly sits in one zone."""
    language: str | None = None
    encoding: str | None = None
    rights: tuple[str, ...] = ()
    """Rights statement of articles that carry none."""
    agency: bool = False
    """True for a news agency, whose name may stand in datelines, credits and end slugs."""
    carrier: bool = False
    """True for a service that carries other people's releases; it is not their publisher."""
    rules: tuple[LineRule, ...] = ()
    learnt: Learnt = NOTHING
    """What a store has learnt of the sender's lines; files do not hold it."""
    page: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """CSS selectors of the parts of the sender's pages."""
    fields: tuple[tuple[str, str], ...] = ()
    """For JSON and CSV documents: our field and the sender's column for it."""


EMPTY = Profile()


@lru_cache(maxsize=4096)
def alias_key(name: str) -> str:
    """The form under which a publisher's name is looked up."""
    return fold(normalise(name)).removeprefix("the ").strip(" .:-\"'[]()")


def load_profiles(path: Path) -> list[Profile]:
    """The profiles of one file: a single one, or a list of them under `sources`."""
    return read_profiles(path.name, read_toml(path))


def read_profiles(name: str, data: Mapping[str, object]) -> list[Profile]:
    """The same of TOML that was read already; `name` says in errors where it stands. Raises `LexiconError`."""
    entries = data.get("sources", [data])
    if not isinstance(entries, list):
        raise LexiconError(f"{name}, key sources", "must be a list of tables")
    return [_read_profile(f"{name}, source {place}", entry) for place, entry in enumerate(entries, start=1)]


def _read_profile(where: str, entry: Mapping[str, object]) -> Profile:

    def texts(key: str) -> tuple[str, ...]:
        value = entry.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
            raise LexiconError(f"{where}, key {key}", "must be a list of texts, none of them empty")
        return tuple(value)

    def text(key: str) -> str | None:
        value = entry.get(key)
        if value is not None and not (isinstance(value, str) and value.strip()):
            raise LexiconError(f"{where}, key {key}", "must be a text")
        return value

    for key in entry:
        if key not in _KEYS:
            raise LexiconError(f"{where}, key {key}", f"unknown; known are {', '.join(_KEYS)}")
    name, zone = text("name"), text("zone")
    if not name:
        raise LexiconError(f"{where}, key name", "is missing")
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise LexiconError(f"{where}, key zone", f"{zone!r} is no IANA time zone") from error
    return Profile(
        name=name,
        aliases=texts("aliases"),
        zone=zone,
        language=text("language"),
        encoding=text("encoding"),
        rights=texts("rights"),
        agency=entry.get("agency") is True,
        carrier=entry.get("carrier") is True,
        rules=_read_rules(where, entry.get("rules", [])),
        fields=_read_fields(where, entry.get("fields", {})),
        page=_read_selectors(where, entry.get("page", {})),
    )


def _read_selectors(where: str, entries: object) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(entries, dict):
        raise LexiconError(f"{where}, key page", "must be a table")
    parts = []
    for part, value in sorted(entries.items()):
        selectors = [value] if isinstance(value, str) else value
        if part not in _PAGE_PARTS:
            raise LexiconError(f"{where}, key page.{part}", f"unknown; known are {', '.join(_PAGE_PARTS)}")
        if not isinstance(selectors, list) or not selectors or not all(isinstance(s, str) and s for s in selectors):
            raise LexiconError(f"{where}, key page.{part}", "must be a selector, or a list of them")
        for selector in selectors:
            try:
                soupsieve.compile(selector)
            except soupsieve.SelectorSyntaxError as error:
                raise LexiconError(f"{where}, key page.{part}", f"{selector!r}: {error}") from error
        parts.append((part, tuple(selectors)))
    return tuple(parts)


def _read_fields(where: str, entries: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(entries, dict) or not all(isinstance(v, str) and v for v in entries.values()):
        raise LexiconError(f"{where}, key fields", "must be a table of texts")
    unknown = sorted(set(entries) - set(FIELD_NAMES))
    if unknown:
        raise LexiconError(f"{where}, key fields.{unknown[0]}", f"unknown; known are {', '.join(FIELD_NAMES)}")
    return tuple(sorted(entries.items()))


def _read_rules(where: str, entries: object) -> tuple[LineRule, ...]:
    if not isinstance(entries, list):
        raise LexiconError(f"{where}, key rules", "must be a list of tables")
    rules = []
    for entry in entries:
        keys = {"action", "match", "text"} | (
            {"to"} if isinstance(entry, dict) and entry.get("action") == "replace" else set()
        )
        if not isinstance(entry, dict) or set(entry) != keys:
            raise LexiconError(f"{where}, key rules", "each needs exactly action, match and text, and to for replace")
        rule = LineRule(str(entry["action"]), str(entry["match"]), str(entry["text"]), str(entry.get("to", "")))
        if rule.action not in _ACTIONS or rule.match not in _MATCHES or not rule.text:
            raise LexiconError(f"{where}, key rules", f"action is one of {_ACTIONS}, match one of {_MATCHES}")
        if rule.match == "regex":
            _check_pattern(where, rule)
        rules.append(rule)
    return tuple(rules)


def _check_pattern(where: str, rule: LineRule) -> None:
    """`LexiconError` for a pattern that could take long, or a replacement that names a group it has not."""
    try:
        compile_bounded(rule.text).sub(rule.to, rule.text)
        re.compile(f"(?:{rule.text})|").sub(rule.to, "")
    except (ValueError, OSError, re.error, IndexError) as error:
        raise LexiconError(f"{where}, key rules", f"{rule.text!r}: {error}") from error
