"""Table sighting: where else a stored article was seen."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_ADD = """
insert into sighting (ingest_id, item_id, article_id, source, url, name, relation, scores, raw_sha256, seen_at)
select ingest_id, item_id, article_id, source, url, name, relation, scores, raw_sha256, seen_at
  from json_to_recordset(%s::json) as t(
       ingest_id text, item_id text, article_id uuid, source text, url text, name text, relation text, scores jsonb,
       raw_sha256 text, seen_at timestamptz)
    on conflict (ingest_id, item_id) do nothing
"""


def add(connection: Connection, rows: Sequence[Row]) -> None:
    """Insert sightings; keys are the columns."""
    send(connection, _ADD, rows)
