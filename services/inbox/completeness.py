"""When a file in the inbox is complete: closed or renamed in, or unchanged for a while. Pure but for its memory."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from copydesk.delivery.claims import Found


@dataclass(frozen=True, slots=True)
class _Seen:
    size: int
    mtime_ns: int
    since: float


class Completeness:
    """Remembers what files looked like. Times are monotonic seconds."""

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._seen: dict[str, _Seen] = {}
        self._finished: set[str] = set()

    def finished(self, path: str) -> None:
        """An event said that the writer closed the file, or that it was renamed to this name."""
        self._finished.add(path)

    def opened(self, path: str) -> None:
        """An event said that the file is being written (again)."""
        self._finished.discard(path)
        self._seen.pop(path, None)

    def is_complete(self, found: Found, now: float) -> bool:
        """Whether to claim the file now."""
        path = os.fspath(found.path)
        if path in self._finished:
            return True
        seen = self._seen.get(path)
        if seen is None or (seen.size, seen.mtime_ns) != (found.size, found.mtime_ns):
            self._seen[path] = _Seen(found.size, found.mtime_ns, now)
            return False
        return now - seen.since >= self._grace_s

    def forget_all_but(self, paths: Collection[str]) -> None:
        """Keep memory bounded: forget files that are not in the inbox any more."""
        self._seen = {p: s for p, s in self._seen.items() if p in paths}
        self._finished &= set(paths)

    def forget(self, path: str) -> None:
        """The file was claimed."""
        self._seen.pop(path, None)
        self._finished.discard(path)

    @property
    def has_waiting(self) -> bool:
        """Whether a file was seen that is not complete yet."""
        return bool(self._seen)
