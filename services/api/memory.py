"""What the door remembers beside the spool: idempotency keys, and in which job an id of the sender's stands."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from copydesk.delivery import spool
from copydesk.delivery.spool import Spooled
from services.api.problems import Refused

KEYS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a request became: its jobs, and for each document its id and job, in the order of the request."""

    source: str
    items: tuple[tuple[str, str], ...]

    @property
    def jobs(self) -> list[str]:
        """Every job once, in order."""
        return list(dict.fromkeys(job_id for _, job_id in self.items))


class Keys:
    """The last idempotency keys and what came of them. One event loop uses it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], tuple[str, asyncio.Future[Acceptance]]] = OrderedDict()

    async def once(
        self, source: str, key: str | None, fingerprint: str, accept: Callable[[], Awaitable[Acceptance]]
    ) -> Acceptance:
        """Accept, or the answer that the key was given before. Raises `Refused` where it stands for other documents.

        A second request that comes while the first is being written waits for it.
        """
        if key is None:
            return await accept()
        known = self._kept.get((source, key))
        if known is None:
            known = (fingerprint, asyncio.ensure_future(accept()))
            self._kept[source, key] = known
            if len(self._kept) > KEYS_KEPT:
                self._kept.popitem(last=False)
        if known[0] != fingerprint:
            raise Refused(422, "idempotency_conflict", "This Idempotency-Key was used with other documents.")
        try:
            return await asyncio.shield(known[1])
        except Exception:
            if self._kept.get((source, key)) is known:
                del self._kept[source, key]
            raise


class Index:
    """Ids that senders chose, of what is in the spool. Several threads use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, str], str] = {}

    def rebuild(self) -> None:
        """Read it from the spool, at start. Raises `SpoolUnavailable`."""
        for job_id in spool.ids(self._folder):
            found = spool.load(self._folder, job_id)
            if found and found.kind == "http":
                self.add([found])

    def add(self, jobs: Sequence[Spooled]) -> None:
        """Jobs were accepted."""
        with self._lock:
            for spooled in jobs:
                for item in spooled.items:
                    if not item.id.startswith(f"{spooled.id}/"):
                        self._jobs[spooled.source, item.id] = spooled.id

    def prune(self) -> None:
        """Forget what is not in the spool any more. Raises `SpoolUnavailable`."""
        with self._lock:
            known = dict(self._jobs)
        if known:
            present = set(spool.ids(self._folder))
            with self._lock:
                for key, job_id in known.items():
                    if job_id not in present and self._jobs.get(key) == job_id:
                        del self._jobs[key]

    def job_of(self, source: str, item_id: str) -> str | None:
        """The job in the spool that an item stands in; None when there is none. Raises `SpoolUnavailable`."""
        with self._lock:
            job_id = self._jobs.get((source, item_id), item_id.partition("/")[0])
        found = spool.load(self._folder, job_id)
        if found and found.source == source and any(item.id == item_id for item in found.items):
            return job_id
        return None
