"""Start child processes that end when we end, whoever ends us.

On Linux the kernel signals a child when the *thread* that forked it ends, so one thread that lives as long as this
process does all the forking. On other systems a child outlives a killed parent.
Decides nothing about restarts: see `copydesk.supervisor`.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import IO, TypeAlias

from copydesk.embedded import launcher
from copydesk.embedded.identity import SAME, Identity

_Popen: TypeAlias = "subprocess.Popen[bytes]"
_Call: TypeAlias = "tuple[Callable[[], _Popen], Future[_Popen]]"


class _Forker:
    """The thread that forks. A daemon, so that it is the last to go and never holds up the exit."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[_Call] = queue.SimpleQueue()
        threading.Thread(target=self._serve, name="forker", daemon=True).start()

    def _serve(self) -> None:
        while True:
            call, answer = self._calls.get()
            try:
                answer.set_result(call())
            except Exception as error:  # noqa: BLE001 - raised again in the caller, who waits for it
                answer.set_exception(error)

    def run(self, call: Callable[[], _Popen]) -> _Popen:
        answer: Future[_Popen] = Future()
        self._calls.put((call, answer))
        return answer.result()


class _Nursery:
    """Holds this process's forker; a forked copy of the process makes its own, as threads do not survive a fork."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._forker: _Forker | None = None

    def forker(self) -> _Forker:
        with self._lock:
            if self._forker is None:
                self._forker = _Forker()
            return self._forker


_nursery = _Nursery()
os.register_at_fork(after_in_child=_nursery.forget)


class Child:
    """A running child that leads a process group. Once the child has ended, the rest of its group is killed.

    That happens in the moment we learn of the end: later, another process might have the number.
    """

    def __init__(self, process: _Popen) -> None:
        self._process = process
        self.pid = process.pid

    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        known = self._process.returncode
        status = self._process.poll()
        if known is None and status is not None:
            self._signal_group(signal.SIGKILL)
        return status

    def wait(self, within_s: float) -> int | None:
        """Its exit status, None when it still runs after `within_s`."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within_s)
            self._signal_group(signal.SIGKILL)
        return self._process.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the child alone. No-op when it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """End the child and its group now. No-op when it has ended."""
        if self.exit_status() is None:
            self._signal_group(signal.SIGKILL)
            self._process.wait()

    def finish(self, given: bytes, deadline_s: float) -> bytes:
        """Hand `given` to its stdin and return all it prints, for a child that was spawned with pipes.

        Raises subprocess.TimeoutExpired, after killing it, past `deadline_s`.
        """
        try:
            printed, _ = self._process.communicate(given, timeout=deadline_s)
        finally:
            self.kill()
        return printed

    def _signal_group(self, number: signal.Signals) -> None:
        # macOS answers EPERM for a group that holds nothing but zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)


def spawn(
    argv: Sequence[str],
    *,
    output: IO[bytes] | int,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int = subprocess.DEVNULL,
    identity: Identity = SAME,
    death_signal: signal.Signals = signal.SIGKILL,
    inherited: Sequence[int] = (),
) -> Child:
    """Start `argv` in its own session, stdout and stderr to `output`.

    `death_signal` is what it gets when this process dies (Linux). `inherited` are file descriptors it keeps. The
    program itself failing to start shows as exit status 125 to 127, with a line in `output`: see `launcher`.
    """
    command = [sys.executable, "-I", "-S", launcher.__file__]
    command += [str(os.getpid()), str(int(death_signal)), str(identity), *argv]

    def fork() -> _Popen:
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            pass_fds=tuple(inherited),
            start_new_session=True,
        )

    return Child(_nursery.forker().run(fork))


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    given: bytes = b"",
    identity: Identity = SAME,
    inherited: Sequence[int] = (),
    deadline_s: float = 120.0,
) -> tuple[int, str]:
    """Run `argv` to its end with `given` on its stdin: exit status and everything it printed.

    Raises subprocess.TimeoutExpired, after killing it, past `deadline_s`.
    """
    process = spawn(
        argv,
        output=subprocess.PIPE,
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        identity=identity,
        inherited=inherited,
    )
    printed = process.finish(given, deadline_s)
    return process.exit_status() or 0, printed.decode(errors="replace")
