"""What a bulk run takes in: a list of its files, written once, and the documents in them, in the same order each time.

The list is on disk and the files are read as they come, so memory stays flat however many there are. Files are only
read: nothing is moved, and links that are met on the way are not followed. Handing over is done in `bulk.py`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from copydesk.delivery.claims import DEPTH_MAX, UNFINISHED_SUFFIXES, printable
from copydesk.delivery.disk import sync_folder, translated_errors
from copydesk.delivery.full_text import hints_of
from copydesk.errors import EmptyInput, FetchError, MissingInput, UsageError
from copydesk.fetching import Fetched
from copydesk.formats.members import Limits, Member, members
from copydesk.models import Hints

# Names that are sorted at once: a larger folder is taken in runs of as many, so that its names need 20 MB at most.
SORTED_AT_ONCE = 100_000

_READ_BYTES = 64 * 1024
_WRITING = ".writing"
_ADDRESSES = ("http://", "https://")


class Listing(NamedTuple):
    """What was found where the operator pointed."""

    inputs: int
    unreadable: list[str]
    """The first hundred folders that could not be looked into."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far a run has come: everything before it is accepted."""

    offset: int = 0
    """Bytes of the list before the input in hand."""
    members: int = 0
    """Of the input in hand, how many were passed."""
    inputs: int = 0
    """How many were passed whole."""
    state: tuple[int, int] | None = None
    """Size and mtime (ns) of the input in hand, where some of its members were passed."""


@dataclass(frozen=True, slots=True)
class Document:
    """One input of a job: an article, a run of records, or a member with the error that it is refused with."""

    member: Member
    hints: Hints
    read_bytes: int
    """Of the file that it is from, as the disk has it."""
    state: tuple[int, int] | None = None
    """What that file was when it was opened: size and mtime (ns)."""


def write_list(target: Path, given: Sequence[str]) -> Listing:
    """Write down every file that is meant by paths and addresses; the list is whole or not there.

    A folder means the files below it, by name, without dot-names, `*.part`, `*.tmp`, links and special files. Raises
    `UsageError` for a path that is not there, `SpoolUnavailable`.
    """
    unreadable: list[str] = []
    count = 0
    writing = target.with_name(target.name + _WRITING)
    with translated_errors(target), writing.open("wb") as file:
        for one in given:
            for path, name in _meant(one, unreadable):
                file.write(b"%d:%b\0" % (len(os.fsencode(name)), os.fsencode(path)))
                count += 1
        file.flush()
        os.fsync(file.fileno())
        writing.rename(target)
        sync_folder(target.parent)
    return Listing(count, unreadable)


def documents(
    listed: Path, start: Place, limits: Limits, fetch: Callable[[str], Fetched]
) -> Iterator[tuple[Document, Place]]:
    """Everything behind a place in the order of the list, each with the place behind it.

    What cannot be read comes as a refused document. `fetch` reads an address. Raises `UsageError` where the input in
    hand is not what it was, `SpoolUnavailable` where the list cannot be read.
    """
    passed, state = start.members, start.state
    inputs = start.inputs
    offset = start.offset
    for path, name, end in _entries(listed, start.offset):
        own = _of_address(path, fetch) if path.startswith(_ADDRESSES) else _of_file(path, name, limits, passed, state)
        for document, is_last in _telling_the_last(own):
            passed += 1
            yield document, Place(end, 0, inputs + 1) if is_last else Place(offset, passed, inputs, document.state)
        offset, passed, state = end, 0, None
        inputs += 1


def _telling_the_last(found: Iterator[Document]) -> Iterator[tuple[Document, bool]]:
    held = next(found, None)
    while held is not None:
        following = next(found, None)
        yield held, following is None
        held = following


def _meant(given: str, unreadable: list[str]) -> Iterator[tuple[str, str]]:
    """(path, name) of each file; an address is both."""
    if given.startswith(_ADDRESSES):
        yield given, given
        return
    path = Path(given).absolute()
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UsageError(given, str(error.strerror)) from error
    if stat.S_ISDIR(mode):
        yield from _below(os.fspath(path), "", unreadable, 0)
    elif stat.S_ISREG(mode):
        yield os.fspath(path), path.name
    else:
        raise UsageError(given, "neither a file nor a folder")


def _below(folder: str, prefix: str, unreadable: list[str], depth: int) -> Iterator[tuple[str, str]]:
    try:
        found = os.scandir(folder)
    except OSError as error:
        if len(unreadable) < 100:
            unreadable.append(f"{printable(folder)}: {error.strerror}")
        return
    with found:
        while run := sorted(islice(found, SORTED_AT_ONCE), key=lambda entry: entry.name):
            for entry in run:
                if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED_SUFFIXES):
                    continue
                if entry.is_file(follow_symlinks=False):
                    yield entry.path, prefix + entry.name
                elif entry.is_dir(follow_symlinks=False) and depth < DEPTH_MAX:
                    yield from _below(entry.path, f"{prefix}{entry.name}/", unreadable, depth + 1)


def _entries(listed: Path, offset: int) -> Iterator[tuple[str, str, int]]:
    """(path, name, place of the next) of every entry of a list from a place on."""
    with translated_errors(listed), listed.open("rb") as file:
        file.seek(offset)
        held = b""
        while chunk := file.read(_READ_BYTES):
            *whole, held = (held + chunk).split(b"\0")
            for entry in whole:
                offset += len(entry) + 1
                length, _, path = entry.partition(b":")
                name = path[len(path) - int(length) :]
                yield os.fsdecode(path), os.fsdecode(name), offset


def _of_address(url: str, fetch: Callable[[str], Fetched]) -> Iterator[Document]:
    try:
        fetched = fetch(url)
        yield Document(Member(url, url, fetched.body), hints_of(fetched), len(fetched.body))
    except FetchError as error:
        yield Document(Member(url, url, error=MissingInput(url, str(error))), Hints(url=url), 0)


def _of_file(path: str, name: str, limits: Limits, passed: int, state: tuple[int, int] | None) -> Iterator[Document]:
    """The documents of a file behind those that were passed."""
    shown = printable(name)
    whole = Hints(filename=shown)
    try:
        # A pipe or device may have taken the file's place: without O_NONBLOCK, opening it would wait for ever.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                yield Document(Member(shown, shown, error=MissingInput(shown, "it is not a file")), whole, 0)
                return
            now = (status.st_size, status.st_mtime_ns)
            if passed and now != state:
                raise UsageError(
                    shown, "it has changed since the run came to it: begin anew (--anew), what is stored is known"
                )
            count = 0
            for count, member in enumerate(members(file, shown, limits), start=1):
                if count > passed:
                    yield Document(member, Hints(filename=member.name or None), file.tell(), now)
            if not count:
                yield Document(Member(shown, shown, error=EmptyInput(shown)), whole, 0)
    except OSError as error:
        yield Document(Member(shown, shown, error=MissingInput(shown, str(error))), whole, 0)
