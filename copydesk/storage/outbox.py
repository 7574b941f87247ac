"""Table outbox: what consumers need to know, written in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_ADD = """
insert into outbox (event, article_id, revision, ingest_id, item_id, due_at)
select event, article_id, revision, ingest_id, item_id, greatest(now(), due_at)
  from json_to_recordset(%s::json) as t(
       event text, article_id uuid, revision integer, ingest_id text, item_id text, due_at timestamptz)
"""


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert events; keys are the columns. `due_at` may be left out: the event may be told at once."""
    send(connection, _ADD, rows)
