"""What an archive holds, as a stream: members in their order, archives within it opened too, large lists cut.

Works forward through an open file in flat memory; writes nothing anywhere, so a name in an archive is only a label.
Links, devices and names that lead out are refused one by one. The same reader serves a small archive in memory
(`archive.py`) and the door that cuts a large one into jobs.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from copydesk.errors import BinaryInput, InputError, InputTooLarge, MalformedInput
from copydesk.formats.encoding import printable
from copydesk.formats.lists import cut, list_kind
from copydesk.formats.opening import PREFIX_BYTES, archive_kind
from copydesk.formats.tape import TapeEntry, tape_entries
from copydesk.formats.unpacking import FAULTS, OPENERS, Bounded, Budget

_SUFFIX = re.compile(r"\.(?:gz|gzip|bz2|xz|zst|zstd)$", re.IGNORECASE)
_LEADS_OUT = re.compile(r"^(?:[/\\]|[A-Za-z]:[/\\])|(?:^|[/\\])\.\.(?:[/\\]|$)")
_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX/)")

_ZIP_TAIL = 22 + 65_535
_CENTRAL_BYTES_EACH = 160


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one archive, whatever it holds."""

    member_bytes: int
    """Of one member or one record; a larger one is refused, the others go on."""
    unpacked_bytes: int
    """Of everything that comes out, archives within it counted again."""
    members: int
    depth: int = 3
    """Archives in archives; `a.tar.gz` is two."""
    zip_entries: int | None = field(default=None, repr=False)
    """Of one zip, whose directory is held in memory; None is as many as members."""


@dataclass(frozen=True, slots=True)
class Member:
    """One input out of an archive, or a run of records out of a list; or why it was refused."""

    position: str
    """Path within the archive, and the bytes of the run where the member was cut."""
    name: str
    data: bytes = b""
    error: InputError | None = None
    records: int = 1


def members(file: BinaryIO, name: str, limits: Limits) -> Iterator[Member]:
    """Every member in order; the file itself where it is no archive. `name` is what its sender calls it.

    Hidden members (`.name`, `__MACOSX/`) are passed over, as the inbox does. Damage that ends the reading comes as a
    last member with its error: what came before stands.
    """
    walk = _Walk(limits)
    try:
        yield from walk.open(file, name, name, 0)
    except InputError as error:
        yield Member(f"{name}!end", name, error=error)


class _Walk:
    """The state of one reading: how much may still come out, and how many members there were."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._budget = Budget(limits.unpacked_bytes)
        self._count = 0

    def open(self, file: BinaryIO, name: str, position: str, depth: int) -> Iterator[Member]:
        """The members of a stream, whatever it is."""
        stream = _Peekable(file)
        head = stream.peek(PREFIX_BYTES)
        kind = archive_kind(head, position)
        if kind and depth >= self._limits.depth:
            raise MalformedInput(position, f"archives in archives more than {self._limits.depth} deep")
        if kind == "zip":
            yield from self._zip(stream, position, depth)
        elif kind == "tar":
            for entry in tape_entries(stream, position):
                yield from self._entry(entry, position, depth)
        elif kind:
            opened = Bounded(OPENERS[kind](cast(BinaryIO, stream)), self._budget, position)
            inner = _SUFFIX.sub("", re.sub(r"\.(tgz|tbz2?|txz|tzst)$", ".tar", name, flags=re.IGNORECASE))
            yield from self.open(cast(BinaryIO, io.BufferedReader(opened)), inner, position, depth + 1)
        else:
            yield from self._plain(stream, name, position, head)

    def _plain(self, stream: _Peekable, name: str, position: str, head: bytes) -> Iterator[Member]:
        kind = list_kind(head, name)
        if kind:
            for run in cut(kind, cast(BinaryIO, stream), self._limits.member_bytes):
                self._take(position)
                yield Member(f"{position}:{run.start}-{run.end}", name, run.data, run.error, run.records)
            return
        self._take(position)
        limit = self._limits.member_bytes
        data = stream.read(limit + 1)
        if len(data) > limit:
            yield Member(position, name, error=InputTooLarge(position, f"more than {limit:,} bytes"))
        else:
            yield Member(position, name, data)

    def _take(self, position: str) -> None:
        self._count += 1
        if self._count > self._limits.members:
            raise InputTooLarge(position, f"more than {self._limits.members:,} members")

    def _inner(self, path: str, within: str, file: BinaryIO, depth: int) -> Iterator[Member]:
        """A member's own stream; what is wrong with it is its own affair, the next one goes on."""
        name, position = PurePosixPath(path).name or path, f"{within}!{path}"
        try:
            yield from self.open(file, name, position, depth + 1)
        except InputTooLarge:
            raise
        except InputError as error:
            self._take(position)
            yield Member(position, name, error=error)

    def _refuse(self, path: str, within: str, why: str) -> Member:
        position = f"{within}!{path}"
        self._take(position)
        return Member(position, PurePosixPath(path).name, error=MalformedInput(position, why))

    def _entry(self, entry: TapeEntry, within: str, depth: int) -> Iterator[Member]:
        path = printable(entry.path)
        fault = "its name leads out of the archive" if _LEADS_OUT.search(path) else entry.fault
        if entry.is_folder or (_HIDDEN.search(path) and not fault):
            return
        if fault:
            yield self._refuse(path, within, fault)
            return
        yield from self._inner(path, within, entry.file, depth)

    def _zip(self, stream: _Peekable, position: str, depth: int) -> Iterator[Member]:
        file = self._seekable(stream, position)
        _check_directory(file, position, self._limits.zip_entries or self._limits.members)
        try:
            archive = zipfile.ZipFile(file)
        except (*FAULTS, zipfile.BadZipFile, NotImplementedError, struct.error) as error:
            raise MalformedInput(position, f"{type(error).__name__}: {error}") from error
        for info in archive.infolist():
            path = printable(info.filename)
            mode = info.external_attr >> 16
            leads_out = _LEADS_OUT.search(path) is not None
            if info.is_dir() or (_HIDDEN.search(path) and not leads_out):
                continue
            if leads_out:
                yield self._refuse(path, position, "its name leads out of the archive")
            elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                yield self._refuse(path, position, "it is a link or a device, not a file")
            elif info.flag_bits & 1:
                yield self._refuse(path, position, "it is encrypted")
            else:
                yield from self._zip_member(archive, info, path, position, depth)

    def _zip_member(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: str, within: str, depth: int
    ) -> Iterator[Member]:
        try:
            opened = archive.open(info)
        except (*FAULTS, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            yield self._refuse(path, within, f"{type(error).__name__}: {error}")
            return
        with opened:
            bounded = Bounded(_Checked(cast(BinaryIO, opened)), self._budget, f"{within}!{path}")  # type: ignore[arg-type]  # reads only
            yield from self._inner(path, within, cast(BinaryIO, io.BufferedReader(bounded)), depth)

    def _seekable(self, stream: _Peekable, position: str) -> BinaryIO:
        """A zip is read from its end: one within another archive has to be in memory for it."""
        if stream.file.seekable() and stream.is_at_start:
            stream.file.seek(0)
            return stream.file
        limit = self._limits.member_bytes
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise MalformedInput(position, f"a zip archive in an archive may have {limit:,} bytes")
        return io.BytesIO(data)


class _Checked:
    """Gives a bad checksum as a fault that is known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except zipfile.BadZipFile as error:
            raise ValueError(str(error)) from error


class _Peekable:
    """A stream whose beginning can be looked at without taking it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self._head = b""
        self.is_at_start = True

    def peek(self, size: int) -> bytes:
        while len(self._head) < size and (more := self.file.read(size - len(self._head))):
            self._head += more
        return self._head

    def read(self, size: int = -1) -> bytes:
        self.is_at_start = False
        if size < 0:
            data, self._head = self._head, b""
            return data + self.file.read()
        data, self._head = self._head[:size], self._head[size:]
        while len(data) < size and (more := self.file.read(size - len(data))):
            data += more
        return data

    def seekable(self) -> bool:
        return False

    def readline(self, size: int) -> bytes:
        end = self._head.find(b"\n", 0, size)
        if end >= 0:
            return self.read(end + 1)
        if len(self._head) >= size:
            return self.read(size)
        self.is_at_start = False
        data, self._head = self._head, b""
        return data + self.file.readline(size - len(data))


def _check_directory(file: BinaryIO, subject: str, members_max: int) -> None:
    """Refuse a directory that is too long before the library reads it: it makes half a kilobyte of each entry."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _ZIP_TAIL))
    tail = file.read(_ZIP_TAIL)
    file.seek(0)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < 22:
        raise BinaryInput(subject, "zip archive without its directory: it is cut off")
    (count,) = struct.unpack_from("<H", tail, found + 10)
    (length,) = struct.unpack_from("<I", tail, found + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, found)
    if wide >= 0 and found - wide >= 56:
        (count,) = struct.unpack_from("<Q", tail, wide + 32)
        (length,) = struct.unpack_from("<Q", tail, wide + 40)
    if count > members_max or length > members_max * _CENTRAL_BYTES_EACH + 1_000_000:
        raise InputTooLarge(subject, f"{count:,} members, the limit is {members_max:,}")
