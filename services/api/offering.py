"""Puts accepted jobs on the queue in a thread of its own: no request waits for Redis."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import structlog
from celery import Celery

from copydesk.delivery import spool
from copydesk.delivery.spool import Spooled
from copydesk.errors import DependencyError
from copydesk.queue.app import offer

log = structlog.get_logger(__name__)

RETRY_S = (0.1, 2.0)

# Jobs kept whole until they are offered; of further ones only the id, they are read again from the spool.
WHOLE_MAX = 200


class Offering:
    """Offers in the order of acceptance, again and again while the queue is away.

    Only memory: what was not offered when the process ends is in the spool, where the reconciler finds it.
    """

    def __init__(self, folder: Path, app: Celery) -> None:
        self._folder = folder
        self._app = app
        self._waiting: deque[Spooled | str] = deque()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="offering", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Offer what is waiting, as far as the queue takes it at once, then end."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(3)

    def add(self, jobs: Sequence[Spooled]) -> None:
        """Jobs were accepted; from any thread."""
        for spooled in jobs:
            self._waiting.append(spooled if len(self._waiting) < WHOLE_MAX else spooled.id)
        self._wake.set()

    def _run(self) -> None:
        wait, longest = RETRY_S
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._waiting:
                try:
                    self._offer(self._waiting[0])
                except DependencyError as error:
                    if self._stop.is_set():
                        break
                    log.warning("not offered yet, the spool keeps it", waiting=len(self._waiting), error=str(error))
                    self._stop.wait(wait)
                    wait = min(wait * 2, longest)
                else:
                    self._waiting.popleft()
                    wait = RETRY_S[0]
            if self._stop.is_set():
                return

    def _offer(self, waiting: Spooled | str) -> None:
        spooled = spool.load(self._folder, waiting) if isinstance(waiting, str) else waiting
        if spooled:  # else the reconciler was faster, and it is stored
            offer(self._app, spooled.job())
            log.info("offered", job_id=spooled.id, source=spooled.source, items=len(spooled.items))
