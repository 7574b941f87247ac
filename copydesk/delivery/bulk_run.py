"""A bulk run as it stands on disk: which inputs, and how far it has come, so that a killed one goes on where it was.

    <folder>/<key>/list         every file of the run
    <folder>/<key>/place.json   how far it is accepted
    <folder>/<key>/lock         held by the process that is at it

The folder is in the spool, where the jobs are too: it outlives a container. The key stands for the source and the
paths: the same command finds its run again.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from copydesk.delivery import bulk_inputs
from copydesk.delivery.bulk_inputs import Listing, Place
from copydesk.delivery.disk import read_json, translated_errors, write_json
from copydesk.errors import UsageError
from copydesk.queue.jobs import new_id

_LIST, _PLACE, _LOCK = "list", "place.json", "lock"


@dataclass(slots=True)
class Progress:
    """What is known of a run; all of it is on disk."""

    run_id: str
    inputs: int
    """Files and addresses in all."""
    unreadable: list[str]
    """Folders that could not be looked into."""
    place: Place
    """Everything before it is accepted."""
    jobs: int = 0
    """That are accepted; they are numbered from 0."""
    documents: int = 0
    """That were handed over, records of lists counted each."""
    refused: int = 0
    """Of these, those that could not be read; each is recorded as rejected."""
    is_handed_over: bool = False


class BulkRun:
    """One run, locked for this process. A context manager."""

    def __init__(self, folder: Path, source: str, given: Sequence[str]) -> None:
        """Nothing is read before the run is entered. Paths count from the working directory."""
        named = [one if "://" in one else str(Path(one).absolute()) for one in given]
        key = hashlib.sha256("\0".join([source, *named]).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        self._folder = folder / key
        self._given = list(given)
        self.source = source
        self.is_resumed = False
        self.progress: Progress

    @property
    def listed(self) -> Path:
        """The list of its inputs."""
        return self._folder / _LIST

    def only_path(self) -> Path:
        """What the operator pointed at first."""
        return Path(self._given[0])

    def __enter__(self) -> Self:
        """Take the lock. Raises `UsageError` where another process is at the run, `SpoolUnavailable`."""
        with translated_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self._folder / _LOCK).open("wb")
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._lock.close()
                raise UsageError(", ".join(self._given), "another process is at this run") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.close()

    def begin(self, *, anew: bool) -> None:
        """Take up the run where it was left, or begin it where there is none, or `anew`. Raises as `write_list`."""
        found = None if anew else self._load()
        if found is not None:
            self.progress, self.is_resumed = found, True
            return
        with translated_errors(self._folder):
            (self._folder / _PLACE).unlink(missing_ok=True)
        listing: Listing = bulk_inputs.write_list(self.listed, self._given)
        self.progress = Progress(new_id(), listing.inputs, listing.unreadable, Place())
        self.save()

    def save(self) -> None:
        """Bring the progress to the disk. Raises `SpoolUnavailable`."""
        write_json(self._folder / _PLACE, asdict(self.progress))

    def forget(self) -> None:
        """The run is over: the same command begins another."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _load(self) -> Progress | None:
        found = read_json(self._folder / _PLACE)
        if found is None:
            return None
        state = found["place"]["state"]
        place = Place(**{**found["place"], "state": tuple(state) if state else None})
        return Progress(**{**found, "place": place})
