"""Table dead_letter: what could not be carried to a row, with its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copydesk.models import Outcome
from copydesk.storage.connection import Connection

_ADD = """
insert into dead_letter (ingest_id, item_id, source, outcome, stage, code, reason, trace, raw_sha256, payload)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    on conflict (ingest_id, item_id) do nothing
"""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One item that did not become a row. `payload` is the stream entry where there is no other copy."""

    ingest_id: str
    item_id: str
    source: str
    outcome: Outcome
    stage: str
    code: str
    reason: str
    trace: str | None = None
    raw_sha256: str | None = None
    payload: bytes | None = None


def add(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    """Insert dead letters; texts lose what Postgres refuses in a text, the payload keeps every byte."""
    rows = [
        (
            _printable(letter.ingest_id),
            _printable(letter.item_id),
            _printable(letter.source),
            letter.outcome.value,
            letter.stage,
            letter.code,
            _printable(letter.reason),
            None if letter.trace is None else _printable(letter.trace),
            letter.raw_sha256,
            letter.payload,
        )
        # In one order, so that two writers with the same letters wait for each other and not in a circle.
        for letter in sorted(letters, key=lambda each: (each.ingest_id, each.item_id))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)


def _printable(text: str) -> str:
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode("utf-8")
