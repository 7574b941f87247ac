"""A program to supervise, and one run of it: a child process with its output in a log file of its own."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from copydesk.embedded import child

Readiness: TypeAlias = "str | tuple[str, int] | Callable[[], bool] | None"

_CONNECT_S = 0.2
_LOG_LIMIT = 16 * 2**20
"""Bytes at which a log is set aside as `<name>.log.1` at the next start; one old log is kept."""

_READY_WITHIN = 2**20
"""Bytes of output among which the text that tells readiness is looked for."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. `env` comes on top of our own environment.

    `ready` tells when it is up: a text in its output, a (host, port) that accepts, a function that is asked ten
    times a second and may neither block nor raise; None: as soon as it is started. Programs next to each other with
    the same `group` are stopped together instead of one after the other. `stop_signal` goes to the program alone;
    after it has ended, or after `stop_grace_s`, whatever is left of its process group is killed. `vitals_file` is
    where it says at which port it answers `/livez`; None: it is not asked.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_grace_s: float = 30.0
    ready: Readiness = None
    group: str = ""
    vitals_file: Path | None = None


class ProgramRun:
    """One program as the supervisor sees it: it can be started, asked, stopped and started again."""

    def __init__(self, program: Program, log_dir: Path) -> None:
        self.name = program.name
        self.group = program.group
        self.stop_grace_s = program.stop_grace_s
        self.vitals_file = program.vitals_file
        self.log_file = log_dir / f"{program.name}.log"
        self._program = program
        self._process: child.Child | None = None
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.exit_status() is None else None

    def start(self) -> None:
        """Start it in its own session, tied to us. That it cannot be executed shows as exit status 127."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_LIMIT:
            self.log_file.rename(self.log_file.with_suffix(".log.1"))
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = child.spawn(
                self._program.argv, output=log, env={**os.environ, **self._program.env}, cwd=self._program.cwd
            )

    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.exit_status() if self._process is not None else None

    def is_ready(self) -> bool:
        match self._program.ready:
            case None:
                return True
            case str(text):
                return text.encode() in self._output()
            case (str(host), int(port)):
                return _accepts(host, port)
            case ask:
                return ask()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(self._program.stop_signal)

    def kill(self) -> None:
        """SIGKILL it and all of its process group; nothing of it runs afterwards."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _output(self) -> bytes:
        try:
            with self.log_file.open("rb") as log:
                log.seek(self._log_start)
                return log.read(_READY_WITHIN)
        except FileNotFoundError:
            return b""


def _accepts(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), _CONNECT_S).close()
    except OSError:
        return False
    return True
