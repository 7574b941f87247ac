"""The feed door without its processes: each step of a poll when a test says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from celery import Celery

from copydesk.delivery import spool
from copydesk.delivery.ingestion import Ingestion
from copydesk.delivery.polling import Polling
from copydesk.delivery.subscriptions import subscription
from copydesk.queue.app import make_app
from copydesk.queue.jobs import FetchJob, payload_of
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import feeds
from tests.integration.writing import Desk


@dataclass
class Round:
    """The scheduler's chore, poll, ingest and storage."""

    desk: Desk
    settings: Settings
    app: Celery

    def __post_init__(self) -> None:
        self.polling = Polling(self.settings, self.app)
        self.ingestion = Ingestion(self.settings)
        self.writer = self.desk.writer()

    def add(self, *urls: str, **named: Any) -> None:
        with database.connect(self.desk.database_url) as connection:
            feeds.add(connection, [subscription(url, self.settings, **named) for url in urls])

    def lease(self) -> list[FetchJob]:
        with database.connect(self.desk.database_url) as connection:
            found = feeds.lease(connection, limit=100, lease_s=60, lost_after_s=3600)
        return [FetchJob(v=1, feed_id=due.feed_id, lease=due.lease) for due in found]

    def poll(self) -> int:
        """Make every feed due and poll those that may be; returns how many were."""
        with database.connect(self.desk.database_url) as connection:
            feeds.make_due(connection, None)
        jobs = self.lease()
        for number, fetch_job in enumerate(jobs):
            self.polling.carry(fetch_job.model_dump(mode="json"), task_id=f"poll-{number}")
        return len(jobs)

    def take_in(self) -> None:
        """Ingest whatever is in the spool, then forget it there."""
        for job_id in spool.ids(self.settings.spool):
            found = spool.load(self.settings.spool, job_id)
            assert found is not None
            self.ingestion.carry(payload_of(found.job()), task_id=job_id, now=found.received_at)
            spool.remove(self.settings.spool, [job_id])

    def store(self) -> None:
        self.desk.drain(self.writer)

    def feed(self, columns: str) -> tuple[Any, ...]:
        (row,) = self.desk.rows(f"select {columns} from feed")  # noqa: S608 - the test's own columns
        return tuple(row)

    def log(self) -> list[tuple[Any, ...]]:
        return [tuple(r) for r in self.desk.rows("select result, items, fresh, unchanged from feed_log order by id")]

    def whole(self) -> None:
        """Poll, ingest and store."""
        self.poll()
        self.take_in()
        self.store()


def round_on(desk: Desk, folder: Path, **settings: Any) -> Round:
    """Polite to nobody and without pages, unless `settings` say otherwise."""
    defaults: dict[str, Any] = {
        "fetch_allow_private": True,
        "fetch_read_s": 2.0,
        "fetch_whole_s": 5.0,
        "fetch_host_spacing_s": 0.0,
        "fetch_host_requests_max": 64,
        "feed_full_text": "never",
    }
    found = load({}, redis_url=desk.redis_url, postgres_url=desk.database_url, data_dir=folder, **defaults | settings)
    return Round(desk, found, make_app(found))
