"""The rules that a worker cleans by: the files', with what Postgres knows of sources over them.

Read again every few seconds. While Postgres is away the last known rules hold: cleaning needs no database.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog

from copydesk.cleaning import Rules
from copydesk.cleaning.learnt import FEWEST_STORIES, Learnt, LineCount, learn
from copydesk.cleaning.profiles import Profile, read_profiles
from copydesk.errors import DatabaseUnavailable, LexiconError
from copydesk.storage import connection as database
from copydesk.storage import sources
from copydesk.storage.connection import Connection
from copydesk.storage.sources import Repeated, StoredProfile

log = structlog.get_logger(__name__)

READ_EVERY_S = 10.0

# After a failure; and how long a silent Postgres may hold up one job.
RETRY_S = 30.0
DEADLINE_S = 2.0


class Knowledge:
    """One worker's. `rules` is asked before each job."""

    def __init__(self, files: Rules, postgres_url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._files = files
        self._url = postgres_url
        self._clock = clock
        self._rules = files
        self._due = float("-inf")
        self._connection: Connection | None = None

    def rules(self) -> Rules:
        """The newest rules that could be read."""
        now = self._clock()
        if now >= self._due:
            try:
                self._rules = self._read()
                self._due = now + READ_EVERY_S
            except DatabaseUnavailable as error:
                log.info("what is learnt could not be read; the last known rules hold", error=str(error))
                self._disconnect()
                self._due = now + RETRY_S
        return self._rules

    def _read(self) -> Rules:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(self._url, deadline_s=DEADLINE_S, name="copydesk knowledge")
        with database.bounded_transaction(self._connection, "knowledge", DEADLINE_S):
            return rules_now(self._files, self._connection)

    def _disconnect(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                self._connection.close()
        self._connection = None


def rules_now(files: Rules, connection: Connection) -> Rules:
    """The files' rules with what Postgres knows over them."""
    repeated = sources.repeated(connection)
    written = sources.profiles(connection)
    return files.knowing(_profiles(written), learnt_of(repeated), _version(written))


def learnt_of(repeated: Iterable[Repeated]) -> dict[str, Learnt]:
    """What is learnt of each source: its furniture by its own floor of evidence."""
    counts: dict[str, list[LineCount]] = defaultdict(list)
    floors: dict[str, int] = {}
    for line in repeated:
        counts[line.source].append(LineCount(line.key, line.stories, line.at_edge, is_prose=line.is_prose))
        floors[line.source] = line.fewest_stories or FEWEST_STORIES
    learnt = {source: learn(of, fewest_stories=floors[source]) for source, of in counts.items()}
    return {source: found for source, found in learnt.items() if found.keys}


def parse(name: str, toml: str) -> list[Profile]:
    """The profiles in a TOML text. Raises `LexiconError`."""
    try:
        return read_profiles(name, tomllib.loads(toml))
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(name, f"not TOML: {error}") from error


def _profiles(written: Iterable[StoredProfile]) -> list[Profile]:
    found: list[Profile] = []
    for one in written:
        try:
            found += parse(one.name, one.toml)
        except LexiconError as error:  # written by another version; the others hold
            log.error("a stored profile cannot be used", name=one.name, error=str(error))
    return found


def _version(written: Iterable[StoredProfile]) -> str:
    text = "\n".join(f"{one.name} {one.toml}" for one in written)
    return hashlib.sha256(text.encode()).hexdigest()[:8] if text else ""
