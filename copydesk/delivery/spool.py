"""The spool: what was accepted at the HTTP and feed doors or in bulk, on disk before it is told, until it is committed.

One file is one job: the bodies one after the other, then a manifest, then its length and checksum. It is written under
a temporary name, synced once, and renamed; a file without a whole foot was never accepted. Reading and removing take
the job's id only, so nothing outside the spool can be named.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from copydesk.delivery.disk import open_file, sync_folder, translated_errors
from copydesk.errors import InputTooLarge, MissingInput, SpoolUnavailable
from copydesk.models import Hints, Json
from copydesk.queue.jobs import Job, JobItem, Refusal

_ID = re.compile(r"^[a-z0-9]{1,64}$")
_FOOT = struct.Struct(">QI")
_SUFFIX = ".job"

_NO_FILE = frozenset({errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.EISDIR})

# Names of files being written: swept when they are this old, since their writer is gone.
_UNFINISHED_SUFFIX = ".writing"


@dataclass(frozen=True, slots=True)
class SpooledItem:
    """One body in a spool file."""

    id: str
    offset: int
    size: int
    sha256: str
    hints: Hints
    meta: Json | None
    refused: Refusal | None = None
    """In place of a body: why the door could not take it."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """One accepted job."""

    id: str
    source: str
    kind: str
    origin: str | None
    received_at: datetime
    items: tuple[SpooledItem, ...]

    def job(self) -> Job:
        """The job that carries these bodies, by reference."""
        items = tuple(
            JobItem(
                id=item.id,
                ref=None if item.refused else f"{self.id}/{number}",
                refused=item.refused,
                hints=item.hints,
                meta=item.meta,
            )
            for number, item in enumerate(self.items)
        )
        return Job.model_validate(
            {
                "v": 1,
                "id": self.id,
                "source": self.source,
                "kind": self.kind,
                "origin": self.origin,
                "received_at": self.received_at,
                "items": items,
            }
        )


class SpoolWriter:
    """Writes one job: `write` chunks of a body, `end_item` after each, `commit` at the end; or leave, and it is gone.

    A context manager. Every method raises `SpoolUnavailable` when the disk does not take it.
    """

    def __init__(self, spool: Path, job_id: str) -> None:
        if not _ID.match(job_id):
            raise ValueError(job_id)
        self._final = spool / f"{job_id}{_SUFFIX}"
        self._temporary = spool / f"{job_id}{_UNFINISHED_SUFFIX}"
        self._id = job_id
        self._items: list[SpooledItem] = []
        self._position = 0
        with translated_errors(self._temporary):
            spool.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self._temporary.open("wb")

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # a full disk refuses what is in the buffer once more
            self._file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink()

    @property
    def items(self) -> int:
        """How many bodies are whole."""
        return len(self._items)

    @property
    def size(self) -> int:
        """Bytes of the bodies so far."""
        return self._position

    def write(self, chunk: bytes) -> None:
        """Append to the body at hand."""
        with translated_errors(self._temporary):
            self._file.write(chunk)
        self._position += len(chunk)

    def end_item(
        self, item_id: str, sha256: str, hints: Hints, meta: Json | None, refused: Refusal | None = None
    ) -> None:
        """The body at hand is whole, or refused before it was written."""
        start = self._items[-1].offset + self._items[-1].size if self._items else 0
        self._items.append(SpooledItem(item_id, start, self._position - start, sha256, hints, meta, refused))

    def commit(self, *, source: str, kind: str, origin: str | None, received_at: datetime) -> Spooled:
        """Make it accepted: when this returns, a power cut does not lose it."""
        spooled = self.seal(source=source, kind=kind, origin=origin, received_at=received_at)
        publish([self])
        return spooled

    def seal(self, *, source: str, kind: str, origin: str | None, received_at: datetime) -> Spooled:
        """Bring it to the disk whole, and not yet accepted: `publish` does that, for several at once."""
        spooled = Spooled(self._id, source, kind, origin, received_at, tuple(self._items))
        manifest = json.dumps(_as_json(spooled)).encode("ascii")
        with translated_errors(self._temporary):
            self._file.write(manifest)
            self._file.write(_FOOT.pack(len(manifest), zlib.crc32(manifest)))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return spooled

    def accept(self) -> Path:
        """Give a sealed file its name; the folder is not synced yet."""
        with translated_errors(self._final):
            self._temporary.rename(self._final)
        return self._final


def publish(writers: Sequence[SpoolWriter]) -> None:
    """Make sealed jobs accepted, with one sync of their folder; all of them, or none where the disk refuses one."""
    accepted: list[Path] = []
    try:
        for writer in writers:
            accepted.append(writer.accept())
        for folder in {path.parent for path in accepted}:
            with translated_errors(folder):
                sync_folder(folder)
    except SpoolUnavailable:
        for path in accepted:
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def load(spool: Path, job_id: str) -> Spooled | None:
    """An accepted job; None when no file has its name (any more). Raises `SpoolUnavailable`."""
    if not _ID.match(job_id):
        return None
    path = spool / f"{job_id}{_SUFFIX}"
    try:
        with translated_errors(path), open_file(path) as file:
            return _read_manifest(file, job_id)
    except SpoolUnavailable as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _NO_FILE:
            return None
        raise


def ids(spool: Path) -> list[str]:
    """The id of every accepted job that was not removed yet, in no order. Raises `SpoolUnavailable`."""
    if not spool.exists():
        return []
    with translated_errors(spool):
        return [e.name.removesuffix(_SUFFIX) for e in os.scandir(spool) if e.name.endswith(_SUFFIX)]


def read(spool: Path, ref: str, limit: int) -> bytes:
    """The body that a `ref` stands for. Raises `MissingInput`, `InputTooLarge`, `SpoolUnavailable`."""
    job_id, _, number = ref.partition("/")
    spooled = load(spool, job_id)
    if spooled is None or not number.isdigit() or int(number) >= len(spooled.items):
        raise MissingInput(ref)
    item = spooled.items[int(number)]
    if item.size > limit:
        raise InputTooLarge(ref, f"{item.size:,} bytes, the limit is {limit:,}")
    path = spool / f"{job_id}{_SUFFIX}"
    with translated_errors(path), open_file(path) as file:
        file.seek(item.offset)
        return file.read(item.size)


def remove(spool: Path, job_ids: Iterable[str]) -> None:
    """Forget jobs whose outcome is committed. Repeating it is harmless."""
    for job_id in job_ids:
        if _ID.match(job_id):
            path = spool / f"{job_id}{_SUFFIX}"
            with translated_errors(path):
                path.unlink(missing_ok=True)


def sweep_unfinished(spool: Path, *, older_than: float) -> int:
    """Delete what was being written when its writer ended; `older_than` is a time.time(). Returns how many."""
    swept = 0
    if spool.exists():
        for path in spool.glob(f"*{_UNFINISHED_SUFFIX}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < older_than:
                    path.unlink()
                    swept += 1
    return swept


def _read_manifest(file: BinaryIO, job_id: str) -> Spooled | None:
    size = file.seek(0, os.SEEK_END)
    if size < _FOOT.size:
        return None
    file.seek(size - _FOOT.size)
    length, checksum = _FOOT.unpack(file.read(_FOOT.size))
    if length > size - _FOOT.size:
        return None
    file.seek(size - _FOOT.size - length)
    manifest = file.read(length)
    if zlib.crc32(manifest) != checksum:
        return None
    return _from_json(job_id, json.loads(manifest))


def _as_json(spooled: Spooled) -> Json:
    return {
        "source": spooled.source,
        "kind": spooled.kind,
        "origin": spooled.origin,
        "received_at": spooled.received_at.isoformat(),
        "items": [
            {
                "id": item.id,
                "offset": item.offset,
                "size": item.size,
                "sha256": item.sha256,
                "hints": item.hints.model_dump(exclude_none=True),
                "meta": item.meta,
                **({"refused": item.refused.model_dump()} if item.refused else {}),
            }
            for item in spooled.items
        ],
    }


def _from_json(job_id: str, manifest: Json) -> Spooled:
    items = tuple(
        SpooledItem(
            i["id"],
            i["offset"],
            i["size"],
            i["sha256"],
            Hints.model_validate(i["hints"]),
            i["meta"],
            Refusal.model_validate(i["refused"]) if "refused" in i else None,
        )
        for i in manifest["items"]
    )
    received_at = datetime.fromisoformat(manifest["received_at"])
    return Spooled(job_id, manifest["source"], manifest["kind"], manifest["origin"], received_at, items)
