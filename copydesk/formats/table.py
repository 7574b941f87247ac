"""CSV and TSV of documents: the first row names the columns, each further row is one document."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import partial
from typing import Any

from copydesk.errors import InputError, MalformedInput
from copydesk.formats.encoding import decode
from copydesk.formats.opening import Opening
from copydesk.formats.records import candidate, column_names
from copydesk.models import Hints, Parsed

_MEDIA_TYPES = frozenset(("application/csv", "text/csv", "text/tab-separated-values"))
_EXTENSIONS = frozenset((".csv", ".tsv"))
_DELIMITERS = ",;\t|"

FIELD_CHARACTERS_MAX = 16 * 1024 * 1024
"""The module's own limit of 131,072 is below a long article; it is one for the whole process."""
csv.field_size_limit(FIELD_CHARACTERS_MAX)


def matches(opening: Opening) -> bool:
    """True for what is declared or named a table; its content alone does not tell one from a text with commas."""
    if opening.media_type in _MEDIA_TYPES:
        return True
    return opening.extension in _EXTENSIONS and opening.media_type in {
        "",
        "application/octet-stream",
        "application/vnd.ms-excel",
        "text/plain",
    }


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate a row; `key` is the line that it ends on. Raises MalformedInput where no column is a text."""
    decoded = decode(data, None, hints)
    subject = hints.filename or hints.url or ""
    header_line = decoded.text.lstrip("\n\r").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    rows = csv.reader(io.StringIO(decoded.text, newline=""), delimiter=delimiter)
    names = column_names(hints)
    row_of = partial(candidate, "table", encoding=decoded.encoding, warnings=decoded.warnings)
    found: list[Parsed] = []
    header: list[str] = []
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return found
        except csv.Error as error:
            place = f"line {rows.line_num}"
            found.append(row_of(place, {}, names, raw=place, error=MalformedInput(place, str(error))))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if not header:
            header = [cell.strip() for cell in row]
            _check(header, names, subject)
            continue
        place = f"line {rows.line_num}"
        record, error_of_row = _record(header, row, place)
        found.append(row_of(place, record, names, raw=delimiter.join(row), error=error_of_row))


def _check(header: list[str], names: Mapping[str, tuple[str, ...]], subject: str) -> None:
    probe = candidate("table", "", dict.fromkeys(header, "x"), names, raw="", encoding="utf-8", warnings=())
    if probe.error:
        raise MalformedInput(subject, f"its first row names no column of text: {', '.join(header)[:500]}")


def _record(header: list[str], row: list[str], place: str) -> tuple[Mapping[str, Any], InputError | None]:
    """The row under its header; trailing empty cells are spreadsheets' habit, other surplus is a fault."""
    if len(row) > len(header) and any(cell.strip() for cell in row[len(header) :]):
        return {}, MalformedInput(place, f"{len(row)} cells, the first row names {len(header)}")
    return dict(zip(header, row, strict=False)), None
