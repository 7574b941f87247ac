"""Keeps the spool honest: removes what is committed, offers again what was overtaken or never reached the queue."""

from __future__ import annotations

import time
from pathlib import Path

import structlog
from celery import Celery

from copydesk.delivery import spool
from copydesk.delivery.offers import Offers
from copydesk.errors import DependencyError
from copydesk.liveness.pulse import pulse
from copydesk.queue.app import is_idle, offer
from copydesk.storage import receipts
from copydesk.storage.connection import Connection, translated_errors

log = structlog.get_logger(__name__)

# One question to Postgres holds so many ids.
ASKED_AT_ONCE = 1000


class SpoolReconciler:
    """One for each spool; `turn` is called every few seconds. All state is rebuilt from the spool."""

    def __init__(self, folder: Path, app: Celery, redis_url: str, *, overdue_s: float) -> None:
        self._folder = folder
        self._app = app
        self._redis_url = redis_url
        self._offers = Offers(overdue_s)

    def turn(self, connection: Connection) -> None:
        """Look once. Raises `DependencyError`; what was not reached is reached in the next turn."""
        now = time.monotonic()
        present = set(spool.ids(self._folder))
        for job_id in present:
            if job_id not in self._offers:
                found = spool.load(self._folder, job_id)
                pulse.finish(f"look at spooled job {job_id}")  # a large spool on a slow disk takes minutes at first
                if found:
                    # Its door offers it itself; if that failed it is overdue soon enough.
                    self._offers.add(job_id, found.received_at, offered_at=now)
        for job_id in [j for j in self._offers if j not in present]:
            self._offers.forget(job_id)
        self._remove_closed(connection)
        if len(self._offers):
            self._offer_overdue(connection, now)

    def _remove_closed(self, connection: Connection) -> None:
        waiting = list(self._offers)
        for start in range(0, len(waiting), ASKED_AT_ONCE):
            with translated_errors("closed jobs"), connection.transaction():
                closed = receipts.closed_jobs(connection, waiting[start : start + ASKED_AT_ONCE])
            spool.remove(self._folder, closed)
            for job_id in closed:
                self._offers.forget(job_id)
            pulse.finish(f"removal of {len(closed)} stored jobs")

    def _offer_overdue(self, connection: Connection, now: float) -> None:
        with translated_errors("newest closed job"), connection.transaction():
            newest = receipts.newest_closed(connection)
        for job_id in self._offers.overdue(now=now, newest_closed=newest, is_idle=is_idle(self._redis_url)):
            found = spool.load(self._folder, job_id)
            if found:
                try:
                    offer(self._app, found.job())
                except DependencyError:
                    log.warning("not offered: the queue is away", job_id=job_id)
                    return
                self._offers.offered(job_id, now)
                log.warning("offered again: it was overtaken or had not arrived", job_id=job_id)
