"""File events, where the system has them, for quicker claims. Scanning finds every file without them."""

from __future__ import annotations

import platform
import threading
from pathlib import Path

import structlog
from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers.api import BaseObserver

from services.inbox.completeness import Completeness

log = structlog.get_logger(__name__)


class _Handler(FileSystemEventHandler):
    def __init__(self, completeness: Completeness, lock: threading.Lock, wake: threading.Event) -> None:
        self._completeness = completeness
        self._lock = lock
        self._wake = wake

    def on_closed(self, event: FileSystemEvent) -> None:
        self._finish(event.src_path)

    def on_moved(self, event: FileSystemEvent) -> None:
        self._finish(event.dest_path)

    def on_modified(self, event: FileSystemEvent) -> None:
        if not event.is_directory:
            with self._lock:
                self._completeness.opened(_path(event.src_path))

    def _finish(self, path: bytes | str) -> None:
        if path:
            with self._lock:
                self._completeness.finished(_path(path))
            self._wake.set()


class Watch:
    """Listens to the inbox and to each source's folder, but not to the folders where files end."""

    def __init__(self, inbox: Path, completeness: Completeness, lock: threading.Lock, wake: threading.Event) -> None:
        self._handler = _Handler(completeness, lock, wake)
        self._covered: set[Path] = set()
        self._observer: BaseObserver | None = None
        try:
            self._observer = _observer()
            self._observer.schedule(self._handler, str(inbox), recursive=False)
            self._observer.start()
        except OSError as error:  # no inotify instances or watches left
            log.warning("no file events, the inbox is scanned instead", error=str(error))
            self._observer = None

    def cover(self, folders: set[Path]) -> None:
        """Listen to these source folders too."""
        if self._observer is None:
            return
        for folder in folders - self._covered:
            try:
                self._observer.schedule(self._handler, str(folder), recursive=True)
            except OSError as error:
                log.warning("no file events for a folder, it is scanned instead", folder=str(folder), error=str(error))
        # A folder that was deleted and made again needs a new watch.
        self._covered = set(folders)

    def stop(self) -> None:
        """Stop listening."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(timeout=5)


def _observer() -> BaseObserver:
    if platform.system() == "Linux":
        from watchdog.observers.inotify import InotifyObserver

        # Full events: a file moved in from outside the inbox arrives as a move, not as a creation that never closes.
        return InotifyObserver(generate_full_events=True)
    from watchdog.observers import Observer

    return Observer()


def _path(path: bytes | str) -> str:
    return path.decode("utf-8", "surrogateescape") if isinstance(path, bytes) else path
