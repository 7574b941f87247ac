"""tar, read forward header by header with the standard library's own header parser.

`tarfile` itself keeps every header and reads a name of any length into memory; here both are bounded, and sparse files
and what is no file at all are refused one by one.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol, cast

from copydesk.errors import MalformedInput

_BLOCK = 512
_NAME_BYTES_MAX = 64 * 1024
_SKIP = 64 * 1024
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class Readable(Protocol):
    """A stream that is read forward."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes, fewer only at its end."""


@dataclass(frozen=True, slots=True)
class TapeEntry:
    """A member: its name, and either its content or why it is refused."""

    path: str
    file: BinaryIO
    is_folder: bool = False
    fault: str = ""


def tape_entries(stream: Readable, subject: str) -> Iterator[TapeEntry]:
    """Every member; each one's stream is good until the next is asked for. Raises MalformedInput at damage."""
    long_path = ""
    empty = 0
    while block := stream.read(_BLOCK):
        if len(block) < _BLOCK:
            raise MalformedInput(subject, "the archive is cut off in a header")
        if block.count(0) == _BLOCK:
            empty += 1
            if empty == 2:
                return
            continue
        empty = 0
        try:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        except (tarfile.HeaderError, ValueError) as error:
            raise MalformedInput(subject, f"damaged header: {error}") from error
        if header.size < 0:
            raise MalformedInput(subject, "a member of negative size")
        content = _Part(stream, header.size, subject)
        if header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE):
            if header.size > _NAME_BYTES_MAX:
                raise MalformedInput(subject, f"a name of {header.size:,} bytes")
            said = content.read()
            long_path = (
                _pax_path(said) if header.type == tarfile.XHDTYPE else said.rstrip(b"\0").decode("utf-8", "replace")
            )
        elif header.type not in (tarfile.XGLTYPE, tarfile.GNUTYPE_LONGLINK):
            path, long_path = long_path or header.name, ""
            is_file = header.type in _FILES
            fault = "" if is_file or header.isdir() else "it is a link, a device or a sparse file"
            yield TapeEntry(path, cast(BinaryIO, io.BufferedReader(content)), header.isdir(), fault)
        content.skip()


def _pax_path(data: bytes) -> str:
    """The path among the records of an extended header (`length key=value`)."""
    at = 0
    while at < len(data):
        length, _, _ = data[at : at + 20].partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(data) - at:
            return ""
        key, _, value = data[at + len(length) + 1 : at + int(length)].partition(b"=")
        if key == b"path":
            return value.rstrip(b"\n").decode("utf-8", "replace")
        at += int(length)
    return ""


class _Part(io.RawIOBase):
    """The bytes of one member; `skip` passes over what was not read, and the padding."""

    def __init__(self, stream: Readable, size: int, subject: str) -> None:
        self._stream = stream
        self._left = size
        self._padding = -size % _BLOCK
        self._subject = subject

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's buffer has no name in 3.11
        wanted = min(len(view), self._left)
        data = self._stream.read(wanted) if wanted else b""
        if wanted and not data:
            raise MalformedInput(self._subject, "the archive is cut off in a member")
        self._left -= len(data)
        view[: len(data)] = data
        return len(data)

    def skip(self) -> None:
        left = self._left + self._padding
        self._left = self._padding = 0
        while left > 0 and (data := self._stream.read(min(left, _SKIP))):
            left -= len(data)
