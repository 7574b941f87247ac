"""Table attempt: notes taken before an entry is tried alone."""

from __future__ import annotations

from copydesk.storage.connection import Connection

_NOTE = """
insert into attempt as a (subject, tries) values (%s, 1)
    on conflict (subject) do update set tries = a.tries + 1, tried_at = now()
returning tries
"""

_FORGET = "delete from attempt where subject = %s"


def note(connection: Connection, subject: str) -> int:
    """Count a try before it is made; returns which try this is. The caller commits before trying."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTE, (subject,))
        row = cursor.fetchone()
        return row[0] if row else 1


def forget(connection: Connection, subject: str) -> None:
    """Drop the note of an entry that came through."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, (subject,))
