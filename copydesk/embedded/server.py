"""The life of one embedded server: start, wait until it answers, stop, kill. What the servers differ in is elsewhere.

A data folder holds, beside the data: `<name>.log`, `<name>.pid`, `port` and `lock`. The lock is held by the server
process itself through an inherited descriptor, so it tells a live server from a stale pid file, whoever started it
and whatever else has the pid now; and it goes with the last process of that server.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self

from copydesk.embedded import child, ports
from copydesk.embedded.identity import SAME, Identity
from copydesk.errors import ServerStartError

_POLL_S = 0.01
_PORTS_TRIED = 20
_LOG_LINES_SHOWN = 15


class Server(ABC):
    """One server process on 127.0.0.1 with its data in `data_dir`; a context manager that starts and stops it.

    `port` None takes a free one and keeps it in the data folder: the next start has the same.
    Not for use from several threads at once.
    """

    name: ClassVar[str]
    group: ClassVar[str] = ""
    stop_grace_s: ClassVar[float] = 30.0
    stop_signal: ClassVar[signal.Signals]
    """The clean stop."""
    death_signal: ClassVar[signal.Signals]
    """What the kernel sends when our own process dies: an end without loss that nothing can hold up."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self._wanted_port = port
        self._port: int | None = None
        self._process: child.Child | None = None
        self._identity: Identity = SAME

    # --- what a server has to say about itself ---------------------------------------------------------------

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for clients. Known from the first start on."""

    @abstractmethod
    def _prepare(self, lock: int) -> None:
        """Make the data folder ready for a start and set `_identity`. What this runs has to keep `lock` open."""

    @abstractmethod
    def _command(self, port: int) -> Sequence[str]:
        """The program and its arguments."""

    @abstractmethod
    def _answers(self, pid: int, port: int) -> bool:
        """Whether the process `pid`, and no other on that port, is ready for clients."""

    # --- the life --------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The TCP port. Raises ServerStartError before the first start of this folder's server."""
        port = self._port or self._wanted_port or ports.kept(self.data_dir)
        if port is None:
            raise ServerStartError(self.name, "not started yet, so it has no port")
        return port

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        process = self._process
        return process.pid if process is not None and process.exit_status() is None else None

    @property
    def log_file(self) -> Path:
        return self.data_dir / f"{self.name}.log"

    def is_running(self) -> bool:
        """Whether the process that we started is there."""
        return self._process is not None and self._process.exit_status() is None

    def is_ready(self) -> bool:
        """The same: `start` returns only when clients are answered."""
        return self.is_running()

    def exit_status(self) -> int | None:
        """How it ended, None while it runs; negative for the signal."""
        return self._process.exit_status() if self._process is not None else None

    def ask_to_stop(self) -> None:
        """Send the clean stop signal and return at once."""
        if self._process is not None:
            self._process.send_signal(self.stop_signal)

    def start(self, deadline_s: float = 60.0, *, folder_wait_s: float = 5.0) -> None:
        """Start it and return when it answers. `folder_wait_s` is for an earlier one that is still on its way out.

        Raises ServerStartError, with the last log lines, when it ends or does not answer within `deadline_s`, when
        another server runs from the same folder, or when the port is taken.
        """
        if self.is_running():
            raise ServerStartError(self.name, f"already started, pid {self.pid}")
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = self._lock_folder(folder_wait_s)
            try:
                self._prepare(lock)
                self._start_on_some_port(lock, time.monotonic() + deadline_s)
            finally:
                os.close(lock)
        except OSError as error:
            raise ServerStartError(self.name, str(error)) from error

    def stop(self, how: signal.Signals | None = None) -> None:
        """End it by `how`, None for its clean stop, and by SIGKILL after `stop_grace_s`. No-op when it has ended."""
        if self._process is not None:
            self._process.send_signal(how or self.stop_signal)
            self._process.wait(self.stop_grace_s)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the server, as a crash would."""
        if self._process is None:
            return
        self._process.kill()
        self._process = None
        self._pid_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- steps -----------------------------------------------------------------------------------------------

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / f"{self.name}.pid"

    def _lock_folder(self, wait_s: float) -> int:
        """Lock the data folder: a descriptor. Raises ServerStartError when a live server keeps it."""
        descriptor = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        give_up = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() < give_up:
                    time.sleep(_POLL_S)
                    continue
                os.close(descriptor)
                pid = self._pid_file.read_text("ascii").strip() if self._pid_file.exists() else "unknown"
                raise ServerStartError(self.name, f"pid {pid} already runs from {self.data_dir}") from error
            else:
                self._pid_file.unlink(missing_ok=True)
                return descriptor

    def _start_on_some_port(self, lock: int, give_up: float) -> None:
        fixed = self._wanted_port or ports.kept(self.data_dir)
        if fixed is not None:
            if not ports.is_free(fixed):
                detail = f"port {fixed} is taken by another program; stop that, or choose another port"
                raise ServerStartError(self.name, detail)
            self._start_on(fixed, lock, give_up)
            return
        free = filter(ports.is_free, ports.candidates(str(self.data_dir)))
        for port in islice(free, _PORTS_TRIED):
            try:
                self._start_on(port, lock, give_up)
            except ServerStartError:
                # Another process may have taken the port since we looked; anything else fails on the next one too.
                if ports.is_free(port) or time.monotonic() > give_up:
                    raise
            else:
                return
        raise ServerStartError(self.name, "found no free port on 127.0.0.1")

    def _start_on(self, port: int, lock: int, give_up: float) -> None:
        with self.log_file.open("ab") as log:
            log_start = log.tell()
            self._process = child.spawn(
                self._command(port),
                output=log,
                env=server_environment(),
                cwd=self.data_dir,
                identity=self._identity,
                death_signal=self.death_signal,
                inherited=[lock],
            )
        try:
            self._pid_file.write_text(f"{self._process.pid}\n", "ascii")
            self._wait_for_answer(self._process, port, log_start, give_up)
            ports.keep(self.data_dir, port)
        except BaseException:
            self.kill()
            raise
        self._port = port

    def _wait_for_answer(self, process: child.Child, port: int, log_start: int, give_up: float) -> None:
        while not self._answers(process.pid, port):
            status = process.exit_status()
            if status is not None or time.monotonic() > give_up:
                what = "did not answer in time" if status is None else f"ended with status {status}"
                raise ServerStartError(self.name, f"{what}\n{self._last_lines(log_start)}")
            time.sleep(_POLL_S)

    def _last_lines(self, log_start: int) -> str:
        with self.log_file.open("rb") as log:
            log.seek(log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES_SHOWN:])


def server_environment() -> dict[str, str]:
    """Ours, without what would steer a Postgres of somebody else's, and with log messages in one language."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
