"""The scheduler's part in keeping feeds in order: addresses that have moved for good, and an end for the log."""

from __future__ import annotations

import structlog

from copydesk.errors import RowRefused
from copydesk.settings import Settings
from copydesk.storage import feed_changes
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.feed_changes import Moved

log = structlog.get_logger(__name__)

# A redirect that was seen so often is no slip of the server's, however few days it has lasted.
MOVED_POLLS_MIN = 3

# So that one turn stays short on a log that was never cut.
LOG_ROWS_AT_ONCE = 10_000


class FeedUpkeep:
    """`turn` is called every minute or so; repeating it, or two at once, does no harm."""

    def __init__(self, settings: Settings) -> None:
        self._moved_after_s = settings.feed_moved_after_s
        self._log_days = settings.feed_log_days

    def turn(self, connection: Connection) -> None:
        """Look once. Raises `DependencyError`."""
        for move in self._follow_moves(connection):
            if move.is_double:
                log.warning("a feed is off: it has moved to one that is polled too", url=move.url, to=move.to)
            else:
                log.warning("a feed has a new address", url=move.url, to=move.to)
        with translated_errors("feed log"), connection.transaction():
            dropped = feed_changes.drop_log(connection, days=self._log_days, limit=LOG_ROWS_AT_ONCE)
        if dropped:
            log.info("old polls were dropped from the log", rows=dropped, days=self._log_days)

    def _follow_moves(self, connection: Connection) -> list[Moved]:
        try:
            with translated_errors("moved feeds"), connection.transaction():
                return feed_changes.follow_moves(connection, after_s=self._moved_after_s, polls=MOVED_POLLS_MIN)
        except RowRefused:  # somebody has just added a feed at the new address: the next turn finds it there
            return []
