"""Writes articles to files in the order of their latest change, from where the last export ended.

Nothing is kept open in Postgres between two pages, so an export of millions of articles holds nobody up.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from copydesk.errors import UsageError
from copydesk.storage import reading
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.reading import Fields, Filters

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Format = Literal["jsonl", "csv", "parquet"]

# Articles of a page: at 20 MB, the largest input, they still fit a small machine.
PAGE = 50

COLUMNS = (
    "id", "source", "revision", "publisher", "language", "title", "section", "published_at", "published_text",
    "zone_unknown", "updated_text", "authors", "dateline", "text", "rights", "captions", "corrections", "removed",
    "credits", "format", "url", "guid", "name", "warnings", "meta", "raw_sha256", "rules_version", "received_at",
    "stored_at", "changed_at", "position",
)  # fmt: skip

# Lists of text are columns of lists in Parquet, JSON in CSV; the others are JSON in both.
_LISTS = ("authors", "rights", "captions", "corrections", "warnings")
_JSON = ("removed", "credits", "meta")


class Place(NamedTuple):
    """Where an export stands: the position of the last change written, and the size of the file then."""

    position: int
    size: int


class Sink(Protocol):
    """Takes pages and makes them last."""

    def write(self, page: list[Fields]) -> int:
        """Write a page; returns the size to note down once it lasts."""

    def close(self, position: int) -> None:
        """Everything up to a position is written."""


def export(
    connection: Connection,
    target: Path,
    form: Format,
    filters: Filters,
    *,
    told: Callable[[int], None] = lambda count: None,
) -> Place:
    """Write every article whose content changed since the last export to the same target.

    The place is kept beside the target in `<target>.position`. JSONL and CSV files are appended to; Parquet gets a
    file a call in the folder `target`. A call that was interrupted is made good by the next one: a half-written page
    is cut off, so no article is there twice or missing. `told` is called with the number of articles of each page.
    Raises `UsageError`, `DatabaseUnavailable`.
    """
    state = target.with_name(target.name + ".position")
    place = _place(state)
    with ExitStack() as stack:
        try:
            sink = _sink(target, form, place, stack)
            while page := _page(connection, filters, place.position):
                size = sink.write([{name: row[name] for name in COLUMNS} for row in page])
                place = Place(page[-1]["position"], size)
                if form != "parquet":
                    _note(state, place)
                told(len(page))
            sink.close(place.position)
            _note(state, place)
        except OSError as error:
            raise UsageError(str(target), str(error)) from error
    return place


def _page(connection: Connection, filters: Filters, position: int) -> list[Fields]:
    with translated_errors("export"):
        return reading.changed_since(connection, filters, position=position, limit=PAGE, whole=True)


def _sink(target: Path, form: Format, place: Place, stack: ExitStack) -> Sink:
    if form == "parquet":
        return _Parquet(target, place.position, stack)
    file = stack.enter_context(target.open("r+b" if target.exists() else "w+b"))
    if file.seek(0, os.SEEK_END) < place.size:
        raise UsageError(str(target), f"shorter than its last export left it: {place.size:,} bytes")
    file.truncate(place.size)
    file.seek(place.size)
    return _Lines(file, _json_line if form == "jsonl" else _csv_line, _csv_line(None) if form == "csv" else b"")


class _Lines:
    """One line an article, synced a page at a time."""

    def __init__(self, file: io.BufferedRandom, line: Callable[[Fields], bytes], head: bytes) -> None:
        self._file = file
        self._line = line
        if file.tell() == 0:
            file.write(head)

    def write(self, page: list[Fields]) -> int:
        for row in page:
            self._file.write(self._line(row))
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self, position: int) -> None:
        """Nothing is left to do."""


class _Parquet:
    """A file a call, under its name once it is whole; no file where nothing has changed."""

    def __init__(self, folder: Path, start: int, stack: ExitStack) -> None:
        try:
            import pyarrow as pa
            import pyarrow.parquet as pq
        except ImportError as error:
            raise UsageError("parquet", "pip install 'copydesk[parquet]'") from error
        self._pa, self._pq, self._stack = pa, pq, stack
        self._folder, self._start = folder, start
        self._schema = pa.schema([(name, _arrow_type(pa, name)) for name in COLUMNS])
        self._unfinished = folder / f"part-{start}.unfinished"
        self._writer: Any = None

    def write(self, page: list[Fields]) -> int:
        if self._writer is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._stack.enter_context(
                self._pq.ParquetWriter(self._unfinished, self._schema, compression="zstd")
            )
        rows = [{**row, **{name: _json(row[name]) for name in _JSON}} for row in page]
        self._writer.write_table(self._pa.Table.from_pylist(rows, schema=self._schema))
        return 0

    def close(self, position: int) -> None:
        if self._writer is not None:
            self._writer.close()
            self._unfinished.rename(self._folder / f"part-{self._start}-{position}.parquet")


def _arrow_type(pa: Any, name: str) -> Any:
    if name in _LISTS:
        return pa.list_(pa.string())
    if name in ("revision", "position"):
        return pa.int64()
    if name == "zone_unknown":
        return pa.bool_()
    if name.endswith("_at"):
        return pa.timestamp("us", tz="UTC")
    return pa.string()


def _json_line(row: Fields) -> bytes:
    return (_json(row) or "").encode() + b"\n"


def _csv_line(row: Fields | None) -> bytes:
    """A line of RFC 4180; the head for None."""
    cells: Sequence[object] = COLUMNS
    if row is not None:
        cells = [_json(row[n]) if n in (*_LISTS, *_JSON) else _spreadsheet_cell(row[n]) for n in COLUMNS]
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _cell(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _spreadsheet_cell(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe, by which it takes it for a text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else _cell(value)


def _json(value: object) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=_cell)


def _place(state: Path) -> Place:
    try:
        return Place(**json.loads(state.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Place(0, 0)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(str(state), f"not a position: {error}; remove it to begin again") from error


def _note(state: Path, place: Place) -> None:
    """Replace the note as a whole: a crash leaves the old or the new one."""
    fresh = state.with_name(state.name + ".new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(place._asdict(), file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(state)
