"""Parsing in a child with limits: what could take long or much memory there ends as a refusal, not as a dead worker.

The child is this module as a program: it lives on between inputs, gets one on its standard input and answers on its
standard output. Only large inputs and archives go there, so that the common path pays nothing (docs/benchmarks.md).
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from typing import IO

import structlog

from copydesk import formats
from copydesk.errors import CopydeskError, LimitExceeded
from copydesk.formats.opening import ARCHIVES
from copydesk.models import Hints, Parsed

log = structlog.get_logger(__name__)

RISKY_BYTES = 512 * 1024
"""From here on an input goes to the child. The largest page of 632 open news pages has 3.4 MB, the median 0.2."""

# What the interpreter with every parser loaded maps before the first input; the limit is for what comes on top.
_BASE_BYTES = 512 * 1024 * 1024
# A child that has grown to this is replaced once it has answered.
_REPLACED_FROM_BYTES = 400 * 1024 * 1024

_LENGTH = struct.Struct(">Q")
_MAGIC = tuple(first for first, _ in ARCHIVES)
_PIECE = 1024 * 1024


def is_risky(data: bytes) -> bool:
    """Whether an input is parsed in the child: by its size, or because it could unpack to any size."""
    if len(data) >= RISKY_BYTES:
        return True
    return data.startswith(_MAGIC) or b"<!ENTITY" in data[:16384]


class LimitedParser:
    """`formats.parse` within bounds. One input at a time; the child is started when it is first needed."""

    def __init__(self, *, seconds: float, memory_bytes: int) -> None:
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None

    def parse(self, data: bytes, hints: Hints) -> list[Parsed]:
        """As `formats.parse`; raises LimitExceeded as well."""
        if not is_risky(data):
            return formats.parse(data, hints)
        subject = hints.filename or hints.url or ""
        answer = self._ask(pickle.dumps((data, hints)), subject)
        found = pickle.loads(answer)  # noqa: S301 - written by our own child
        if isinstance(found, BaseException):
            raise found
        return list(found)

    def stop(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe:
                    pipe.close()
            self._child = None

    def _ask(self, question: bytes, subject: str) -> bytes:
        child = self._running()
        assert child.stdin is not None  # noqa: S101 - both are pipes
        assert child.stdout is not None  # noqa: S101 - as above
        ends = time.monotonic() + self._seconds
        try:
            child.stdin.write(_LENGTH.pack(len(question)))
            child.stdin.write(question)
            child.stdin.flush()
            head = _read(child.stdout, _LENGTH.size, ends)
            return _read(child.stdout, _LENGTH.unpack(head)[0], ends)
        except TimeoutError as error:
            self.stop()
            raise LimitExceeded(subject, f"parsing took more than {self._seconds:g} s") from error
        except (OSError, EOFError) as error:
            status = child.wait()
            self.stop()
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            raise LimitExceeded(subject, f"the parser's process ended {how}") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is not None:
            self.stop()
        if self._child is None:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "copydesk.delivery.limited", str(self._seconds), str(self._memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
            assert self._child.stdout is not None  # noqa: S101 - a pipe
            _read(self._child.stdout, 1, time.monotonic() + 60)  # loading the parsers is not the input's time
        return self._child


def _read(pipe: IO[bytes], size: int, ends: float) -> bytes:
    """Exactly so many bytes. Raises TimeoutError, EOFError."""
    descriptor = pipe.fileno()
    parts = []
    while size:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, ends - time.monotonic()))
        if not ready:
            raise TimeoutError
        part = os.read(descriptor, min(size, _PIECE))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _serve(seconds: float, memory_bytes: int) -> None:
    """The child's loop: ends with its parent, with its alarm, or when it has grown."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints does not mix with the answers
    bound = _BASE_BYTES + memory_bytes
    with contextlib.suppress(ValueError, OSError):  # macOS knows the limit and does not set it
        resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    formats.parse(b"<html><body><p>Loads what parsers load late.</p></body></html>", Hints(filename="a.html"))
    sink.write(b"!")
    sink.flush()
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        question = source.read(_LENGTH.unpack(head)[0])
        signal.setitimer(signal.ITIMER_REAL, seconds + 1)  # in case nobody waits for the answer any more
        answer = _answer(question)
        signal.setitimer(signal.ITIMER_REAL, 0)
        del question
        sink.write(_LENGTH.pack(len(answer)))
        sink.write(answer)
        sink.flush()
        del answer
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > _REPLACED_FROM_BYTES:
            return


def _answer(question: bytes) -> bytes:
    subject = ""
    try:
        data, hints = pickle.loads(question)  # noqa: S301 - written by our parent
        subject = hints.filename or hints.url or ""
        return pickle.dumps(formats.parse(data, hints), pickle.HIGHEST_PROTOCOL)
    except CopydeskError as error:
        return pickle.dumps(error)
    except MemoryError:
        return pickle.dumps(LimitExceeded(subject, "parsing took more memory than one input may"))
    except Exception as error:  # noqa: BLE001 - the border of the process: the parent raises it as its own
        return pickle.dumps(RuntimeError(f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    _serve(float(sys.argv[1]), int(sys.argv[2]))
