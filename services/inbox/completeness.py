"""When a file in the inbox is complete: closed or renamed in, or unchanged for a while. Pure but for its memory."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from copydesk.delivery.claims import Found

# A file that is being written, and whose writer only paused, waits for its end this much longer than one of which no
# event told; the end may have been missed, so it does not wait for ever.
OPEN_FACTOR = 15


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
        self._closed_before: set[str] = set()
        self._open: set[str] = set()

    def finished(self, path: str) -> None:
        """An event said that the writer closed the file, or that it was renamed to this name."""
        self._finished.add(path)
        self._closed_before.add(path)
        self._open.discard(path)

    def opened(self, path: str) -> None:
        """An event said that the file was changed; once it was closed that may be no more than its times or rights."""
        self._finished.discard(path)
        self._seen.pop(path, None)
        if path not in self._closed_before:
            self._open.add(path)

    def is_complete(self, found: Found, now: float) -> bool:
        """Whether to claim the file now."""
        path = os.fspath(found.path)
        if path in self._finished:
            return True
        seen = self._seen.get(path)
        if seen is None or (seen.size, seen.mtime_ns) != (found.size, found.mtime_ns):
            self._seen[path] = _Seen(found.size, found.mtime_ns, now)
            return False
        return now - seen.since >= self._grace_s * (OPEN_FACTOR if path in self._open else 1)

    def forget_all_but(self, paths: Collection[str]) -> None:
        """Keep memory bounded: forget files that are not in the inbox any more."""
        self._seen = {p: s for p, s in self._seen.items() if p in paths}
        for remembered in (self._finished, self._closed_before, self._open):
            remembered.intersection_update(paths)

    def forget(self, path: str) -> None:
        """The file was claimed."""
        self._seen.pop(path, None)
        for remembered in (self._finished, self._closed_before, self._open):
            remembered.discard(path)
