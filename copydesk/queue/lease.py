"""The thread that keeps a consuming channel's lease, so that a long task in a solo worker does not lose it.

It also repeats acknowledgements that failed, and returns what dead owners held. It reads no message and runs no task.
"""

from __future__ import annotations

import logging
import threading
from collections import deque

import redis

from copydesk.queue.custody import Custody, Settlement

logger = logging.getLogger(__name__)

UNREACHABLE = (redis.RedisError, OSError)
"""What a command raises when Redis is away or refuses it."""


class Lease:
    """Holds one owner's lease from `start` to `release`.

    `consumer` is used by the thread that consumes, `keeper` by this one alone: on its own connection, so that neither
    waits for the other.
    """

    def __init__(self, consumer: Custody, keeper: Custody, renew_seconds: float) -> None:
        self.custody = consumer
        self._keeper = keeper
        self._renew_seconds = renew_seconds
        self._late: deque[Settlement] = deque()
        self._wake = threading.Event()
        self._released = False
        self._release_tried = threading.Event()
        self._held = False
        self._reachable = True
        self._thread = threading.Thread(target=self._run, name=f"lease-{keeper.owner.id[:8]}", daemon=True)

    def start(self) -> None:
        """Begin to hold the lease; returns at once, taking a message registers too."""
        self._thread.start()

    def settle(self, settlement: Settlement) -> None:
        """End a message, now or as soon as Redis can be reached again. Never raises: the slot is free either way."""
        try:
            self.custody.settle(settlement)
        except UNREACHABLE as error:
            logger.warning("message %s not settled (%s), will repeat: %s", settlement.tag, settlement.end, error)
            self._late.append(settlement)
            self._wake.set()

    def release(self, wait_seconds: float) -> None:
        """Return what is still held and give up the lease.

        Waits for the first attempt. If that fails, the thread lives on until it has repeated what is to be repeated.
        """
        self._released = True
        self._wake.set()
        if self._thread.is_alive():
            self._release_tried.wait(wait_seconds)

    def _run(self) -> None:
        while True:
            releasing = self._released
            done = self._is_done()
            if releasing or done:
                self._release_tried.set()
            if done:
                return
            self._wake.wait(self._renew_seconds)
            self._wake.clear()

    def _is_done(self) -> bool:
        """One turn. True when there is nothing left to hold."""
        try:
            self._repeat_settlements()
            if self._released:
                self._keeper.release()
                return True
            self._renew()
            returned = self._keeper.return_orphans()
        except UNREACHABLE as error:
            if self._reachable:
                logger.warning("lease %s not renewed, will repeat: %s", self._keeper.owner.id, error)
            self._reachable = False
            # Without anything to repeat, the end of the lease does what a release would.
            return self._released and not self._late
        except Exception:  # the thread's outer edge: if it ended here, the lease would end unnoticed
            logger.exception("lease %s: unexpected error, will repeat", self._keeper.owner.id)
        else:
            self._reachable = True
            if returned:
                logger.warning("returned %d messages whose owner's lease had ended", returned)
        return False

    def _renew(self) -> None:
        kept = self._keeper.renew()
        if self._held and not kept:
            logger.warning("lease %s had ended; what it held may run twice", self._keeper.owner.id)
        self._held = True

    def _repeat_settlements(self) -> None:
        """Oldest first; one that fails again stays in its place."""
        while self._late:
            settlement = self._late.popleft()
            try:
                self._keeper.settle(settlement)
            except UNREACHABLE:
                self._late.appendleft(settlement)
                raise
