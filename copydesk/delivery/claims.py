"""The file protocol of the inbox: claim by rename, read by reference, settle by rename.

    inbox/<source>/<name>  ->  inbox/.work/<claim>/<n>  ->  inbox/<folder>/<source>/<date>/<name> + .outcome.json

A claim is one job: up to fifty files of one source. What is on its way is always a file in `.work` with a manifest
beside it, so a killed process, or a Redis that lost its memory, loses nothing. Files are renamed, never copied; links
are not followed; nothing outside the inbox is touched. Deciding when a file is complete is not done here.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from copydesk.delivery.disk import open_file, sync_folder, translated_errors
from copydesk.errors import InputTooLarge, MissingInput, SpoolUnavailable
from copydesk.models import Hints, Json
from copydesk.queue.jobs import Job, JobItem

log = structlog.get_logger(__name__)

WORK = ".work"
MANIFEST = "claim.json"

# The folders that files end in; as first-level names they are not sources.
DONE, DUPLICATE, REJECTED, DEAD = "done", "duplicate", "rejected", "dead"
RESERVED = frozenset({WORK, DONE, DUPLICATE, REJECTED, DEAD})

# Trying again would not help: no right to read it, a link, a folder.
_NEVER_READABLE = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.EISDIR, errno.ENOTDIR, errno.ENXIO})

# A longer one is no suffix but part of a name with a dot in it.
_SUFFIX_BYTES_KEPT = 16

# Files directly in the inbox belong to it.
ROOT_SOURCE = "inbox"

UNFINISHED_SUFFIXES = (".part", ".tmp")

# Deeper folders are passed over: `os.walk` recurses, and no sender nests like this.
DEPTH_MAX = 64

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# An ordinary folder's name has at most 255 bytes; only escapes make it longer.
_SOURCE_BYTES_MAX = 300
_SOURCE_KEPT = 60


@dataclass(frozen=True, slots=True)
class Found:
    """A file in the inbox that could be claimed."""

    path: Path
    source: str
    name: str
    """Path below the source's folder."""
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A file in `.work`, and what it was when it was claimed."""

    number: int
    name: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Files on their way as one job."""

    id: str
    source: str
    received_at: datetime
    files: tuple[ClaimedFile, ...]

    def job(self) -> Job:
        """The job that carries these files, by reference."""
        source = source_name(self.source)
        items = tuple(
            JobItem(
                id=f"{self.id}/{file.number}",
                ref=f"{self.id}/{file.number}",
                hints=Hints(filename=printable(file.name)),
            )
            for file in self.files
        )
        origin = printable(self.files[0].name) if len(self.files) == 1 else f"{len(self.files)} files"
        return Job(
            v=1, id=self.id, source=source, kind="file", origin=origin, received_at=self.received_at, items=items
        )


def printable(name: str) -> str:
    """A file name in any bytes as text: control characters and what is not UTF-8 are written as \\xNN."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def source_name(folder: str) -> str:
    """The source that a folder's name stands for; one of strange bytes may be too long, and is cut and told apart."""
    name = printable(folder)
    if len(name.encode()) <= _SOURCE_BYTES_MAX:
        return name
    return f"{name[:_SOURCE_KEPT]}~{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"


def scan(inbox: Path) -> Iterator[Found]:
    """Every file that could be claimed. Dot-names, `*.part`, `*.tmp`, links and special files are passed over.

    Raises `SpoolUnavailable` when the inbox itself cannot be read; a folder in it that cannot is left out.
    """
    for entry in _top(inbox):
        if entry.is_dir(follow_symlinks=False):
            yield from _scan_source(Path(entry.path), entry.name)
        else:
            found = _found(Path(entry.path), ROOT_SOURCE, entry.name)
            if found:
                yield found


def source_folders(inbox: Path) -> list[Path]:
    """The folder of each source. Raises `SpoolUnavailable`."""
    return [Path(entry.path) for entry in _top(inbox) if entry.is_dir(follow_symlinks=False)]


def claim(inbox: Path, found: Sequence[Found], *, claim_id: str, received_at: datetime) -> Claim | None:
    """Take files of one source into `.work`; None when none of them was there any more.

    The manifest is on disk before the first file moves, and the folders are synced before this returns. Raises
    `SpoolUnavailable` when no file could be moved (a folder on another file system, one without rights); what was not
    moved stays where it is.
    """
    folder = inbox / WORK / claim_id
    files = tuple(ClaimedFile(n, f.name, f.size, f.mtime_ns) for n, f in enumerate(found))
    taken = Claim(claim_id, found[0].source, received_at, files)
    refused: OSError | None = None
    with translated_errors(folder):
        folder.mkdir(parents=True)
        _write_manifest(folder, taken)
        sync_folder(folder)
        sync_folder(folder.parent)
        for number, file in enumerate(found):
            try:
                file.path.rename(folder / str(number))
            except FileNotFoundError:  # the manifest's entry without a file means just that
                continue
            except OSError as error:
                refused = error
        sync_folder(folder)
    for parent in {file.path.parent for file in found}:
        with contextlib.suppress(OSError):  # it may be gone; a crash would at worst offer the file once more
            sync_folder(parent)
    claimed = load(inbox, claim_id)
    if claimed is None and refused:
        raise SpoolUnavailable(printable(os.fspath(found[0].path)), str(refused)) from refused
    return claimed


def load(inbox: Path, claim_id: str) -> Claim | None:
    """A claim with the files that are still in `.work`; an empty or half-made one is tidied away and gives None.

    A file that no manifest explains is left alone, and said so. Raises `SpoolUnavailable`.
    """
    folder = inbox / WORK / claim_id
    with translated_errors(folder):
        try:
            present = {entry.name for entry in os.scandir(folder)}
            manifest = json.loads((folder / MANIFEST).read_bytes())
            claimed = _from_manifest(claim_id, manifest, present)
        except FileNotFoundError:
            claimed = None
        except (ValueError, KeyError, TypeError) as error:
            log.warning("a claim's manifest is damaged", folder=str(folder), error=str(error))
            claimed = None
        if claimed and claimed.files:
            return claimed
        _tidy(folder)
    return None


def outstanding(inbox: Path) -> list[Claim]:
    """Every claim in `.work` that can be read, oldest first. Raises `SpoolUnavailable`."""
    work = inbox / WORK
    if not work.exists():
        return []
    found = []
    with translated_errors(work):
        names = [entry.name for entry in os.scandir(work) if entry.is_dir(follow_symlinks=False)]
    for name in names:
        try:
            found.append(load(inbox, name))
        except SpoolUnavailable as error:  # one folder never hides the others
            log.warning("a claim cannot be read", error=str(error))
    return sorted((c for c in found if c), key=lambda c: (c.received_at, c.id))


def read(inbox: Path, ref: str, limit: int) -> bytes:
    """The bytes that a job's `ref` stands for.

    Raises `MissingInput` when there is no such file, `InputTooLarge` without reading it, `SpoolUnavailable` when the
    disk does not give it now.
    """
    path = inbox / WORK / ref
    with translated_errors(path):
        try:
            # A link or a pipe may have taken the file's place between the scan and the claim.
            file = open_file(path)
        except FileNotFoundError as error:
            raise MissingInput(ref) from error
        except OSError as error:
            if error.errno in _NEVER_READABLE:
                raise MissingInput(ref, str(error)) from error
            raise
        with file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise InputTooLarge(ref, f"{size:,} bytes, the limit is {limit:,}")
            return file.read(limit)


def is_changed(inbox: Path, claim_id: str, file: ClaimedFile) -> bool:
    """Whether a claimed file was written to after it was claimed."""
    path = inbox / WORK / claim_id / str(file.number)
    with translated_errors(path):
        status = path.lstat()
    return (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)


def offer_again(inbox: Path, old: Claim, file: ClaimedFile, *, claim_id: str, received_at: datetime) -> Claim | None:
    """Move one file of a claim into a claim of its own, as it is now."""
    path = inbox / WORK / old.id / str(file.number)
    with translated_errors(path):
        status = path.lstat()
    found = Found(path, old.source, file.name, status.st_size, status.st_mtime_ns)
    return claim(inbox, [found], claim_id=claim_id, received_at=received_at)


def settle_file(inbox: Path, claimed: Claim, file: ClaimedFile, folder: str, outcome: dict[str, object]) -> Path:
    """Write the outcome, then move the file beside it; returns where it stands. May be repeated after a kill."""
    place = inbox / folder / claimed.source / f"{claimed.received_at:%Y-%m-%d}"
    mark = f"~{claimed.id[-12:]}-{file.number}"
    text = json.dumps(outcome, ensure_ascii=False, indent=1).encode("utf-8", "backslashreplace") + b"\n"
    with translated_errors(place / file.name):
        try:
            target = place / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):  # a file stands where the name has a folder
            target = place / mark / file.name
            target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target) or not _is_free(_outcome_path(target), text):
            suffix = target.suffix if len(os.fsencode(target.suffix)) <= _SUFFIX_BYTES_KEPT else ""
            target = target.with_name(_fitting(target.stem, f"{mark}{suffix}"))
        _write_whole(_outcome_path(target), text, f".{claimed.id}-{file.number}.outcome.json")
        (inbox / WORK / claimed.id / str(file.number)).rename(target)
    return target


def _write_whole(path: Path, data: bytes, temporary_name: str) -> None:
    """Write a file, or none: half of an outcome would be taken for another file's, and move its own to another name."""
    temporary = path.with_name(temporary_name)
    try:
        temporary.write_bytes(data)
        temporary.rename(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _is_free(path: Path, text: bytes) -> bool:
    """Whether an outcome may stand here: nothing does, or what was written before a kill."""
    return not os.path.lexists(path) or (path.is_file() and not path.is_symlink() and path.read_bytes() == text)


def _from_manifest(claim_id: str, manifest: Json, present: Collection[str]) -> Claim:
    files = tuple(
        ClaimedFile(int(f["n"]), str(f["name"]), int(f["size"]), int(f["mtime_ns"]))
        for f in manifest["files"]
        if str(f["n"]) in present
    )
    return Claim(claim_id, str(manifest["source"]), datetime.fromisoformat(manifest["received_at"]), files)


def _tidy(folder: Path) -> None:
    """Remove a claim's folder unless a file is in it."""
    try:
        if not [entry for entry in os.scandir(folder) if entry.name != MANIFEST]:
            (folder / MANIFEST).unlink(missing_ok=True)
            folder.rmdir()
            return
    except FileNotFoundError:
        return
    log.error("files in the inbox's work folder belong to no claim: move them back by hand", folder=str(folder))


def discard_claim(inbox: Path, claim_id: str) -> None:
    """Remove the folder of a claim whose files have all moved on; one that still holds a file stays."""
    load(inbox, claim_id)


def _outcome_path(target: Path) -> Path:
    return target.with_name(_fitting(target.name, ".outcome.json"))


def _fitting(stem: str, ending: str) -> str:
    """A file name of at most 255 bytes, the limit of the common file systems; the stem gives way, letter by letter."""
    data = os.fsencode(stem)
    room = 255 - len(os.fsencode(ending))
    if len(data) > room:
        while room and data[room] & 0xC0 == 0x80:  # within a letter of UTF-8
            room -= 1
    return os.fsdecode(data[:room]) + ending


def _top(inbox: Path) -> list[os.DirEntry[str]]:
    with translated_errors(inbox):
        return [e for e in os.scandir(inbox) if not e.name.startswith(".") and e.name not in RESERVED]


def _scan_source(folder: Path, source: str) -> Iterator[Found]:
    for path, folders, names in os.walk(folder, followlinks=False):
        is_deep = len(Path(path).relative_to(folder).parts) >= DEPTH_MAX
        folders[:] = [name for name in folders if not name.startswith(".") and not is_deep]
        for name in names:
            if name.startswith("."):
                continue
            full = Path(path) / name
            found = _found(full, source, str(full.relative_to(folder)))
            if found:
                yield found


def _found(path: Path, source: str, name: str) -> Found | None:
    if name.lower().endswith(UNFINISHED_SUFFIXES):
        return None
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return Found(path, source, name, status.st_size, status.st_mtime_ns)


def _write_manifest(folder: Path, taken: Claim) -> None:
    manifest = {
        "source": taken.source,
        "received_at": taken.received_at.isoformat(),
        "files": [{"n": f.number, "name": f.name, "size": f.size, "mtime_ns": f.mtime_ns} for f in taken.files],
    }
    path = folder / MANIFEST
    with path.open("wb") as file:
        # ASCII, so that a name in any bytes (a lone surrogate here) survives the round trip.
        file.write(json.dumps(manifest).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
