"""A source's profile tried on a text before it is kept: what cleaning would make of it. Nothing is stored."""

from __future__ import annotations

import threading
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING

from copydesk.errors import LexiconError
from copydesk.models import Hints, RawItem
from copydesk.settings import Settings

if TYPE_CHECKING:  # 0.8 s of imports that a door of which nobody asks a trial does not need
    from copydesk.cleaning import Rules
    from copydesk.cleaning.profiles import Profile
    from copydesk.delivery.knowledge import Knowledge
    from copydesk.delivery.limited import LimitedParser
    from copydesk.pipeline import Processed

# Of one text; somebody waits for it.
SECONDS = 10.0
MEMORY_BYTES = 256 * 1024 * 1024


class ProfileTrials:
    """One process's. Lexicons are read when they are first needed, which takes a second or two."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._parser: LimitedParser | None = None
        self._lock = threading.Lock()
        self._knowledge: Knowledge | None = None

    def of(self, name: str, toml: str | None, data: bytes, hints: Hints, now: datetime) -> list[Processed]:
        """What a text of the source becomes, by the given profile or, for None, by what holds for it now.

        One text at a time. Raises `LexiconError` for a wrong profile, `InputError` for a text that cannot be read.
        """
        from copydesk import pipeline
        from copydesk.delivery.limited import LimitedParser

        written = None if toml is None else [profile_of(name, toml)]
        with self._lock:
            rules = self._rules()
            self._parser = self._parser or LimitedParser(seconds=SECONDS, memory_bytes=MEMORY_BYTES)
            if written:
                rules = rules.knowing(written, rules.learnt, "tried")
            return pipeline.process(RawItem(data, name, now, hints), rules, parse=self._parser.parse)

    def _rules(self) -> Rules:
        from copydesk.cleaning import load_rules
        from copydesk.delivery.knowledge import Knowledge

        if self._knowledge is None:
            files = load_rules([self._settings.rules_dir] if self._settings.rules_dir else [])
            self._knowledge = Knowledge(files, self._settings.postgres_url.get_secret_value())
        return self._knowledge.rules()


def profile_of(name: str, toml: str) -> Profile:
    """The one profile that a TOML text has, under this name. Raises `LexiconError`."""
    from copydesk.delivery.knowledge import parse

    found = parse(name, toml)
    if len(found) != 1 or "sources" in tomllib.loads(toml):
        raise LexiconError(name, "a kept profile stands alone, without `sources`")
    if found[0].name != name:
        raise LexiconError(name, f"its `name` is {found[0].name!r}")
    return found[0]
