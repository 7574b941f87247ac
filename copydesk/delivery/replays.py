"""Carries dead letters again: from their kept input into the spool, as a job like any other.

Whoever wants it only marks the letter (`storage.dead_letters.ask_replay`); the scheduler, which has the spool, does it.
What may have been the fault of a busy machine is asked for by itself, once.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import structlog
from celery import Celery

from copydesk.delivery.spool import Spooled, SpoolWriter
from copydesk.errors import LimitExceeded, ProcessingError, QueueUnavailable
from copydesk.liveness.pulse import pulse
from copydesk.models import Hints, Json
from copydesk.queue.app import offer
from copydesk.queue.jobs import sha256
from copydesk.storage import dead_letters, raws
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.dead_letters import Asked

log = structlog.get_logger(__name__)

# Causes that may have been the machine's and not the document's: too little time or memory, a killed worker. Outages of
# Redis, Postgres and disks leave no letters.
PASSING = (LimitExceeded().code, ProcessingError().code)

# By then the machine may have more of both.
PASSING_AFTER_S = 3600.0

# Of one transaction: as many inputs are in memory one after the other.
BATCH = 50


def ask_passing(connection: Connection) -> None:
    """Ask for a replay of what may come through now; called every minute or so. Raises `DatabaseUnavailable`."""
    with translated_errors("letters whose cause may be gone"):
        asked = dead_letters.ask_passing(connection, PASSING, after_s=PASSING_AFTER_S)
    if asked:
        log.info("letters are carried again by themselves, once", letters=asked)


class Replays:
    """`turn` is called every second or so."""

    def __init__(self, spool: Path, app: Celery) -> None:
        self._spool = spool
        self._app = app

    def turn(self, connection: Connection) -> None:
        """Spool everything that is asked for. Raises `DatabaseUnavailable`, `SpoolUnavailable`."""
        while self._step(connection) == BATCH:
            pulse.finish("a batch of replays")

    def _step(self, connection: Connection) -> int:
        spooled: list[Spooled] = []
        with translated_errors("replay"), connection.transaction():
            asked = dead_letters.asked(connection, BATCH)
            for letter in asked:
                data = raws.load(connection, letter.raw_sha256) if letter.raw_sha256 else None
                if data is None or letter.context is None:
                    why = "its input is not kept" if data is None else "it was recorded by an older version"
                    dead_letters.impossible(connection, letter.id, why)
                    log.warning("cannot be replayed", letter=letter.id, item_id=letter.item_id, why=why)
                    continue
                spooled.append(self._write(letter, letter.context, data))
                dead_letters.replayed(connection, letter.id, spooled[-1].id)
                log.info("replayed", letter=letter.id, item_id=letter.item_id)
        for job in spooled:
            try:
                offer(self._app, job.job())
            except QueueUnavailable as error:
                log.warning("in the spool, offered later by its reconciler", job_id=job.id, error=str(error))
                break
        return len(asked)

    def _write(self, letter: Asked, context: Json, data: bytes) -> Spooled:
        """Spool a letter under an id that follows from it: written twice, by a crash in between, it is one job."""
        seed = f"{letter.ingest_id} {letter.item_id} {letter.replay_id}"
        replay_id = f"replay{letter.id}x{sha256(seed.encode())[:12]}"
        with SpoolWriter(self._spool, replay_id) as writer:
            writer.write(data)
            hints = Hints.model_validate(context["hints"])
            writer.end_item(str(context["parent_id"]), sha256(data), hints, context["meta"])
            return writer.commit(
                source=letter.source,
                # A feed's items keep the ids they have in every poll; anything else is a document of its own.
                kind="feed" if context["kind"] == "feed" else "http",
                origin=f"replay of dead letter {letter.id}",
                received_at=datetime.fromisoformat(str(context["received_at"])),
            )
