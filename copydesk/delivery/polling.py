"""One poll of one feed, from its lease to the spool: what `workers/fetch` does with each job.

Nothing here moves the feed's place for a new body: that happens where its items are committed (progress.py). Killed
at any point, the lease ends and the feed is polled again; a body that reached the spool is taken in all the same.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import structlog
from celery import Celery

from copydesk import formats, metrics
from copydesk.delivery import full_text, pace
from copydesk.delivery.manners import Manners
from copydesk.delivery.pace import Bounds
from copydesk.delivery.spool import Spooled, SpoolWriter
from copydesk.errors import (
    CopydeskError,
    DatabaseUnavailable,
    DependencyError,
    FetchError,
    FetchHard,
    FetchSoft,
    HostBusy,
    InputError,
    InvalidJob,
    QueueUnavailable,
    SpoolUnavailable,
)
from copydesk.fetching import Fetched, Validators
from copydesk.formats import sitemap
from copydesk.formats.feed_pace import asked_interval_s, skipped_s
from copydesk.formats.opening import look
from copydesk.liveness.pulse import pulse
from copydesk.models import Parsed
from copydesk.queue.app import offer
from copydesk.queue.jobs import FetchJob, read_asked, sha256
from copydesk.settings import Settings
from copydesk.storage import articles, feeds, identities
from copydesk.storage import connection as database
from copydesk.storage.connection import Connection
from copydesk.storage.feeds import Due, Failure, Feed, Fetch, Same

log = structlog.get_logger(__name__)

# What a poll may bring; a page in place of a feed (moved, a wall, a hotel's network) is no article of the source.
FEED_FORMATS = frozenset({"feed", "jsonfeed", "sitemap"})

_ERROR_KEPT = 1000

# A feed whose host is busy comes back within so many seconds, not all of the host's at once.
_BUSY_SPREAD_S = 30.0

# A full disk, or one that is away, may be back soon.
_DISK_WAIT_S = 5.0

T = TypeVar("T")


class Polling:
    """One fetch worker's client and settings; any number of threads may carry jobs at once."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._settings = settings
        self._app = app
        self._manners = Manners(settings)
        self._page_bounds = full_text.Bounds(
            settings.fetch_pages_max, settings.fetch_pages_s, settings.document_bytes_max * 3 // 4
        )

    def carry(self, payload: object, *, task_id: str, is_redelivered: bool = False) -> None:
        """Poll the feed that a job names. Never raises for what the feed or a dependency did.

        `is_redelivered`: a worker before this one may have died over it.
        """
        try:
            job = read_asked(FetchJob, payload, task_id=task_id)
        except InvalidJob as error:
            self.refuse(task_id, error, b"")
            return
        with (
            structlog.contextvars.bound_contextvars(feed_id=job.feed_id),
            pulse.holding("fetch", f"of feed {job.feed_id}", limit_s=self._limit_s()),
        ):
            try:
                feed = self._begin(Due(job.feed_id, job.lease), is_redelivered=is_redelivered)
                if feed is None:
                    log.info("passed over: the feed is in other hands, or not polled any more")
                    return
                try:
                    self._poll(feed)
                except SpoolUnavailable as error:
                    self._postpone(feed, _DISK_WAIT_S, f"the disk did not take its body: {error}")
            except DependencyError as error:
                pulse.back_off(error.dependency)
                log.warning("given up: the feed is polled again when its lease ends", error=str(error))

    def refuse(self, task_id: str, error: CopydeskError, payload: bytes) -> None:
        """A message that is no job for a fetch worker. What it asked for is asked for again if it is due."""
        log.warning("a message on the fetch queue was refused", task_id=task_id, error=str(error), bytes=len(payload))

    def _poll(self, feed: Feed) -> None:
        try:
            fetched = self._manners.feed(feed.url, Validators(feed.etag, feed.last_modified))
            if not fetched.is_modified or fetched.sha256 == feed.body_sha256:
                self._record_same(feed, fetched)
                return
            found = feed_format(fetched)
        except HostBusy as error:
            wait_s = error.retry_after_s + random.uniform(0, _BUSY_SPREAD_S)
            self._postpone(feed, wait_s, "its host is being asked by others")
            return
        except FetchError as error:
            self._record_failure(feed, error)
            return
        self._take_in(feed, fetched, is_sitemap=found == "sitemap")

    def _take_in(self, feed: Feed, fetched: Fetched, *, is_sitemap: bool) -> None:
        """Spool, record, offer: in this order each step has what it needs if the next one never happens."""
        pages = self._sitemap_pages(feed, fetched) if is_sitemap else self._pages(feed, fetched)
        is_partial = pages is not None and pages.is_partial
        bounds = self._bounds(feed)
        spooled = self._spool(feed, fetched, pages)
        noted = Fetch(
            ingest_id=spooled.id,
            feed_id=feed.id,
            status=fetched.status,
            # Of a poll that left something the next one must have the whole body again.
            etag=None if is_partial else fetched.validators.etag,
            last_modified=None if is_partial else fetched.validators.last_modified,
            body_sha256="" if is_partial else fetched.sha256,
            wait_s=_asked_s(feed, fetched),
            min_s=bounds.min_s,
            max_s=bounds.max_s,
            moved_to=fetched.moved_to,
            pages=len(pages.pages) if pages else 0,
            is_partial=is_partial,
        )
        self._persist(lambda connection: feeds.record_fetch(connection, noted))
        try:
            offer(self._app, spooled.job())
        except QueueUnavailable as error:
            log.warning("in the spool, offered later", job_id=spooled.id, error=str(error))
        metrics.fetches.labels("taken_in").inc()
        counts = {"pages": len(pages.pages), "left": len(pages.pending) + len(pages.omitted)} if pages else {}
        log.info("fetched", url=feed.url, job_id=spooled.id, bytes=len(fetched.body), **counts)

    def _pages(self, feed: Feed, fetched: Fetched) -> full_text.Collected | None:
        """The pages of entries that want theirs; None where none does."""
        entries = full_text.read_entries(fetched) if feed.full_text != "never" else []
        if not entries:
            return None
        wanted = self._persist(lambda connection: self._wanted(connection, feed, entries, feed.full_text))
        return self._collect(wanted) if wanted.new or wanted.changed else None

    def _sitemap_pages(self, feed: Feed, fetched: Fetched) -> full_text.Collected:
        """The pages that a sitemap has named lately, whatever is said of full text: it has no text of its own."""
        entries = full_text.read_entries(fetched)
        recent = full_text.recent(entries, datetime.now(UTC))
        wanted = self._persist(lambda connection: self._wanted(connection, feed, recent, "always"))
        return full_text.only_pages(self._collect(wanted), entries)

    def _collect(self, wanted: full_text.Wanted) -> full_text.Collected:
        return full_text.collect(
            wanted,
            self._manners.page,
            self._page_bounds,
            on_page=lambda url: pulse.begin("fetch", f"of page {url}", limit_s=self._limit_s()),
        )

    def _wanted(self, connection: Connection, feed: Feed, entries: list[Parsed], policy: str) -> full_text.Wanted:
        seen = identities.last_seen(connection, full_text.named(feed.source, entries))
        rejected = feeds.rejected(connection, feed.source, [full_text.reject_key(entry) for entry in entries])
        wanted = full_text.choose(entries, policy, feed.source, seen, rejected)
        # "" is a poll that left something, which may have been the first half of a renamed feed.
        if feed.body_sha256 == "" or (feed.body_sha256 and full_text.looks_renamed(wanted, entries)):
            wanted = self._without_renamed(connection, feed, wanted)
        return wanted

    def _without_renamed(self, connection: Connection, feed: Feed, wanted: full_text.Wanted) -> full_text.Wanted:
        titles = [entry.fields.title for entry in wanted.new if entry.fields.title]
        known = articles.known_titles(connection, feed.source, titles)
        if known:
            log.warning("items come under new ids; their titles are known", url=feed.url, items=len(known))
        return full_text.without_known(wanted, known)

    def _spool(self, feed: Feed, fetched: Fetched, pages: full_text.Collected | None) -> Spooled:
        job_id = uuid.uuid4().hex
        body, hints = fetched.body, full_text.hints_of(fetched)
        if pages is not None:
            body, hints = full_text.bundle(fetched, pages), full_text.bundle_hints(fetched)
        with SpoolWriter(self._settings.spool, job_id) as writer:
            writer.write(body)
            writer.end_item(job_id, sha256(body), hints, None)
            return writer.commit(source=feed.source, kind="feed", origin=feed.url, received_at=datetime.now(UTC))

    def _record_same(self, feed: Feed, fetched: Fetched) -> None:
        bounds = self._bounds(feed)
        interval_s = pace.learn(feed.interval_s, items=0, fresh=0, bounds=bounds)
        wait_s = pace.wait(interval_s, (fetched.fresh_for_s,), bounds)
        result = "same_body" if fetched.is_modified else "not_modified"
        given = fetched.validators
        same = Same(
            feed.id, result, fetched.status, given.etag, given.last_modified, interval_s, wait_s, fetched.moved_to
        )
        self._persist(lambda connection: feeds.record_same(connection, same))
        metrics.fetches.labels(result).inc()
        log.info("nothing new", url=feed.url, result=result, wait_s=wait_s)

    def _record_failure(self, feed: Feed, error: FetchError) -> None:
        failures = feed.failures + 1
        wait_s = pace.wait_after(error, failures=failures, interval_s=feed.interval_s, bounds=self._bounds(feed))
        failure = Failure(feed.id, error.status, printable(str(error)), wait_s)
        self._persist(lambda connection: feeds.record_failure(connection, failure))
        metrics.fetches.labels("failed").inc()
        grade = log.warning if isinstance(error, FetchHard) else log.info
        grade("not fetched", url=feed.url, error=str(error), code=error.code, failures=failures, wait_s=wait_s)

    def _postpone(self, feed: Feed, wait_s: float, why: str) -> None:
        self._persist(lambda connection: feeds.postpone(connection, feed, wait_s=wait_s))
        log.info("postponed", url=feed.url, why=why, wait_s=wait_s)

    def _bounds(self, feed: Feed) -> Bounds:
        """Its own, where it has any; the lower one wins over an upper one below it."""
        min_s = feed.interval_min_s or self._settings.feed_interval_min_s
        return Bounds(min_s, max(min_s, feed.interval_max_s or self._settings.feed_interval_max_s))

    def _limit_s(self) -> float:
        """Of one fetch and, beside it, its way to the spool, the database and the queue."""
        return self._settings.fetch_whole_s + self._settings.stuck_after_s

    def _begin(self, due: Due, *, is_redelivered: bool) -> Feed | None:
        tried = False

        def begin(connection: Connection) -> Feed | None:
            nonlocal tried
            # A commit whose answer was lost has renewed the lease.
            again, tried = tried or is_redelivered, True
            return feeds.begin(connection, due, lease_s=self._settings.fetch_lease_s, again=again)

        return self._persist(begin)

    def _persist(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in a transaction, again and again until Postgres takes it, up to the length of a lease.

        Given up at once, a moment's refusal would keep the feed unpolled until its lease ends. A connection a step:
        polls are rare, and between two steps lies the slow part.
        """
        deadline_s = self._settings.database_deadline_s
        url = self._settings.postgres_url.get_secret_value()
        give_up = time.monotonic() + self._settings.fetch_lease_s
        wait_s = 0.1
        while True:
            try:
                with database.single_transaction(
                    url, "feed", deadline_s=deadline_s, name="copydesk fetch"
                ) as connection:
                    return work(connection)
            except DatabaseUnavailable as error:
                if time.monotonic() + wait_s > give_up:
                    raise
                pulse.back_off(error.dependency)
                time.sleep(wait_s)
                wait_s = min(wait_s * 2, 5.0)


def _asked_s(feed: Feed, fetched: Fetched) -> float:
    """The least wait that server and feed ask for, to the end of its hours of rest where it would end in them."""
    asked_s = max(fetched.fresh_for_s, asked_interval_s(fetched.body))
    # What the poll teaches about the interval is not known yet: the one so far is taken.
    wait_s = max(asked_s, feed.interval_s)
    rest_s = skipped_s(fetched.body, datetime.now(UTC) + timedelta(seconds=wait_s))
    return wait_s + rest_s if rest_s else asked_s


def printable(text: str) -> str:
    """What a server made us say, as Postgres takes it."""
    return "".join(c if c.isprintable() else "?" for c in text.encode("utf-8", "replace").decode())[:_ERROR_KEPT]


def feed_format(fetched: Fetched) -> str:
    """The name of the format of a feed or sitemap. Raises `FetchSoft` for what cannot be polled."""
    hints = full_text.hints_of(fetched)
    try:
        found = formats.detect(fetched.body, hints)
        is_index = found == "sitemap" and sitemap.is_index(look(fetched.body, hints))
    except InputError as error:
        raise FetchSoft(fetched.url, f"not a feed: {error}", status=fetched.status) from error
    if found not in FEED_FORMATS:
        raise FetchSoft(fetched.url, f"not a feed but {found}", status=fetched.status)
    if is_index:
        raise FetchSoft(fetched.url, "a sitemap index: poll the sitemaps that it names", status=fetched.status)
    if found == "sitemap" and len(fetched.body) > full_text.FEED_BYTES_MAX:
        raise FetchSoft(fetched.url, f"a sitemap of {len(fetched.body):,} bytes", status=fetched.status)
    return found
