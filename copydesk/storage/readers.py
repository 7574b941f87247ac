"""Table reader: how far a reader inside copydesk has followed the numbered changes."""

from __future__ import annotations

from copydesk.storage.connection import Connection

# One at a time: the row is locked until the reader's work is committed with it.
_TAKE = """
insert into reader (name) values (%s)
    on conflict (name) do update set name = excluded.name
returning position
"""

_MOVE = "update reader set position = %s, moved_at = now() where name = %s"


def take(connection: Connection, name: str) -> int:
    """Where a reader stands; nobody else reads under its name until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, (name,))
        row = cursor.fetchone()
        return int(row[0]) if row else 0


def move(connection: Connection, name: str, position: int) -> None:
    """The reader has done everything up to a position, in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVE, (position, name))
