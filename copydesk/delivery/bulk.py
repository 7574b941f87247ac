"""Hands a bulk run over to the workers: jobs into the spool, few at a time, each accepted before the place moves.

Bounded on every side: as many jobs on their way as the settings say, the documents of eight in memory, nothing while
the spool's disk is below its mark. Killed at any moment, the next process comes to the same jobs under the same ids,
and passes over those that are in the spool or stored.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from celery import Celery

from copydesk.delivery import bulk_inputs, spool
from copydesk.delivery.bulk_inputs import Document, Place
from copydesk.delivery.bulk_run import BulkRun
from copydesk.delivery.cutting import for_jobs, item_id
from copydesk.delivery.disk import translated_errors
from copydesk.delivery.spool import SpoolWriter
from copydesk.errors import DatabaseUnavailable, DependencyError
from copydesk.fetching import Fetched
from copydesk.formats.members import Limits
from copydesk.models import Outcome
from copydesk.queue.app import offer
from copydesk.queue.jobs import Refusal, sha256
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage import receipts
from copydesk.storage.connection import Connection

# Jobs that share the sync of the folder and of the place; 4 MiB each at most, and one document more.
JOBS_AT_ONCE = 8

ASK_EVERY_S = 0.2
RETRY_S = 1.0

# Jobs in one question about outcomes.
_COUNTED_AT_ONCE = 1000

T = TypeVar("T")
Group = Sequence[tuple[Document, Place]]


class _Stopped(Exception):
    """Somebody wants the run to end; it goes on where it was."""


class Bulk:
    """One run on its way. `told` is called after each step, and with what it waits for."""

    def __init__(
        self,
        settings: Settings,
        app: Celery,
        run: BulkRun,
        *,
        fetch: Callable[[str], Fetched],
        told: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self._settings = settings
        self._app = app
        self._run = run
        self._fetch = fetch
        self._told = told
        self._stop = stop
        self._connection: Connection | None = None
        self._unsent: set[str] = set()
        self._asked = 0.0
        self._limits = Limits(
            settings.document_bytes_max, sys.maxsize, sys.maxsize, zip_entries=settings.archive_members_max
        )
        self.open: set[str] = set()
        """Jobs that are accepted and not known to be stored."""
        self.read_bytes = 0
        """Of the input in hand."""

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            with contextlib.suppress(Exception):  # a broken connection may fail to close in any way
                self._connection.close()
            self._connection = None

    def hand_over(self) -> bool:
        """Bring everything into the spool and onto the queue; False when stopped before.

        A dependency that is away is waited for. Raises `UsageError` as `bulk_inputs.documents`.
        """
        try:
            self._take_up()
            if not self._run.progress.is_handed_over:
                self._hand_over()
            self._wait_for(lambda: not self._unsent)
        except _Stopped:
            return False
        return True

    def wait(self) -> bool:
        """Wait until everything is settled; False when stopped before."""
        try:
            self._wait_for(lambda: not self.open)
        except _Stopped:
            return False
        return True

    def counts(self) -> dict[Outcome, int]:
        """How the documents of the run ended, so far. Raises `DatabaseUnavailable`."""
        counted = dict.fromkeys(Outcome, 0)
        jobs = self._run.progress.jobs
        for first in range(0, jobs, _COUNTED_AT_ONCE):
            ids = [self._job_id(number) for number in range(first, min(first + _COUNTED_AT_ONCE, jobs))]
            with database.bounded_transaction(self._connected(), "outcomes", self._settings.database_deadline_s):
                for outcome, count in receipts.outcome_counts(self._connected(), ids).items():
                    counted[outcome] += count
        return {outcome: count for outcome, count in counted.items() if count}

    def _job_id(self, number: int) -> str:
        return f"{self._run.progress.run_id}b{number}"

    def _take_up(self) -> None:
        """What is in the spool of this run is on its way, whoever put it there; delivered twice it is stored once."""
        prefix = f"{self._run.progress.run_id}b"
        for job_id in self._insist(lambda: spool.ids(self._settings.spool)):
            if job_id.startswith(prefix):
                self.open.add(job_id)
                self._unsent.add(job_id)

    def _hand_over(self) -> None:
        progress = self._run.progress
        done = self._done_before()
        found = bulk_inputs.documents(self._run.listed, progress.place, self._limits, self._fetch)
        grouped = for_jobs(found, lambda one: one[0].member)
        while groups := list(islice(grouped, JOBS_AT_ONCE)):
            self._wait_for(lambda: len(self.open) + JOBS_AT_ONCE <= self._settings.bulk_jobs_max and self._has_room())
            ids = [self._job_id(number) for number in range(progress.jobs, progress.jobs + len(groups))]
            new = {i: group for i, group in zip(ids, groups, strict=True) if i not in done}
            self._insist(lambda new=new: self._publish(new))  # type: ignore[misc]  # mypy#12557: default binds the loop's value
            self.open.update(new)
            self._unsent.update(new)
            self._move(groups)
            self._insist(self._run.save)
            self._told("")
        progress.is_handed_over = True
        self._insist(self._run.save)

    def _done_before(self) -> set[str]:
        """Jobs behind the place that was noted last which were accepted nevertheless, before a kill."""
        if not self._run.is_resumed:
            return set()
        first = self._run.progress.jobs
        ids = [self._job_id(number) for number in range(first, first + JOBS_AT_ONCE)]
        return {*self._insist(lambda: self._closed(ids)), *self.open.intersection(ids)}

    def _publish(self, groups: Mapping[str, Group]) -> None:
        """Make jobs of the groups: all of them are accepted, or none."""
        with ExitStack() as writing:
            writers = []
            for job_id, group in groups.items():
                writers.append(writing.enter_context(SpoolWriter(self._settings.spool, job_id)))
                self._write(writers[-1], [document for document, _ in group])
            spool.publish(writers)

    def _move(self, groups: Sequence[Group]) -> None:
        """The place is behind these groups."""
        progress = self._run.progress
        members = [document.member for group in groups for document, _ in group]
        last, progress.place = groups[-1][-1]
        self.read_bytes = last.read_bytes
        progress.jobs += len(groups)
        progress.documents += sum(max(1, member.records) for member in members)
        progress.refused += sum(member.error is not None for member in members)

    def _write(self, writer: SpoolWriter, documents: Sequence[Document]) -> None:
        ids: set[str] = set()
        for document in documents:
            member = document.member
            own_id = item_id(f"{self._run.progress.run_id}/", member.position, ids)
            writer.write(member.data)
            refused = Refusal(code=member.error.code, reason=str(member.error)) if member.error else None
            writer.end_item(own_id, sha256(member.data), document.hints, None, refused)
        origin = documents[0].member.position if len(documents) == 1 else f"{len(documents)} inputs"
        writer.seal(source=self._run.source, kind="bulk", origin=origin, received_at=datetime.now(UTC))

    def _has_room(self) -> bool:
        with translated_errors(self._settings.spool):
            self._settings.spool.mkdir(parents=True, exist_ok=True)
            is_enough = shutil.disk_usage(self._settings.spool).free >= self._settings.spool_free_bytes_min
        if not is_enough:
            self._told("the disk of the spool is below its mark")
        return is_enough

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        """Offer and settle until the condition holds. Raises `_Stopped`."""
        while True:
            if time.monotonic() - self._asked >= ASK_EVERY_S:
                self._insist(self._settle)
                self._told("")
            self._insist(self._offer_unsent)
            if condition():
                return
            if self._stop.wait(ASK_EVERY_S):
                raise _Stopped

    def _offer_unsent(self) -> None:
        """Put on the queue what is in the spool; what is stored meanwhile is not there any more."""
        for job_id in sorted(self._unsent):
            spooled = spool.load(self._settings.spool, job_id)
            if spooled:
                offer(self._app, spooled.job())
            self._unsent.discard(job_id)

    def _settle(self) -> None:
        self._asked = time.monotonic()
        closed = self._closed(sorted(self.open)) if self.open else []
        spool.remove(self._settings.spool, closed)
        self.open.difference_update(closed)
        self._unsent.difference_update(closed)

    def _closed(self, ids: list[str]) -> list[str]:
        with database.bounded_transaction(self._connected(), "closed jobs", self._settings.database_deadline_s):
            return receipts.closed_jobs(self._connected(), ids)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            url = self._settings.postgres_url.get_secret_value()
            self._connection = database.connect(
                url, deadline_s=self._settings.database_deadline_s, name="copydesk bulk"
            )
        return self._connection

    def _insist(self, call: Callable[[], T]) -> T:
        """Call until it works. Raises `_Stopped` when told to stop meanwhile."""
        while True:
            try:
                return call()
            except DependencyError as error:
                self._told(f"waiting for {error.dependency}: {error}")
                if isinstance(error, DatabaseUnavailable):
                    self.close()
                if self._stop.wait(RETRY_S):
                    raise _Stopped from error
