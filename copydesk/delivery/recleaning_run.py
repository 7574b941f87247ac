"""A re-cleaning from its first article to its last: slice by slice, and on from its place after a kill.

The place is a small file in the spool, by what was asked for and the version of the rules; without it a re-cleaning
begins at the start, which costs time and does no harm.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from copydesk.cleaning import load_rules, prepare
from copydesk.delivery import recleaning
from copydesk.delivery.disk import read_json, write_json
from copydesk.delivery.knowledge import rules_now
from copydesk.delivery.limited import LimitedParser
from copydesk.delivery.recleaning import Recleaned
from copydesk.delivery.settlement import id_from
from copydesk.errors import DependencyError
from copydesk.queue import streams
from copydesk.queue.likeness_index import Keyed, LikenessIndex
from copydesk.settings import Settings
from copydesk.storage import recleaning as rows
from copydesk.storage.connection import Connection, bounded_transaction

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Tally:
    """How far it has come, and what it came to."""

    after: str
    """The last article's id."""
    results: dict[str, int] = field(default_factory=dict)
    fields: dict[str, int] = field(default_factory=dict)
    """How many articles differ in each."""
    is_index_behind: bool = False
    """The likeness index could not be told of every new text."""


class RecleaningRun:
    """One re-cleaning of the articles of a source, or of all, received since a moment."""

    def __init__(
        self, settings: Settings, connection: Connection, *, source: str | None, since: datetime | None, applies: bool
    ) -> None:
        """Raises `DatabaseUnavailable`, `SpoolUnavailable`, `LexiconError`."""
        self._connection = connection
        self._source = source
        self._applies = applies
        self._deadline_s = settings.database_deadline_s
        self._parser = LimitedParser(
            seconds=min(settings.parse_seconds_max, settings.item_seconds_max / 2),
            memory_bytes=settings.parse_memory_bytes_max,
        )
        self._index = LikenessIndex(
            streams.connect(settings.redis_url.get_secret_value()),
            window_s=timedelta(days=settings.dedupe_window_days).total_seconds(),
            bytes_max=settings.dedupe_bytes_max,
        )
        files = load_rules([settings.rules_dir] if settings.rules_dir else [])
        prepare(files)
        with bounded_transaction(connection, "rules", self._deadline_s):
            self._rules = rules_now(files, connection)
        self._place = _place_of(settings.spool, source, since, self._rules.version)
        found = read_json(self._place) if applies else None
        self.is_resumed = found is not None
        self.tally = Tally(**found) if found else Tally(id_from(since or datetime.fromtimestamp(0, UTC)))

    @property
    def rules_version(self) -> str:
        """Of the rules that it cleans by."""
        return self._rules.version

    def left(self) -> int:
        """How many articles are still to be looked at. Raises `DatabaseUnavailable`."""
        with bounded_transaction(self._connection, "reclean", self._deadline_s):
            return rows.count_after(self._connection, self.tally.after, self._source)

    def slices(self) -> Iterator[list[Recleaned]]:
        """What came of the articles, slice by slice; applied before it is yielded. Raises `DependencyError`."""
        while found := recleaning.slice_after(self._connection, self.tally.after, self._source, self._deadline_s):
            recleaned = recleaning.clean_again(self._connection, found, self._rules, self._parser.parse)
            if self._applies:
                recleaned, drawn = recleaning.apply(self._connection, recleaned, self._deadline_s)
                self._enter(drawn)
            self._count(recleaned)
            self.tally.after = found[-1].article_id
            if self._applies:
                write_json(self._place, asdict(self.tally))
            yield recleaned
        if self._applies:
            self._place.unlink(missing_ok=True)

    def _count(self, recleaned: list[Recleaned]) -> None:
        results = Counter(self.tally.results)
        results.update(one.result.value for one in recleaned)
        fields = Counter(self.tally.fields)
        fields.update(name for one in recleaned for name in one.fields)
        self.tally.results, self.tally.fields = dict(results), dict(fields)

    def _enter(self, drawn: list[tuple[int, Keyed]]) -> None:
        """The index gets the new sketches, best effort: Postgres has them, and can load it again."""
        if not drawn:
            return
        try:
            if self._index.state().is_complete:  # else whoever loads it finds the new sketches
                self._index.load(drawn, datetime.now(UTC))
        except DependencyError as error:
            log.info("the likeness index was not told", error=str(error))
            self.tally.is_index_behind = True


def _place_of(spool: Path, source: str | None, since: datetime | None, version: str) -> Path:
    asked = f"{source or ''}\0{since.isoformat() if since else ''}\0{version}"
    return spool / "reclean" / f"{hashlib.sha256(asked.encode('utf-8', 'surrogateescape')).hexdigest()[:16]}.json"
