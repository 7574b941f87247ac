"""Asks each program whether it lives, in a thread of its own, and keeps what it said.

A process ends itself when it finds itself stuck; this is for one that cannot, since it is stopped or since C code
holds its interpreter: it does not answer at all.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from copydesk.liveness.asking import NoAnswer, ask
from copydesk.supervisor.program import ProgramRun

ASK_EVERY_S = 2.0

ANSWER_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of one run of a program. Times are monotonic.

    `silent_since`: of the first question without an answer after the last one with, None where it answers; `asked_at`:
    of the newest such question. Between the two, so that a machine that slept has not been silent meanwhile.
    """

    pid: int
    patience_s: float
    is_stuck: bool = False
    said: str = "nothing"
    silent_since: float | None = None
    asked_at: float = 0.0


def complaint(asked: Asked) -> str | None:
    """Why this run must end; None: it may go on. It may be silent for as long as C code takes in a sound one."""
    if asked.is_stuck:
        return asked.said
    silent_s = 0.0 if asked.silent_since is None else asked.asked_at - asked.silent_since
    return f"no answer for {silent_s:.0f} s; the last one was {asked.said}" if silent_s > asked.patience_s else None


class Rounds:
    """Programs without a `vitals_file`, and runs that have not written theirs yet, are not asked."""

    def __init__(self, runs: Sequence[ProgramRun]) -> None:
        self._asked: dict[ProgramRun, Asked | None] = {run: None for run in runs if run.vitals_file}
        self._stop = threading.Event()

    def start(self) -> None:
        """Begin, where there is anybody to ask."""
        if self._asked:
            threading.Thread(target=self._go, name="rounds", daemon=True).start()

    def stop(self) -> None:
        """End; nothing is waited for."""
        self._stop.set()

    def complaint(self, name: str, pid: int | None) -> str | None:
        """Why the process that runs now under this name must end; None: it may go on."""
        asked = next((asked for run, asked in self._asked.items() if run.name == name), None)
        return complaint(asked) if asked and asked.pid == pid else None

    def _go(self) -> None:
        while not self._stop.wait(ASK_EVERY_S):
            for run, asked in self._asked.items():
                pid = run.pid
                address = _address(run.vitals_file, pid)
                if pid is not None and address:
                    before = asked if asked and asked.pid == pid else Asked(pid, address.patience_s)
                    self._asked[run] = _ask(address.port, before)


def _ask(port: int, before: Asked) -> Asked:
    try:
        status, said = ask(port, "/livez", ANSWER_WITHIN_S)
    except NoAnswer:
        now = time.monotonic()
        return replace(before, silent_since=before.silent_since or now, asked_at=now)
    return replace(before, is_stuck=status != 200, said=said, silent_since=None)


class _Address(NamedTuple):
    port: int
    patience_s: float


def _address(path: Path | None, pid: int | None) -> _Address | None:
    """Where a process answers, and its patience; None: it has not said so yet."""
    try:
        found = json.loads(path.read_bytes()) if path else {}
        return _Address(int(found["port"]), float(found["patience_s"])) if found["pid"] == pid else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
