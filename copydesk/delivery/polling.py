"""One poll of one feed, from its lease to the spool: what `workers/fetch` does with each job.

Nothing here moves the feed's place for a new body: that happens where its items are committed (progress.py). Killed
at any point, the lease ends and the feed is polled again; a body that reached the spool is taken in all the same.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from celery import Celery

import copydesk
from copydesk import formats, metrics
from copydesk.delivery import pace
from copydesk.delivery.pace import Bounds
from copydesk.delivery.spool import Spooled, SpoolWriter
from copydesk.errors import (
    CopydeskError,
    DatabaseUnavailable,
    DependencyError,
    FetchError,
    FetchHard,
    FetchSoft,
    InputError,
    InvalidJob,
    QueueUnavailable,
)
from copydesk.fetching import Client, Fetched, Limits, Validators
from copydesk.formats.feed_pace import asked_interval_s
from copydesk.liveness.pulse import pulse
from copydesk.models import Hints
from copydesk.queue.app import offer
from copydesk.queue.jobs import FetchJob, read_asked
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage import feeds
from copydesk.storage.connection import Connection
from copydesk.storage.feeds import Due, Failure, Feed, Fetch, Same

log = structlog.get_logger(__name__)

# What a poll may bring; a page in place of a feed (moved, a wall, a hotel's network) is no article of the source.
FEED_FORMATS = frozenset({"feed"})

_ERROR_KEPT = 1000


class Polling:
    """One fetch worker's client and settings; any number of threads may carry jobs at once."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._settings = settings
        self._app = app
        self._bounds = Bounds(settings.feed_interval_min_s, settings.feed_interval_max_s)
        self._client = client_of(settings)

    def carry(self, payload: object, *, task_id: str) -> None:
        """Poll the feed that a job names. Never raises for what the feed or a dependency did: its lease ends."""
        try:
            job = read_asked(FetchJob, payload, task_id=task_id)
        except InvalidJob as error:
            self.refuse(task_id, error, b"")
            return
        # Beside the fetch as a whole: its way to the spool, the database and the queue.
        limit_s = self._settings.fetch_whole_s + self._settings.stuck_after_s
        with (
            structlog.contextvars.bound_contextvars(feed_id=job.feed_id),
            pulse.holding("fetch", f"of feed {job.feed_id}", limit_s=limit_s),
        ):
            try:
                with self._transaction() as connection:
                    feed = feeds.begin(connection, Due(job.feed_id, job.lease), lease_s=self._settings.fetch_lease_s)
                if feed is None:
                    log.info("passed over: the feed is in other hands, or not polled any more")
                    return
                self._poll(feed)
            except DependencyError as error:
                pulse.back_off(error.dependency)
                log.warning("given up: the feed is polled again when its lease ends", error=str(error))

    def refuse(self, task_id: str, error: CopydeskError, payload: bytes) -> None:
        """A message that is no job for a fetch worker. What it asked for is asked for again if it is due."""
        log.warning("a message on the fetch queue was refused", task_id=task_id, error=str(error), bytes=len(payload))

    def _poll(self, feed: Feed) -> None:
        try:
            fetched = self._client.fetch(feed.url, Validators(feed.etag, feed.last_modified))
            if not fetched.is_modified or fetched.sha256 == feed.body_sha256:
                self._record_same(feed, fetched)
                return
            _require_feed(fetched)
        except FetchError as error:
            self._record_failure(feed, error)
            return
        self._take_in(feed, fetched)

    def _take_in(self, feed: Feed, fetched: Fetched) -> None:
        """Spool, record, offer: in this order each step has what it needs if the next one never happens."""
        spooled = self._spool(feed, fetched)
        with self._transaction() as connection:
            feeds.record_fetch(
                connection,
                Fetch(
                    ingest_id=spooled.id,
                    feed_id=feed.id,
                    status=fetched.status,
                    etag=fetched.validators.etag,
                    last_modified=fetched.validators.last_modified,
                    body_sha256=fetched.sha256,
                    wait_s=max(fetched.fresh_for_s, asked_interval_s(fetched.body)),
                    min_s=self._bounds.min_s,
                    max_s=self._bounds.max_s,
                    moved_to=fetched.moved_to,
                ),
            )
        try:
            offer(self._app, spooled.job())
        except QueueUnavailable as error:
            log.warning("in the spool, offered later", job_id=spooled.id, error=str(error))
        metrics.fetches.labels("taken_in").inc()
        log.info("fetched", url=feed.url, job_id=spooled.id, bytes=len(fetched.body))

    def _spool(self, feed: Feed, fetched: Fetched) -> Spooled:
        job_id = uuid.uuid4().hex
        hints = Hints(url=fetched.url, media_type=fetched.media_type, encoding=fetched.charset)
        with SpoolWriter(self._settings.spool, job_id) as writer:
            writer.write(fetched.body)
            writer.end_item(job_id, fetched.sha256, hints, None)
            return writer.commit(source=feed.source, kind="feed", origin=feed.url, received_at=datetime.now(UTC))

    def _record_same(self, feed: Feed, fetched: Fetched) -> None:
        interval_s = pace.learn(feed.interval_s, items=0, fresh=0, bounds=self._bounds)
        wait_s = pace.wait(interval_s, (fetched.fresh_for_s,), self._bounds)
        result = "same_body" if fetched.is_modified else "not_modified"
        given = fetched.validators
        with self._transaction() as connection:
            feeds.record_same(
                connection,
                Same(
                    feed.id,
                    result,
                    fetched.status,
                    given.etag,
                    given.last_modified,
                    interval_s,
                    wait_s,
                    fetched.moved_to,
                ),
            )
        metrics.fetches.labels(result).inc()
        log.info("nothing new", url=feed.url, result=result, wait_s=wait_s)

    def _record_failure(self, feed: Feed, error: FetchError) -> None:
        failures = feed.failures + 1
        wait_s = pace.wait_after(error, failures=failures, interval_s=feed.interval_s, bounds=self._bounds)
        with self._transaction() as connection:
            feeds.record_failure(connection, Failure(feed.id, error.status, printable(str(error)), wait_s))
        metrics.fetches.labels("failed").inc()
        grade = log.warning if isinstance(error, FetchHard) else log.info
        grade("not fetched", url=feed.url, error=str(error), code=error.code, failures=failures, wait_s=wait_s)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A connection a step: polls are rare, and between two steps lies the slow part."""
        deadline_s = self._settings.database_deadline_s
        connection = self._connect()
        try:
            with (
                database.deadline(connection, deadline_s),
                database.translated_errors("feed"),
                connection.transaction(),
            ):
                yield connection
        finally:
            connection.close()

    def _connect(self) -> Connection:
        """Wait for a Postgres that takes no connection, up to the length of a lease: nothing of the step is done yet.

        Given up at once, a moment's refusal would keep the feed unpolled until its lease ends.
        """
        deadline_s = self._settings.database_deadline_s
        url = self._settings.postgres_url.get_secret_value()
        give_up = time.monotonic() + self._settings.fetch_lease_s
        wait_s = 0.1
        while True:
            try:
                return database.connect(url, deadline_s=deadline_s, name="copydesk fetch")
            except DatabaseUnavailable as error:
                if time.monotonic() + wait_s > give_up:
                    raise
                pulse.back_off(error.dependency)
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, 5.0)


def client_of(settings: Settings) -> Client:
    """The web client that the settings describe."""
    limits = Limits(
        connect_s=settings.fetch_connect_s,
        read_s=settings.fetch_read_s,
        whole_s=settings.fetch_whole_s,
        body_bytes=settings.document_bytes_max,
        redirects=settings.fetch_redirects_max,
    )
    return Client(limits, user_agent=user_agent(settings.fetch_contact), allow_private=settings.fetch_allow_private)


def user_agent(contact: str | None) -> str:
    """How we present ourselves to servers."""
    return f"copydesk/{copydesk.__version__}" + (f" (+{contact})" if contact else "")


def printable(text: str) -> str:
    """What a server made us say, as Postgres takes it."""
    return "".join(c if c.isprintable() else "?" for c in text.encode("utf-8", "replace").decode())[:_ERROR_KEPT]


def _require_feed(fetched: Fetched) -> None:
    hints = Hints(url=fetched.url, media_type=fetched.media_type, encoding=fetched.charset)
    try:
        found = formats.detect(fetched.body, hints)
    except InputError as error:
        raise FetchSoft(fetched.url, f"not a feed: {error}", status=fetched.status) from error
    if found not in FEED_FORMATS:
        raise FetchSoft(fetched.url, f"not a feed but {found}", status=fetched.status)
