"""Table attempt: notes taken before an entry is tried alone."""

from __future__ import annotations

from copydesk.storage.connection import Connection

_LOAD = "select tries from attempt where subject = %s"

# The number comes in, so that a note repeated after a lost reply counts once.
_NOTE = """
insert into attempt as a (subject, tries) values (%s, %s)
    on conflict (subject) do update set tries = greatest(a.tries, excluded.tries), tried_at = now()
"""

_FORGET = "delete from attempt where subject = %s"


def load(connection: Connection, subject: str) -> int:
    """How often it was tried and not finished."""
    with connection.cursor() as cursor:
        cursor.execute(_LOAD, (subject,))
        row = cursor.fetchone()
        return row[0] if row else 0


def note(connection: Connection, subject: str, tries: int) -> int:
    """Write down that this is try number `tries`, and return that. The caller commits before trying."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, (subject, tries))
        return tries


def forget(connection: Connection, subject: str) -> None:
    """Drop the note of an entry that came through."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (subject,))
