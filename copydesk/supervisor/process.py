"""What can be supervised, and the record the supervisor keeps of each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class Supervised(Protocol):
    """A process that can be started again: a program's run, or an embedded server."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def stop_grace_s(self) -> float: ...
    @property
    def log_file(self) -> Path: ...
    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def exit_status(self) -> int | None: ...
    def is_ready(self) -> bool: ...
    def ask_to_stop(self) -> None: ...
    def kill(self) -> None: ...


class State(StrEnum):
    """Where a supervised process stands.

    `ENDING`: it is stuck and was asked to stop. `FAILED`: it ended before it was ever ready, and a restart cannot help.
    """

    WAITING = "waiting"
    STARTING = "starting"
    RUNNING = "running"
    ENDING = "ending"
    BACKING_OFF = "backing off"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Status:
    """For a status line. `pid` is None unless it runs; `detail` says how it last ended."""

    name: str
    state: State
    pid: int | None
    restarts: int
    detail: str


class Entry:
    """One supervised process with its record."""

    def __init__(self, process: Supervised) -> None:
        self.process = process
        self.state = State.WAITING
        self.detail = ""
        self.restarts = 0
        self.crashes = 0
        self.was_ready = False
        self.started_at = 0.0
        self.due_at = 0.0

    @property
    def runs(self) -> bool:
        return self.state in {State.STARTING, State.RUNNING, State.ENDING}
