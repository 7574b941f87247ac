"""Follow log files that other processes write, and show their whole lines on the terminal, each with its origin."""

from __future__ import annotations

from pathlib import Path
from typing import TextIO


class LogTail:
    """What a log file gets from now on, copied line by line to a terminal."""

    def __init__(self, log_file: Path, prefix: str, terminal: TextIO) -> None:
        self._log_file = log_file
        self._prefix = prefix
        self._terminal = terminal
        self._position = log_file.stat().st_size if log_file.exists() else 0
        self._begun = b""

    def copy_new_lines(self) -> None:
        """Write what has come since the last call. A log that became shorter was set aside: its successor is read."""
        try:
            with self._log_file.open("rb") as log:
                if log.seek(0, 2) < self._position:
                    self._position = 0
                log.seek(self._position)
                new = log.read()
        except FileNotFoundError:
            return
        self._position += len(new)
        *lines, self._begun = (self._begun + new).split(b"\n")
        for line in lines:
            self._terminal.write(f"{self._prefix}{line.decode(errors='replace')}\n")
        if lines:
            self._terminal.flush()


def last_lines(log_file: Path, count: int) -> str:
    """The last `count` lines of a log, "" when there is none."""
    try:
        lines = log_file.read_bytes().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])
