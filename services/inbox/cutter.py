"""Cuts large files beside the inbox's loop: one thread, one file at a time, few parts on their way at once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from copydesk.delivery import cutting
from copydesk.delivery.claims import Claim
from copydesk.errors import DependencyError
from copydesk.formats.members import Limits

log = structlog.get_logger(__name__)

# Enough to keep several ingest workers busy, few enough for disk and queue: 64 MiB at most.
PARTS_OPEN_MAX = 16

RETRY_S = 1.0


@dataclass(slots=True)
class CutFile:
    """A file on its way as several jobs."""

    claim: Claim
    part_ids: list[str] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    is_whole: bool = False
    """True once the last part is known."""


class Cutter:
    """Takes claims, gives parts. `committed` asks Postgres which parts of a claim are committed."""

    def __init__(
        self, inbox: Path, limits: Limits, wake: Callable[[], None], committed: Callable[[str], Collection[str]]
    ) -> None:
        self._inbox = inbox
        self._limits = limits
        self._wake = wake
        self._committed = committed
        self._waiting: queue.SimpleQueue[CutFile] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[CutFile, str | None]] = queue.SimpleQueue()
        self._room = threading.Semaphore(PARTS_OPEN_MAX)
        self._stop = threading.Event()
        self._files: dict[str, CutFile] = {}
        self._of_part: dict[str, CutFile] = {}
        self._thread = threading.Thread(target=self._run, name="cutter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; what is cut stays cut."""
        self._stop.set()
        self._room.release()

    def __contains__(self, claim_id: str) -> bool:
        return claim_id in self._files

    def add(self, claim: Claim) -> None:
        """Cut the one file of a claim."""
        file = self._files[claim.id] = CutFile(claim)
        self._waiting.put(file)

    def new_parts(self) -> list[tuple[CutFile, str]]:
        """The parts that were written since the last call, to be offered."""
        found = []
        while not self._found.empty():
            file, part_id = self._found.get()
            if part_id is None:
                file.is_whole = True
                continue
            file.open.add(part_id)
            self._of_part[part_id] = file
            found.append((file, part_id))
        return found

    def open_parts(self) -> set[str]:
        """What is on its way."""
        return set(self._of_part)

    def close(self, part_id: str) -> None:
        """A part's outcome is committed."""
        self._of_part.pop(part_id).open.discard(part_id)
        self._room.release()

    def finished(self) -> list[CutFile]:
        """Files all of whose parts are committed."""
        return [file for file in self._files.values() if file.is_whole and not file.open]

    def forget(self, claim_id: str) -> None:
        """The file is settled."""
        self._files.pop(claim_id, None)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                file = self._waiting.get(timeout=1.0)
            except queue.Empty:
                continue
            while not self._stop.is_set():
                try:
                    self._cut(file)
                    break
                except DependencyError as error:
                    log.warning("waiting for a dependency", step="cut", job_id=file.claim.id, error=str(error))
                    self._stop.wait(RETRY_S)

    def _cut(self, file: CutFile) -> None:
        """Bring every part to be known once; begun anew after a fault, it passes over those it knows."""
        committed = set(self._committed(file.claim.id))
        known = set(file.part_ids)
        for part in cutting.parts(self._inbox, file.claim, self._limits, committed | known):
            if part.id in known:
                continue
            file.part_ids.append(part.id)
            if part.id in committed:
                continue
            self._room.acquire()
            if self._stop.is_set():
                return
            self._found.put((file, part.id))
            self._wake()
        self._found.put((file, None))
        self._wake()
