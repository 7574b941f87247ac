"""The scheduler's part in polling: lease the feeds that are due and ask a fetch worker for each; raise the alarms."""

from __future__ import annotations

import structlog
from celery import Celery

from copydesk.errors import QueueUnavailable
from copydesk.queue.app import ask_to_fetch, fetches_waiting
from copydesk.queue.jobs import FetchJob
from copydesk.queue.streams import connect
from copydesk.settings import Settings
from copydesk.storage import feeds
from copydesk.storage.connection import Connection, translated_errors

log = structlog.get_logger(__name__)

# Asked for and not taken yet, for each thread of a fetch worker. Few, so that hardly one waits as long as its lease;
# what does is passed over, and asked for again.
WAITING_PER_THREAD = 4

# From the request to the worker that takes it up, which renews it: a request that is lost, with Redis or with the
# scheduler that was about to send it, is sent again after so long.
ASKED_LEASE_S = 10.0

# A body that is not taken in for so long was lost together with its spool.
LOST_AFTER_S = 24 * 3600.0


class DueFeeds:
    """`turn` is called every second or so; two schedulers at once ask for different feeds."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app = app
        self._redis = connect(settings.redis_url.get_secret_value())
        self._waiting_max = WAITING_PER_THREAD * settings.fetch_threads

    def turn(self, connection: Connection) -> None:
        """Look once. Raises `DependencyError`; a feed that was leased and not asked for is leased again later."""
        with translated_errors("silent feeds"), connection.transaction():
            silent = feeds.fall_silent(connection)
        for feed in silent:
            log.warning("a feed is silent", url=feed.url, source=feed.source, since=feed.since.isoformat())
        room = self._waiting_max - fetches_waiting(self._redis)
        if room <= 0:
            return
        with translated_errors("due feeds"), connection.transaction():
            leased = feeds.lease(connection, limit=room, lease_s=ASKED_LEASE_S, lost_after_s=LOST_AFTER_S)
        for number, due in enumerate(leased):
            try:
                ask_to_fetch(self._app, FetchJob(v=1, feed_id=due.feed_id, lease=due.lease))
            except QueueUnavailable:
                with translated_errors("due feeds"), connection.transaction():
                    for left in leased[number:]:
                        feeds.give_back(connection, left)
                raise
