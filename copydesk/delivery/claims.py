"""The file protocol of the inbox: claim by rename, read by reference, settle by rename.

    inbox/<source>/<name>  ->  inbox/.work/<claim>/<n>  ->  inbox/<folder>/<source>/<date>/<name> + .outcome.json

A claim is one job: up to fifty files of one source. What is on its way is always a file in `.work` with a manifest
beside it, so a killed process, or a Redis that lost its memory, loses nothing. Files are renamed, never copied; links
are not followed; nothing outside the inbox is touched. Deciding when a file is complete is not done here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from copydesk.errors import InputTooLarge, MissingInput, SpoolUnavailable
from copydesk.models import Hints
from copydesk.queue.jobs import Job, JobItem

WORK = ".work"
MANIFEST = "claim.json"

# The folders that files end in; as first-level names they are not sources.
DONE, DUPLICATE, REJECTED, DEAD = "done", "duplicate", "rejected", "dead"
RESERVED = frozenset({WORK, DONE, DUPLICATE, REJECTED, DEAD})

# Files directly in the inbox belong to it.
ROOT_SOURCE = "inbox"

UNFINISHED_SUFFIXES = (".part", ".tmp")


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
        source = printable(self.source)
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
    """A file name in any bytes as text: what is not UTF-8 is written as \\xNN, so different names stay different."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


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
    `SpoolUnavailable`; what was not moved stays where it is.
    """
    folder = inbox / WORK / claim_id
    files = tuple(ClaimedFile(n, f.name, f.size, f.mtime_ns) for n, f in enumerate(found))
    taken = Claim(claim_id, found[0].source, received_at, files)
    with _translated_errors(folder):
        folder.mkdir(parents=True)
        _write_manifest(folder, taken)
        for number, file in enumerate(found):
            # Gone, or not ours to take: the manifest's entry without a file means just that.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                file.path.rename(folder / str(number))
        _sync_folder(folder)
        for parent in {file.path.parent for file in found}:
            _sync_folder(parent)
    return load(inbox, claim_id)


def load(inbox: Path, claim_id: str) -> Claim | None:
    """A claim with the files that are still in `.work`; an empty or half-made one is tidied away and gives None."""
    folder = inbox / WORK / claim_id
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        present = {int(entry.name) for entry in os.scandir(folder) if entry.name.isdigit()}
        files = tuple(
            ClaimedFile(f["n"], f["name"], f["size"], f["mtime_ns"]) for f in manifest["files"] if f["n"] in present
        )
    except (FileNotFoundError, ValueError, KeyError):
        # Nothing is claimed before the manifest is whole on disk.
        files = ()
    if not files:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return Claim(claim_id, manifest["source"], datetime.fromisoformat(manifest["received_at"]), files)


def outstanding(inbox: Path) -> list[Claim]:
    """Every claim in `.work`, oldest first."""
    work = inbox / WORK
    if not work.exists():
        return []
    found = [load(inbox, entry.name) for entry in os.scandir(work) if entry.is_dir(follow_symlinks=False)]
    return sorted((c for c in found if c), key=lambda c: (c.received_at, c.id))


def read(inbox: Path, ref: str, limit: int) -> bytes:
    """The bytes that a job's `ref` stands for.

    Raises `MissingInput` when there is no such file, `InputTooLarge` without reading it, `SpoolUnavailable` when the
    disk does not give it now.
    """
    path = inbox / WORK / ref
    try:
        with _translated_errors(path), path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise InputTooLarge(ref, f"{size:,} bytes, the limit is {limit:,}")
            return file.read(limit)
    except SpoolUnavailable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise MissingInput(ref) from error
        raise


def is_changed(inbox: Path, claim_id: str, file: ClaimedFile) -> bool:
    """Whether a claimed file was written to after it was claimed."""
    path = inbox / WORK / claim_id / str(file.number)
    with _translated_errors(path):
        status = path.stat()
    return (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns)


def offer_again(inbox: Path, old: Claim, file: ClaimedFile, *, claim_id: str, received_at: datetime) -> Claim | None:
    """Move one file of a claim into a claim of its own, as it is now."""
    path = inbox / WORK / old.id / str(file.number)
    with _translated_errors(path):
        status = path.stat()
    found = Found(path, old.source, file.name, status.st_size, status.st_mtime_ns)
    return claim(inbox, [found], claim_id=claim_id, received_at=received_at)


def settle_file(inbox: Path, claimed: Claim, file: ClaimedFile, folder: str, outcome: dict[str, object]) -> Path:
    """Write the outcome, then move the file beside it; returns where it stands. May be repeated after a kill."""
    place = inbox / folder / claimed.source / f"{claimed.received_at:%Y-%m-%d}"
    target = place / file.name
    if os.path.lexists(target) or os.path.lexists(_outcome_path(target)):
        target = target.with_name(_fitting(target.stem, f"~{claimed.id[-12:]}-{file.number}{target.suffix}"))
    text = json.dumps(outcome, ensure_ascii=False, indent=1)
    with _translated_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        _outcome_path(target).write_bytes(text.encode("utf-8", "backslashreplace") + b"\n")
        (inbox / WORK / claimed.id / str(file.number)).rename(target)
    return target


def discard_claim(inbox: Path, claim_id: str) -> None:
    """Remove the folder of a claim whose files have all moved on; one that still holds a file stays."""
    load(inbox, claim_id)


@contextlib.contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpoolUnavailable(str(path), str(error)) from error


def _outcome_path(target: Path) -> Path:
    return target.with_name(_fitting(target.name, ".outcome.json"))


def _fitting(stem: str, ending: str) -> str:
    """A file name of at most 255 bytes, the limit of the common file systems; the stem gives way."""
    room = 255 - len(os.fsencode(ending))
    return os.fsdecode(os.fsencode(stem)[:room]) + ending


def _top(inbox: Path) -> list[os.DirEntry[str]]:
    with _translated_errors(inbox):
        return [e for e in os.scandir(inbox) if not e.name.startswith(".") and e.name not in RESERVED]


def _scan_source(folder: Path, source: str) -> Iterator[Found]:
    for path, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(".")]
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


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
