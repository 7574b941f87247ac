"""Carries out for how long inputs, superseded revisions and articles are kept: a chore of the scheduler.

Few slices a turn, so that the other chores wait no longer than a moment; what is left is done in the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from copydesk import metrics
from copydesk.liveness.pulse import pulse
from copydesk.settings import Settings
from copydesk.storage import retention
from copydesk.storage.connection import Connection, bounded_transaction
from copydesk.storage.retention import Old, OwnDays, Walk

log = structlog.get_logger(__name__)

# Of each kind: 2,500 rows, a quarter of a second.
SLICES_A_TURN = 5

SEVERAL = ""
"""In the place of a source: inputs that came from more than one, or before it was noted from which."""


_DROPS = {"articles": retention.expire_articles, "raw": retention.drop_inputs}


@dataclass(frozen=True, slots=True)
class Days:
    """For how long something is kept; None is for ever."""

    raw: float | None
    revisions: float | None
    articles: float | None


def days_of(settings: Settings, own: Iterable[OwnDays]) -> Mapping[str, Days]:
    """The days of each source that has some of its own, and under `SEVERAL` the longest of all. Pure."""
    default = defaults(settings)
    found = {
        of.source: Days(
            _chosen(of.raw, default.raw),
            _chosen(of.revisions, default.revisions),
            _chosen(of.articles, default.articles),
        )
        for of in own
    }
    raws = [days.raw for days in (default, *found.values())]
    longest = None if None in raws else max(days for days in raws if days is not None)
    return found | {SEVERAL: Days(longest, None, None)}


def defaults(settings: Settings) -> Days:
    """The days of every source without some of its own."""
    return Days(settings.retention_raw_days, settings.retention_revision_days, settings.retention_article_days)


def _chosen(own: float | None, default: float | None) -> float | None:
    if own is None:
        return default
    return None if math.isinf(own) else own


class Retention:
    """`turn` is called every few seconds. Two at once do no harm: each leaves alone what the other has in hand."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._deadline_s = settings.database_deadline_s
        self._walk = Walk()

    def turn(self, connection: Connection) -> None:
        """Carry out a part of what is due. Raises `DatabaseUnavailable`."""
        default = defaults(self._settings)
        with bounded_transaction(connection, "retention", self._deadline_s):
            days = days_of(self._settings, retention.own_days(connection))
            of_sources = [*days.values(), default]
            if not any(of.raw or of.revisions or of.articles for of in of_sources):
                return
            sources = retention.sources(connection)
        room = SLICES_A_TURN
        for source in sources:
            articles = days.get(source, default).articles
            if articles is not None and source != SEVERAL:
                room -= self._by_slices(connection, "articles", source, articles, room)
        room = SLICES_A_TURN
        for source in sources:
            raw = days.get(source, default).raw
            if raw is not None:
                room -= self._by_slices(connection, "raw", source, raw, room)
        self._drop_superseded(connection, default, days)

    def _by_slices(self, connection: Connection, kind: str, source: str, days: float, room: int) -> int:
        """Slices until nothing is left or there is no more room; returns how many slices."""
        total = slices = 0
        while slices < room:
            with bounded_transaction(connection, "retention", self._deadline_s):
                dropped = _DROPS[kind](connection, source, days)
            pulse.finish(f"retention of {kind}")
            slices += bool(dropped)
            total += dropped
            if dropped < retention.SLICE:
                break
        _tell(kind, source, total, days)
        return slices

    def _drop_superseded(self, connection: Connection, default: Days, days: Mapping[str, Days]) -> None:
        own = {source: of.revisions for source, of in days.items() if source != SEVERAL}
        if default.revisions is None and not any(of is not None for of in own.values()):
            return
        for _ in range(SLICES_A_TURN):
            with bounded_transaction(connection, "retention", self._deadline_s):
                behind, gone = retention.drop_superseded(connection, self._walk, default.revisions, own)
            pulse.finish("retention of revisions")
            for source, count in gone.items():
                _tell("revisions", source, count, own.get(source, default.revisions))
            self._walk = behind or Walk()
            if behind is None:
                return


def _tell(kind: str, source: str, count: int, days: float | None) -> None:
    if count:
        metrics.retention.labels(kind).inc(count)
        log.info("no longer kept", what=kind, source=source or "several", count=count, days=days)


@dataclass(frozen=True, slots=True)
class Due:
    """What of a source is older than it is kept for."""

    source: str
    days: Days
    raw: Old | None
    """None where it is kept for ever."""
    revisions: Old | None
    articles: Old | None


def due(settings: Settings, connection: Connection) -> list[Due]:
    """What would go now, by source. Raises `DatabaseUnavailable`."""
    with connection.transaction():
        days = days_of(settings, retention.own_days(connection))
        sources = retention.sources(connection)
    found = []
    for source in dict.fromkeys([*sources, *days]):
        of = days.get(source, defaults(settings))
        found.append(
            Due(
                source,
                of,
                None if of.raw is None else retention.old_inputs(connection, source, of.raw),
                None if of.revisions is None else retention.old_superseded(connection, source, of.revisions),
                None if of.articles is None else retention.old_articles(connection, source, of.articles),
            )
        )
    return found
