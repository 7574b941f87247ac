"""gzip, bzip2, xz and zstd undone as a stream, under a budget: a kilobyte can stand for gigabytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO, cast

from copydesk.errors import InputTooLarge, MalformedInput

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# A window of 8 MiB is what a reader must support (RFC 8878); `--long` asks for more, and a bomb for 2 GB.
_ZSTD_WINDOW_LOG_MAX = 27
# `xz -9` needs 65 MiB; a crafted header asks for 4 GB.
_XZ_MEMORY_MAX = 128 * 1024 * 1024

_PIECE = 64 * 1024


def _zstd(file: BinaryIO) -> BinaryIO:
    options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG_MAX}
    return cast(BinaryIO, zstd.ZstdFile(file, options=options))


class _Xz(io.RawIOBase):
    """xz of one or several streams with a bound on its memory, which `lzma.LZMAFile` has not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_MAX)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # typeshed's buffer has no name in 3.11
        while True:
            if self._decoder.eof:
                data = (self._decoder.unused_data or self._file.read(_PIECE)).lstrip(b"\0")
                if not data:
                    return 0
                self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY_MAX)
            else:
                data = self._file.read(_PIECE) if self._decoder.needs_input else b""
                if not data and self._decoder.needs_input:
                    raise EOFError("it is cut off")
            piece = self._decoder.decompress(data, len(view))
            if piece:
                view[: len(piece)] = piece
                return len(piece)


OPENERS: Mapping[str, Callable[[BinaryIO], BinaryIO]] = {
    "bzip2": lambda file: cast(BinaryIO, bz2.BZ2File(file)),
    "gzip": lambda file: cast(BinaryIO, gzip.GzipFile(fileobj=file)),
    "xz": lambda file: cast(BinaryIO, io.BufferedReader(_Xz(file))),
    "zstd": _zstd,
}

FAULTS = (EOFError, OSError, zlib.error, lzma.LZMAError, zstd.ZstdError, ValueError, MemoryError)
"""What these libraries raise on damaged data."""


class Budget:
    """Bytes that may still come out of an input and all that it holds."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._left = limit

    def take(self, size: int, subject: str) -> None:
        """Raises InputTooLarge when the limit is passed."""
        self._left -= size
        if self._left < 0:
            raise InputTooLarge(subject, f"it unpacks to more than {self.limit:,} bytes")


class Bounded(io.RawIOBase):
    """A stream whose bytes count against a budget and whose faults are ours; reads forward only."""

    def __init__(self, file: BinaryIO, budget: Budget, subject: str) -> None:
        self._file = file
        self._budget = budget
        self._subject = subject

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # as above
        try:
            data = self._file.read(min(len(view), _PIECE))
        except FAULTS as error:
            raise MalformedInput(self._subject, f"{type(error).__name__}: {error}") from error
        self._budget.take(len(data), self._subject)
        view[: len(data)] = data
        return len(data)
