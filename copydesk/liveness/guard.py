"""Ends a process that finds itself stuck, so that whatever started it starts it anew.

Python code is judged by a thread. While C code holds the interpreter (a regular expression can, for hours) no thread
of ours runs: for that the same thread keeps winding up an alarm of `faulthandler`, whose own thread is C, and which
prints where every thread stands.
"""

from __future__ import annotations

import faulthandler
import os
import threading
import time
from collections.abc import Callable

import structlog

from copydesk.liveness.pulse import Pulse
from copydesk.liveness.rule import Verdict, judge

log = structlog.get_logger(__name__)

# sysexits.h EX_SOFTWARE: a supervisor sees that this was no clean end. The alarm's own status is 1.
EXIT_CODE = 70


class Guard:
    """Looks at a pulse every `look_every_s`; a daemon thread."""

    def __init__(
        self,
        pulse: Pulse,
        *,
        stuck_after_s: float,
        patience_s: float,
        alarm_margin_s: float = 2.0,
        look_every_s: float = 1.0,
        end_process: Callable[[int], object] = os._exit,
    ) -> None:
        """`patience_s`: the longest that C code may hold the interpreter; at least the longest limit of an item.

        The alarm rings `alarm_margin_s` later: where the thread runs, its reason is the better one.
        """
        self._pulse = pulse
        self._stuck_after_s = stuck_after_s
        self._alarm_after_s = patience_s + alarm_margin_s
        self._look_every_s = look_every_s
        self._end_process = end_process

    def start(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._watch, name="guard", daemon=True).start()

    def verdict(self) -> Verdict:
        """How the process stands now."""
        return judge(self._pulse.seen(), now=time.monotonic(), stuck_after_s=self._stuck_after_s)

    def _watch(self) -> None:
        while True:
            faulthandler.dump_traceback_later(self._alarm_after_s, exit=True)
            time.sleep(self._look_every_s)
            verdict = self.verdict()
            if verdict.is_stuck:
                log.error("stuck, the process ends", why=verdict.why)
                self._end_process(EXIT_CODE)
                return
