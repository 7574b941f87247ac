"""Loads every lexicon and profile once, at start, into one frozen value with a version.

Together with the language model, which is read here too, this is all that cleaning reads from disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from copydesk.cleaning.language import load_models
from copydesk.cleaning.lexicon import load_lexicon
from copydesk.cleaning.lexis import Lexis, merge
from copydesk.cleaning.profiles import EMPTY, Profile, alias_key, load_profiles
from copydesk.errors import LexiconError

ENGINE_VERSION = "1"
"""Raised when the same data would give another result."""

_HERE = Path(__file__).parent
_SHARED = ("en", "any")


@dataclass(frozen=True, slots=True)
class Rules:
    """All that cleaning knows."""

    version: str
    lexes: Mapping[str, Lexis]
    """Language code → its merged lexis; `any` for languages without a lexicon."""
    common: Mapping[str, frozenset[str]]
    """Language code → the words that are in every text of it, for languages that list them."""
    publishers: Mapping[str, Profile]
    """Folded name or alias → the shipped profile."""
    senders: Mapping[str, Profile]
    """Folded name of a configured sender → its profile."""

    def lexis(self, language: str | None) -> Lexis:
        """The lexis of a language tag, by its primary subtag."""
        return self.lexes.get((language or "any").split("-")[0], self.lexes["any"])

    def publisher(self, name: str | None) -> Profile:
        """The shipped profile of a credited publisher; the empty one where it is not known."""
        return self.publishers.get(alias_key(name), EMPTY) if name else EMPTY

    def profile_for_source(self, name: str) -> Profile:
        """The profile of a configured sender; one with nothing but its name where none was written."""
        return self.senders.get(alias_key(name)) or Profile(name=name)


def load_rules(extra_dirs: Sequence[Path] = ()) -> Rules:
    """Read the shipped lexicons and profiles, and the operator's sender profiles in `extra_dirs` over them."""
    load_models()
    lexicon_files = sorted((_HERE / "lexicons").glob("*.toml"))
    shipped = sorted((_HERE / "sources").glob("*.toml"))
    extra = [path for folder in extra_dirs for path in sorted(folder.glob("*.toml"))]
    lexicons = {path.stem: load_lexicon(path) for path in lexicon_files}
    for stem, lexicon in lexicons.items():
        if stem != lexicon.language:
            raise LexiconError(f"{stem}.toml, key language", f"is {lexicon.language!r}, not the file's name")
    shared = [lexicons[name] for name in _SHARED if name in lexicons]
    lexes = {name: merge([one, *(s for s in shared if s is not one)]) for name, one in lexicons.items()}
    publishers = _index(shipped)
    return Rules(
        version=_hash_files([*lexicon_files, *shipped, *extra]),
        lexes=lexes,
        common={name: frozenset(words) for name, one in lexicons.items() if (words := one.words.get("common"))},
        publishers=publishers,
        senders=publishers | _index(extra),
    )


def _index(paths: Sequence[Path]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for path in paths:
        for profile in load_profiles(path):
            for name in (profile.name, *profile.aliases):
                holder = found.setdefault(alias_key(name), profile)
                if holder is not profile:
                    found[alias_key(name)] = _share(holder, profile)
    return found


def _share(one: Profile, other: Profile) -> Profile:
    """What holds for two publishers of one name: NTV is a broadcaster in three countries."""
    zone = one.zone if one.zone == other.zone else None
    return Profile(name=one.name, zone=zone, agency=one.agency and other.agency)


def _hash_files(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(ENGINE_VERSION.encode())
    for path in paths:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
