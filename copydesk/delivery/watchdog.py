"""Ends a process whose item takes too long: a solo worker has nothing else that could."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

# sysexits.h EX_SOFTWARE: a supervisor sees that this was no clean end.
EXIT_CODE = 70


class Watchdog:
    """Watches one thing at a time. Its thread is a daemon and costs a look every `look_every_s` seconds."""

    def __init__(
        self,
        limit_s: float,
        *,
        look_every_s: float = 1.0,
        end_process: Callable[[int], object] = os._exit,
    ) -> None:
        self._limit_s = limit_s
        self._look_every_s = look_every_s
        self._end_process = end_process
        self._in_hand: tuple[str, float] | None = None
        self._thread: threading.Thread | None = None

    def begin(self, subject: str) -> None:
        """Something is in hand from now on."""
        self._in_hand = (subject, time.monotonic())
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
            self._thread.start()

    def start_again(self) -> None:
        """What is in hand was waiting for a dependency, which is no fault of its own: its time starts anew."""
        if self._in_hand is not None:
            self._in_hand = (self._in_hand[0], time.monotonic())

    def end(self) -> None:
        """Nothing is in hand."""
        self._in_hand = None

    def _watch(self) -> None:
        while True:
            time.sleep(self._look_every_s)
            in_hand = self._in_hand
            if in_hand and time.monotonic() - in_hand[1] > self._limit_s:
                log.error("an item took too long, the worker ends", item_id=in_hand[0], limit_s=self._limit_s)
                self._end_process(EXIT_CODE)
                return
