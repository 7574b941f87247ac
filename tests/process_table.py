"""Processes of the tests' own, and questions about those that are not our children."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def bystander(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Run `command`, its output to be read, and kill it at the end whatever has happened."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def has_ended(pid: int) -> bool:
    """Whether nothing runs as `pid` any more; a dead process that init has not yet collected has ended."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] in {"", "Z"}


def children_of(pid: int) -> list[int]:
    """The process ids of its children, living or dead."""
    shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in shown.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == pid]


def resident_bytes(pid: int) -> int:
    """Memory of a process that is in RAM, 0 when it has ended."""
    shown = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return 1024 * int(shown.stdout.strip() or 0)
