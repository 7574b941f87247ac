"""The inbox's loop: claim what is complete, offer it, settle what is committed, offer again what was overtaken."""

from __future__ import annotations

import contextlib
import os
import queue
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog
from celery import Celery

from copydesk import metrics
from copydesk.delivery import claims, cutting, outcomes, spool
from copydesk.delivery.claims import Claim, Found
from copydesk.delivery.offers import Offers
from copydesk.errors import DatabaseUnavailable, DependencyError, QueueUnavailable, SpoolUnavailable
from copydesk.formats.members import Limits
from copydesk.liveness.pulse import pulse
from copydesk.queue import streams
from copydesk.queue.app import is_idle, offer
from copydesk.queue.jobs import ITEMS_MAX, new_id
from copydesk.queue.streams import ArticleStream
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage import receipts
from copydesk.storage.connection import Connection
from copydesk.storage.receipts import Receipt
from services.inbox.completeness import Completeness
from services.inbox.cutter import CutFile, Cutter
from services.inbox.events import Watch

log = structlog.get_logger(__name__)

# Together with ITEMS_MAX what one job holds: about a second of work for one ingest worker.
CLAIM_BYTES = 4 * 1024 * 1024

# Asking Postgres about what is on its way, for when nobody told.
ASK_EVERY_S = 2.0

RECONCILE_EVERY_S = 2.0


class InboxService:
    """One process per inbox. All state that matters is on disk: killed at any moment, it starts where it was."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._settings = settings
        self._inbox = settings.inbox
        self._app = app
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._completeness = Completeness(settings.inbox_grace_s)
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._claims: dict[str, Claim] = {}
        self._offers = Offers(settings.overdue_s)
        self._connection: Connection | None = None
        self._asked = 0.0
        self._reconciled = 0.0
        self._refused: set[Path] = set()
        self._watch: Watch | None = None
        limits = Limits(settings.document_bytes_max, settings.archive_unpacked_bytes_max, settings.archive_members_max)
        self._cutter = Cutter(self._inbox, limits, self._wake.set, self._committed_parts)

    def stop(self) -> None:
        """Ask the loop to end after its step; what is claimed stays claimed."""
        self._stop.set()
        self._wake.set()

    def run(self) -> None:
        """Serve until `stop`."""
        (self._inbox / claims.WORK).mkdir(parents=True, exist_ok=True)
        for claim in claims.outstanding(self._inbox):
            self._take_on(claim)
        log.info("inbox open", inbox=str(self._inbox), outstanding=len(self._claims))
        if self._settings.inbox_events:
            self._watch = Watch(self._inbox, self._completeness, self._lock, self._wake)
        listener = threading.Thread(target=self._listen, name="closed-jobs", daemon=True)
        listener.start()
        self._cutter.start()
        try:
            while not self._stop.is_set():
                self._wake.clear()
                self._guard(self._cover)
                self._guard(self._settle_closed)
                self._guard(self._claim_complete)
                self._guard(self._offer_unsent)
                self._guard(self._offer_parts)
                self._guard(self._reconcile)
                pulse.rest(self._settings.inbox_poll_s)
                self._wake.wait(self._settings.inbox_poll_s)
        finally:
            self._cutter.stop()
            if self._watch:
                self._watch.stop()
            self._disconnect()

    def _guard(self, step: Callable[[], None]) -> None:
        """A dependency that is away ends the step, never the service."""
        try:
            with pulse.holding("step", step.__name__.lstrip("_")):
                step()
        except DependencyError as error:
            pulse.back_off(error.dependency)
            if isinstance(error, DatabaseUnavailable):
                self._disconnect()
            log.warning("waiting for a dependency", step=step.__name__, error=str(error))

    def _cover(self) -> None:
        if self._watch:
            self._watch.cover(set(claims.source_folders(self._inbox)))

    # --- claim and offer ---------------------------------------------------------------------------------------

    def _claim_complete(self) -> None:
        room = self._settings.inbox_claims_max - len(self._claims)
        if room <= 0:
            return
        now = time.monotonic()
        ready: list[Found] = []
        seen: set[str] = set()
        is_whole_scan = True
        for found in claims.scan(self._inbox):
            seen.add(os.fspath(found.path))
            with self._lock:
                is_complete = self._completeness.is_complete(found, now)
            if is_complete and self._may_take(found):
                ready.append(found)
                if len(ready) >= room * ITEMS_MAX:
                    is_whole_scan = False
                    break
        if is_whole_scan:
            with self._lock:
                self._completeness.forget_all_but(seen)
        for group in group_for_jobs(ready, is_alone=lambda found: cutting.is_cut(found.path, found.name)):
            if len(self._claims) >= self._settings.inbox_claims_max:
                break
            with self._lock:
                for found in group:
                    self._completeness.forget(os.fspath(found.path))
            try:
                claim = claims.claim(self._inbox, group, claim_id=new_id(), received_at=datetime.now(UTC))
            except SpoolUnavailable as error:  # a folder that is a mount of its own: its files wait, others go on
                log.warning("files cannot be claimed and stay where they are", error=str(error))
                continue
            if claim:
                self._take_on(claim)

    def _may_take(self, found: Found) -> bool:
        wanted = what_to_change(found.path)
        if wanted is None:
            self._refused.discard(found.path)
            return True
        if found.path not in self._refused:
            self._refused.add(found.path)
            log.warning(
                "a file stays where it is: this user may not take it",
                wanted=wanted,
                file=claims.printable(os.fspath(found.path)),
                uid=os.getuid(),
            )
        return False

    def _offer_unsent(self) -> None:
        for job_id in self._offers.unsent():
            self._offer_again(job_id)

    def _offer_parts(self) -> None:
        """Parts are offered as they are cut; what the queue does not take now is unsent."""
        for file, part_id in self._cutter.new_parts():
            self._offers.add(part_id, file.claim.received_at)
        self._offer_unsent()

    def _offer_again(self, job_id: str) -> None:
        if not cutting.is_part(job_id):
            self._offer(self._claims[job_id])
            return
        part = spool.load(cutting.folder_of(self._inbox, job_id), job_id)
        if part:
            offer(self._app, part.job())
            self._offers.offered(job_id, time.monotonic())
            log.info("offered a part", job_id=job_id, source=part.source, items=len(part.items))

    def _take_on(self, claim: Claim) -> None:
        pulse.finish(f"claim {claim.id}")
        self._claims[claim.id] = claim
        file = claim.files[0]
        if len(claim.files) == 1 and cutting.is_cut(self._inbox / claims.WORK / claim.id / str(file.number), file.name):
            self._cutter.add(claim)
        else:
            self._offers.add(claim.id, claim.received_at)

    def _offer(self, claim: Claim) -> None:
        offer(self._app, claim.job())
        self._offers.offered(claim.id, time.monotonic())
        log.info("offered", job_id=claim.id, source=claim.source, files=len(claim.files))

    # --- settle ------------------------------------------------------------------------------------------------

    def _settle_closed(self) -> None:
        told = set()
        while not self._told.empty():
            told.add(self._told.get())
        parts = self._cutter.open_parts()
        wanted, wanted_parts = told & self._claims.keys(), told & parts
        if time.monotonic() - self._asked >= ASK_EVERY_S:
            self._asked = time.monotonic()
            wanted, wanted_parts = {c for c in self._claims if c not in self._cutter}, parts
        if wanted_parts:
            self._close_parts(wanted_parts)
        for cut_file in self._cutter.finished():
            self._settle_cut(cut_file)
        if not wanted:
            return
        with self._transaction("receipts") as connection:
            found = receipts.of_closed_jobs(connection, sorted(wanted))
        for job_id, of_job in found.items():
            try:
                self._settle(self._claims[job_id], of_job)
            except SpoolUnavailable as error:  # a full disk, a folder without rights: this claim waits, others go on
                log.warning("a file cannot be moved to where it ends", job_id=job_id, error=str(error))

    def _settle(self, claim: Claim, of_job: Iterable[Receipt]) -> None:
        by_file: dict[str, list[Receipt]] = {}
        for receipt in of_job:
            by_file.setdefault(receipt.parent_id, []).append(receipt)
        of_whole_job = by_file.get(claim.id, [])
        left = claims.load(self._inbox, claim.id)
        for file in left.files if left else ():
            own = by_file.get(f"{claim.id}/{file.number}", of_whole_job)
            if not own or claims.is_changed(self._inbox, claim.id, file):
                again = claims.offer_again(self._inbox, claim, file, claim_id=new_id(), received_at=datetime.now(UTC))
                if again:
                    self._take_on(again)
                continue
            outcome = outcomes.of_file(own)
            place = claims.settle_file(
                self._inbox, claim, file, outcomes.FOLDERS[outcome], outcomes.describe(claim, file, own)
            )
            pulse.finish(f"move of {claim.id}/{file.number}")
            metrics.files.labels(outcomes.FOLDERS[outcome]).inc()
            log.info("settled", item_id=f"{claim.id}/{file.number}", outcome=outcome.value, file=str(place))
        claims.discard_claim(self._inbox, claim.id)
        self._claims.pop(claim.id, None)
        self._offers.forget(claim.id)

    def _close_parts(self, wanted: set[str]) -> None:
        with self._transaction("parts") as connection:
            closed = receipts.closed_jobs(connection, sorted(wanted))
        for part_id in closed:
            spool.remove(cutting.folder_of(self._inbox, part_id), [part_id])
            self._cutter.close(part_id)
            self._offers.forget(part_id)

    def _settle_cut(self, cut_file: CutFile) -> None:
        claim, part_ids = cut_file.claim, cut_file.part_ids
        if not part_ids:  # nothing came out of it: an ingest worker says so
            self._cutter.forget(claim.id)
            self._offers.add(claim.id, claim.received_at)
            return
        file = claim.files[0]
        if claims.is_changed(self._inbox, claim.id, file):
            again = claims.offer_again(self._inbox, claim, file, claim_id=new_id(), received_at=datetime.now(UTC))
            if again:
                self._take_on(again)
        else:
            with self._transaction("receipts of parts") as connection:
                counts = receipts.outcome_counts(connection, part_ids)
                faults = receipts.faults(connection, part_ids, outcomes.FAULTS_TOLD)
            outcome = outcomes.mildest(counts)
            answer = outcomes.describe_parts(claim, file, counts, faults, jobs=len(part_ids))
            place = claims.settle_file(self._inbox, claim, file, outcomes.FOLDERS[outcome], answer)
            log.info("settled", item_id=f"{claim.id}/{file.number}", outcome=outcome.value, file=str(place))
        folder = self._inbox / claims.WORK / claim.id
        spool.remove(folder, spool.ids(folder))
        claims.discard_claim(self._inbox, claim.id)
        self._claims.pop(claim.id, None)
        self._cutter.forget(claim.id)

    def _committed_parts(self, claim_id: str) -> list[str]:
        """The cutter's question, from its own thread: hence a connection of its own."""
        with (
            database.connect(
                self._settings.postgres_url.get_secret_value(),
                deadline_s=self._settings.database_deadline_s,
                name="copydesk inbox cutter",
            ) as connection,
            database.translated_errors("committed parts"),
        ):
            return receipts.closed_parts(connection, f"{claim_id}p")

    # --- reconcile ---------------------------------------------------------------------------------------------

    def _reconcile(self) -> None:
        if time.monotonic() - self._reconciled < RECONCILE_EVERY_S or not self._claims:
            return
        self._reconciled = time.monotonic()
        with database.translated_errors("newest closed job"), self._connected().transaction():
            newest = receipts.newest_closed(self._connected())
        idle = is_idle(self._settings.redis_url.get_secret_value())
        for job_id in self._offers.overdue(now=time.monotonic(), newest_closed=newest, is_idle=idle):
            log.warning("offered again: it was overtaken", job_id=job_id)
            self._offer_again(job_id)

    def _listen(self) -> None:
        """Hear of closed jobs as they close. Best effort: `_settle_closed` asks Postgres all the same."""
        stream = ArticleStream(streams.connect(self._settings.redis_url.get_secret_value()))
        cursor = "$"
        while not self._stop.is_set():
            try:
                cursor, closed = stream.closed_since(cursor, block_ms=1000)
            except QueueUnavailable:
                # Whatever was told meanwhile is asked for.
                cursor = "$"
                self._stop.wait(1.0)
                continue
            for job_id in closed:
                self._told.put(job_id)
            if closed:
                self._wake.set()

    @contextlib.contextmanager
    def _transaction(self, subject: str) -> Iterator[Connection]:
        connection = self._connected()
        with database.bounded_transaction(connection, subject, self._settings.database_deadline_s):
            yield connection

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = database.connect(
                self._settings.postgres_url.get_secret_value(),
                deadline_s=self._settings.database_deadline_s,
                name="copydesk inbox",
            )
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def what_to_change(path: Path) -> str | None:
    """What keeps this user from reading the file and taking it by a rename; None where nothing does."""
    if not os.access(path, os.R_OK):
        return "make the file readable"
    if not os.access(path.parent, os.W_OK | os.X_OK):
        return "make its folder writable"
    with contextlib.suppress(OSError):  # gone meanwhile
        folder = path.parent.stat()
        owners = (0, folder.st_uid, path.lstat().st_uid)
        if folder.st_mode & stat.S_ISVTX and os.getuid() not in owners:
            return "take away the sticky bit of its folder, or give the folder to this user"
    return None


def group_for_jobs(
    found: Iterable[Found], *, is_alone: Callable[[Found], bool] = lambda found: False
) -> list[list[Found]]:
    """Files of one source by fifty, and by bytes; the oldest first, so that versions keep their order.

    What `is_alone` has a group of its own.
    """
    groups: list[list[Found]] = []
    open_groups: dict[str, tuple[list[Found], int]] = {}
    for file in sorted(found, key=lambda f: f.mtime_ns):
        if is_alone(file):
            groups.append([file])
            continue
        group, size = open_groups.get(file.source, ([], 0))
        if not group or len(group) >= ITEMS_MAX or size + file.size > CLAIM_BYTES:
            group, size = [], 0
            groups.append(group)
        group.append(file)
        open_groups[file.source] = (group, size + file.size)
    return groups
