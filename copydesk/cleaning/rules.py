"""Reads every lexicon and profile once, at start, into one frozen value with a version.

A language's phrases are compiled when its first document comes: all of them take a second, most processes need few.
The language model is not read here: few texts need it, so `language.load_models` reads it for the first that does.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from copydesk.cleaning.language import index_common, load_models
from copydesk.cleaning.learnt import Learnt
from copydesk.cleaning.lexicon import Lexicon, load_lexicon, read_common, read_toml, read_variants
from copydesk.cleaning.lexis import Lexis, merge
from copydesk.cleaning.profiles import EMPTY, Profile, alias_key, load_profiles
from copydesk.errors import LexiconError

ENGINE_VERSION = "1"
"""Raised when the same data would give another result."""

_HERE = Path(__file__).parent
_SHARED = ("en", "any")


class Lexes(Mapping[str, Lexis]):
    """Language code → its merged lexis, each compiled when it is first asked for and kept."""

    def __init__(self, files: Mapping[str, tuple[Path, Mapping[str, Any]]]) -> None:
        self._files = files
        self._lexicons: dict[str, Lexicon] = {}
        self._lexes: dict[str, Lexis] = {}

    def __getitem__(self, language: str) -> Lexis:
        found = self._lexes.get(language)
        if found is None:
            shared = [name for name in _SHARED if name in self._files and name != language]
            found = self._lexes[language] = merge([self._lexicon(name) for name in (language, *shared)])
        return found

    def __contains__(self, language: object) -> bool:
        return language in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def _lexicon(self, name: str) -> Lexicon:
        if name not in self._lexicons:
            self._lexicons[name] = load_lexicon(*self._files[name])
        return self._lexicons[name]


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """All that cleaning knows; one value is another's equal only if it is the same."""

    version: str
    lexes: Mapping[str, Lexis]
    """Language code → its merged lexis; `any` for languages without a lexicon."""
    variants: Mapping[int, str]
    """Traditional Chinese characters → their simplified forms."""
    common: Mapping[str, tuple[str, ...]]
    """Word → the languages in whose every text it is, for languages that list such words."""
    publishers: Mapping[str, Profile]
    """Folded name or alias → the shipped profile."""
    senders: Mapping[str, Profile]
    """Folded name of a configured sender → its profile."""
    learnt: Mapping[str, Learnt] = field(default_factory=dict)
    """Name of a sender → what was learnt of its lines."""

    def lexis(self, language: str | None) -> Lexis:
        """The lexis of a language tag, by its primary subtag."""
        code = (language or "any").partition("-")[0]
        return self.lexes[code if code in self.lexes else "any"]

    def publisher(self, name: str | None) -> Profile:
        """The shipped profile of a credited publisher; the empty one where it is not known."""
        return self.publishers.get(alias_key(name), EMPTY) if name else EMPTY

    def profile_for_source(self, name: str) -> Profile:
        """The profile of a configured sender; one with nothing but its name where none was written."""
        profile = self.senders.get(alias_key(name)) or Profile(name=name)
        learnt = self.learnt.get(name)
        return replace(profile, learnt=learnt) if learnt else profile

    def version_for(self, profile: Profile) -> str:
        """What a document cleaned by these rules and this profile says of them: with the state of learning."""
        return f"{self.version}+{profile.learnt.version}" if profile.learnt.keys else self.version

    def knowing(self, profiles: Iterable[Profile], learnt: Mapping[str, Learnt], version: str) -> Rules:
        """These rules with an operator's stored profiles over the files, and with learnt lines.

        `version` names the state of the stored profiles, "" for none.
        """
        stored = _by_name(profiles)
        return replace(
            self,
            senders={**self.senders, **stored},
            learnt=learnt,
            version=f"{self.version}.{version}" if version else self.version,
        )


def load_rules(extra_dirs: Sequence[Path] = ()) -> Rules:
    """The shipped lexicons and profiles, read once a process, and the operator's profiles in `extra_dirs` over them."""
    shipped = _shipped()
    extra = [path for folder in extra_dirs for path in sorted(folder.glob("*.toml"))]
    return replace(
        shipped,
        version=_hash_files([*_lexicon_files(), *_profile_files(), *extra]),
        senders={**shipped.publishers, **_index(extra)},
    )


@cache
def _shipped() -> Rules:
    files = {path.stem: (path, read_toml(path)) for path in _lexicon_files()}
    for stem, (_, data) in files.items():
        if stem != data.get("language"):
            raise LexiconError(f"{stem}.toml, key language", f"is {data.get('language')!r}, not the file's name")
    publishers = _index(_profile_files())
    return Rules(
        version="",
        lexes=Lexes(files),
        variants=read_variants(*files["zh"]) if "zh" in files else {},
        common=index_common({name: read_common(*file) for name, file in files.items()}),
        publishers=publishers,
        senders=publishers,
    )


def _lexicon_files() -> list[Path]:
    return sorted((_HERE / "lexicons").glob("*.toml"))


def _profile_files() -> list[Path]:
    return sorted((_HERE / "sources").glob("*.toml"))


def prepare(rules: Rules) -> None:
    """Compile every language and read the language model now: a wrong phrase stops the start (`LexiconError`).

    Takes about two seconds, which a worker pays once and no document waits for.
    """
    gc.disable()  # it would walk what is made here again and again
    try:
        for code in rules.lexes:
            rules.lexis(code)
        load_models()
    finally:
        gc.enable()
    # All this lives as long as the process; each full collection would walk its half a million objects (50 ms).
    gc.collect()
    gc.freeze()


def _index(paths: Sequence[Path]) -> dict[str, Profile]:
    return _by_name(profile for path in paths for profile in load_profiles(path))


def _by_name(profiles: Iterable[Profile]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for profile in profiles:
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
