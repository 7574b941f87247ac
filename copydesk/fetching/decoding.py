"""Content codings undone under a limit: a kilobyte on the wire can stand for gigabytes.

Each decoder is asked for a bounded piece at a time, so that a bomb is noticed before it is in memory.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli

from copydesk.errors import FetchSoft

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Most that one call of a decoder may give.
PIECE_BYTES = 64 * 1024

# Codings may be laid over each other; nobody does it more often than this in earnest.
LAYERS_MAX = 2

_GZIP = zlib.MAX_WBITS | 16
_GZIP_MAGIC = b"\x1f\x8b"

ACCEPTED = "gzip, deflate, br, zstd"


class _Decoder(Protocol):
    """Gives at most `PIECE_BYTES` a call; called with nothing until it gives nothing."""

    @property
    def is_whole(self) -> bool: ...

    def decode(self, data: bytes) -> bytes: ...


class Body:
    """Collects a body of at most `limit` bytes, as sent and as decoded. Raises `FetchSoft` beyond."""

    def __init__(self, url: str, content_encoding: str, limit: int) -> None:
        self._url = url
        self._limit = limit
        self._sent = 0
        self._decoded = bytearray()
        names = [n.strip() for n in content_encoding.lower().split(",")]
        names = [n for n in names if n not in ("", "identity", "none", "utf-8")]
        if len(names) > LAYERS_MAX or not set(names) <= _DECODERS.keys():
            raise FetchSoft(url, f"its content encoding cannot be undone: {content_encoding[:100]!r}")
        self._layers = [_DECODERS[name]() for name in reversed(names)]

    def add(self, data: bytes) -> None:
        """Take what was read from the wire."""
        self._sent += len(data)
        self._check(self._sent)
        try:
            self._decode(data, 0)
        except (zlib.error, brotli.error, zstd.ZstdError, EOFError) as error:
            raise FetchSoft(self._url, f"its content encoding is broken: {error}") from error

    def whole(self) -> bytes:
        """The body. Raises `FetchSoft` when it is cut off."""
        if self._sent and not all(layer.is_whole for layer in self._layers):
            raise FetchSoft(self._url, "its compressed body is cut off")
        return bytes(self._decoded)

    def _decode(self, data: bytes, depth: int) -> None:
        if depth == len(self._layers):
            self._check(len(self._decoded) + len(data))
            self._decoded += data
            return
        layer = self._layers[depth]
        piece = layer.decode(data)
        while piece:
            self._decode(piece, depth + 1)
            piece = layer.decode(b"")

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise FetchSoft(self._url, f"it is larger than {self._limit:,} bytes")


class _Zlib:
    """gzip, also of several members; zlib; bare deflate. `window_bits` as zlib takes it tells which."""

    def __init__(self, window_bits: int) -> None:
        self._window_bits = window_bits
        self._decoder = zlib.decompressobj(window_bits)
        self._rest = b""
        self._was_full = False

    @property
    def is_whole(self) -> bool:
        return self._decoder.eof

    def decode(self, data: bytes) -> bytes:
        data, self._rest = self._rest + data, b""
        while data or self._was_full:
            if self._decoder.eof and not self._begin_member(data):
                break
            piece = self._decoder.decompress(data, PIECE_BYTES)
            data = self._decoder.unconsumed_tail or self._decoder.unused_data
            # All input may be taken and output still be held back.
            self._was_full = len(piece) == PIECE_BYTES
            if piece or not self._decoder.eof:
                self._rest = data
                return piece
        return b""

    def _begin_member(self, data: bytes) -> bool:
        """Whether one more follows; other bytes behind the end are padding of the server."""
        self._was_full = False
        if self._window_bits != _GZIP or not data.startswith(_GZIP_MAGIC[: len(data)]):
            return False
        if len(data) < len(_GZIP_MAGIC):
            self._rest = data
            return False
        self._decoder = zlib.decompressobj(self._window_bits)
        return True


class _Deflate:
    """What the coding should be, with a zlib head, and what some servers send, without."""

    def __init__(self) -> None:
        self._head = b""
        self._decoder: _Zlib | None = None

    @property
    def is_whole(self) -> bool:
        return self._decoder is not None and self._decoder.is_whole

    def decode(self, data: bytes) -> bytes:
        if self._decoder is None:
            self._head += data
            if len(self._head) < 2:
                return b""
            data = self._head
            # RFC 1950: the method is 8, and the first two bytes are a multiple of 31.
            has_head = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._decoder = _Zlib(zlib.MAX_WBITS if has_head else -zlib.MAX_WBITS)
        return self._decoder.decode(data)


class _Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    @property
    def is_whole(self) -> bool:
        return bool(self._decoder.is_finished())

    def decode(self, data: bytes) -> bytes:
        if self._decoder.is_finished():
            return b""
        return bytes(self._decoder.process(data, output_buffer_limit=PIECE_BYTES))


class _Zstd:
    # RFC 9659: what a sender may ask for in this coding. 8 MB.
    _WINDOW_LOG_MAX = 23

    def __init__(self) -> None:
        self._decoder = self._fresh()

    @property
    def is_whole(self) -> bool:
        return bool(self._decoder.eof)

    def decode(self, data: bytes) -> bytes:
        while True:
            if self._decoder.eof:
                data = self._decoder.unused_data + data
                if not data:
                    return b""
                self._decoder = self._fresh()
            elif not data and self._decoder.needs_input:
                return b""
            piece = self._decoder.decompress(data, PIECE_BYTES)
            if piece or not self._decoder.eof:
                return bytes(piece)
            data = b""

    def _fresh(self) -> zstd.ZstdDecompressor:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: self._WINDOW_LOG_MAX})


_DECODERS: Mapping[str, Callable[[], _Decoder]] = {
    "br": _Brotli,
    "deflate": _Deflate,
    "gzip": lambda: _Zlib(_GZIP),
    "x-gzip": lambda: _Zlib(_GZIP),
    "zstd": _Zstd,
}
