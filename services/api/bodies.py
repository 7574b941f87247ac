"""Reads a request's body as it arrives: bounded in bytes, bounded in silence, cut into lines or parts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from email.message import Message

from fastapi import Request
from starlette.requests import ClientDisconnect

from services.api.problems import Refused, too_large

# What a client may send on after it was refused: many read the answer only when they have sent all.
DRAIN_BYTES = 64 * 1024 * 1024
DRAIN_S = 10.0

DOCUMENT_TYPES = frozenset(
    {
        "text/plain",
        "text/html",
        "text/xml",
        "text/markdown",
        "application/xhtml+xml",
        "application/xml",
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/octet-stream",
        "application/feed+json",
        "application/mbox",
        "application/gzip",
        "application/x-tar",
        "application/zip",
        "application/zstd",
        "message/rfc822",
        "text/csv",
        "text/tab-separated-values",
    }
)
"""What one document may be declared as; `application/octet-stream`, or nothing, is told by its content."""

JSON = "application/json"
NDJSON = "application/x-ndjson"
MULTIPART = "multipart/form-data"


class Body:
    """The body of one request."""

    def __init__(self, request: Request, *, limit: int, idle_s: float) -> None:
        self._request = request
        self._stream = request.stream().__aiter__()
        self._limit = limit
        self._idle_s = idle_s
        self._size = 0
        self._is_begun = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Raises `Refused` over the limit or after a silence, `ClientDisconnect`."""
        declared = self._request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limit:
            raise too_large("the request", self._limit)
        while True:
            self._is_begun = True
            try:
                async with asyncio.timeout(self._idle_s):
                    chunk = await anext(self._stream)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise Refused(
                    408, "too_slow", f"nothing came for {self._idle_s:g} s", headers={"Connection": "close"}
                ) from error
            self._size += len(chunk)
            if self._size > self._limit:
                raise too_large("the request", self._limit)
            if chunk:
                yield chunk

    async def whole(self) -> bytes:
        """All of it, in memory."""
        return b"".join([chunk async for chunk in self.chunks()])

    async def drain(self) -> None:
        """Take what the client still sends, within bounds, so that it comes to reading its refusal."""
        if not self._is_begun and self._request.headers.get("expect", "").lower() == "100-continue":
            return
        left = DRAIN_BYTES
        ends = time.monotonic() + DRAIN_S
        try:
            async with asyncio.timeout(DRAIN_S):
                while left > 0 and time.monotonic() < ends:
                    left -= len(await anext(self._stream))
        except (StopAsyncIteration, TimeoutError, ClientDisconnect, RuntimeError):
            return


class Lines:
    """Cuts chunks into lines of at most `limit` bytes; empty ones are left out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._number = 0

    def feed(self, chunk: bytes) -> list[tuple[int, bytes]]:
        """The lines that end in this chunk, numbered from 1. Raises `Refused`."""
        *whole, rest = chunk.split(b"\n")
        found = []
        for part in whole:
            self._rest += part
            found += self._take()
        self._rest += rest
        self._check()
        return found

    def end(self) -> list[tuple[int, bytes]]:
        """The last line, where no line break ended it."""
        return self._take() if self._rest else []

    def _take(self) -> list[tuple[int, bytes]]:
        self._check()
        self._number += 1
        line = bytes(self._rest).strip()
        self._rest.clear()
        return [(self._number, line)] if line else []

    def _check(self) -> None:
        if len(self._rest) > self._limit:
            raise too_large(f"line {self._number + 1}", self._limit)


def media_type(content_type: str) -> tuple[str, str | None]:
    """The bare type in lower case and the charset. Raises `Refused` for what is not taken."""
    message = Message()
    message["Content-Type"] = content_type or "application/octet-stream"
    bare = content_type.partition(";")[0].strip().lower() or "application/octet-stream"
    charset = message.get_content_charset() if "charset" in content_type.lower() else None
    return bare, charset


def check_document_type(bare: str, what: str) -> None:
    """Raises `Refused` with 415 for what no document is."""
    if bare not in DOCUMENT_TYPES:
        known = ", ".join(sorted(DOCUMENT_TYPES))
        raise Refused(
            415,
            "unsupported_media_type",
            f"{what} is {bare[:100]!r}; a document is one of {known}; many are {NDJSON} or {MULTIPART}",
            headers={"Accept-Post": ", ".join((*sorted(DOCUMENT_TYPES), JSON, NDJSON, MULTIPART))},
        )
