"""Files of many documents cut into runs of whole records, by bytes and without reading them: JSON lines, CSV, mbox.

A run is itself a small file of the same kind: a CSV's begins with the header row. Only what has one byte a line break
is cut, so nothing in UTF-16.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from copydesk.errors import InputError, InputTooLarge
from copydesk.formats.mail import MBOX_FROM

RECORDS_MAX = 50
RUN_BYTES = 1024 * 1024
_SKIP = 64 * 1024

_JSON_LINE = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{.*\}[ \t]*\r?\n\s*\{")
_EXTENSIONS: Mapping[str, str] = {
    ".csv": "table",
    ".jsonl": "records",
    ".jsonlines": "records",
    ".mbox": "mailbox",
    ".ndjson": "records",
    ".tsv": "table",
}


class Lined(Protocol):
    """A stream that gives lines."""

    def readline(self, size: int, /) -> bytes:
        """A line with its break, or its first `size` bytes."""


@dataclass(frozen=True, slots=True)
class Run:
    """Whole records, and the bytes of the file that they are; or why one record was refused."""

    start: int
    end: int
    data: bytes = b""
    records: int = 0
    error: InputError | None = None


def list_kind(head: bytes, name: str) -> str:
    """`records`, `table` or `mailbox`, from name and first bytes; empty for what is one document."""
    if b"\0" in head[:64]:
        return ""
    kind = _EXTENSIONS.get(PurePath(name).suffix.lower(), "")
    if kind != "mailbox" and _JSON_LINE.match(head):
        return "records"
    if MBOX_FROM.match(head):
        return "mailbox"
    return "" if kind == "mailbox" else kind


def cut(kind: str, file: Lined, record_bytes: int) -> Iterator[Run]:
    """The runs in order. A record of more than `record_bytes` is a run with its error; its bytes are passed over."""
    records = _RECORDS[kind](file, record_bytes)
    prefix = b""
    start = end = 0
    held: list[bytes] = []
    size = 0
    for record in records:
        if kind == "table" and not prefix and record.data.strip():
            prefix, start, end = record.data, record.end, record.end
            if not prefix.endswith(b"\n"):
                prefix += b"\n"
            continue
        if held and (record.error or len(held) >= RECORDS_MAX or size + len(record.data) > RUN_BYTES):
            yield Run(start, end, prefix + b"".join(held), len(held))
            held, size, start = [], 0, end
        end = record.end
        if record.error:
            yield record
            start = end
        elif record.data.strip():
            held.append(record.data)
            size += len(record.data)
    if held or (prefix and not start):
        yield Run(start, end, prefix + b"".join(held), len(held))


def _lines(file: Lined, limit: int) -> Iterator[Run]:
    at = 0
    while line := file.readline(limit + 1):
        start, at = at, at + len(line)
        if len(line) > limit and not line.endswith(b"\n"):
            while not line.endswith(b"\n") and (line := file.readline(_SKIP)):
                at += len(line)
            yield Run(start, at, error=InputTooLarge(f"bytes {start}-{at}", f"a line of {at - start:,} bytes"))
            continue
        yield Run(start, at, line, 1)


def _rows(file: Lined, limit: int) -> Iterator[Run]:
    """Rows of a table: lines, joined while a quoted cell is open."""
    return _joined(_lines(file, limit), limit, lambda held, line: held.count(b'"') % 2 == 0)


def _messages(file: Lined, limit: int) -> Iterator[Run]:
    """Messages of a mailbox: each begins with a line `From …` behind an empty one."""
    return _joined(
        _lines(file, limit),
        limit,
        lambda held, line: line.startswith(b"From ") and held.endswith((b"\n\n", b"\r\n\r\n")),
    )


def _joined(lines: Iterator[Run], limit: int, is_new: Callable[[bytearray, bytes], bool]) -> Iterator[Run]:
    held = bytearray()
    start = at = 0
    for line in lines:
        if line.error or (held and is_new(held, line.data)):
            if held:
                yield Run(start, at, bytes(held), 1)
            held.clear()
            start = at
        at = line.end
        if line.error:
            yield line
            start = at
            continue
        if len(held) + len(line.data) > limit:
            yield Run(start, at, error=InputTooLarge(f"bytes {start}-{at}", f"a record of more than {limit:,} bytes"))
            held.clear()
            start = at
            continue
        held += line.data
    if held:
        yield Run(start, at, bytes(held), 1)


_RECORDS: Mapping[str, Callable[[Lined, int], Iterator[Run]]] = {
    "mailbox": _messages,
    "records": _lines,
    "table": _rows,
}
