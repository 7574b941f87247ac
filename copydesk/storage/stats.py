"""How many items ended in which way, by hour and source. Only counts; the receipts are in receipts.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection

# Unchanged items of feeds have no receipt: they are counted by the hour in which their poll was received.
_HOURLY = """
select hour, source, outcome, sum(items)::bigint as items from (
    select date_trunc('hour', recorded_at) as hour, source, outcome, count(*) as items
      from receipt
     where recorded_at >= greatest(%(begin)s, %(hour)s) and recorded_at < %(end)s
       and (%(source)s::text is null or source = %(source)s)
     group by 1, 2, 3
    union all
    select date_trunc('hour', received_at), source, 'unchanged', sum(unchanged_count)
      from ingest
     where kind = 'feed' and closed_at is not null and unchanged_count > 0
       and received_at >= greatest(%(begin)s, %(hour)s) and received_at < %(end)s
       and (%(source)s::text is null or source = %(source)s)
     group by 1, 2) t
 group by hour, source, outcome
having (hour, source, outcome) > (%(hour)s, %(name)s, %(outcome)s)
 order by hour, source, outcome limit %(limit)s
"""


class Behind(NamedTuple):
    """The last row of the page before."""

    hour: datetime
    source: str
    outcome: str


def hourly(
    connection: Connection,
    begin: datetime,
    end: datetime,
    *,
    source: str | None,
    behind: Behind | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Counts from `begin` to before `end`, in the order of hour, source and outcome; hours are UTC's."""
    hour, name, outcome = behind or Behind(begin.replace(minute=0, second=0, microsecond=0), "", "")
    values = {"begin": begin, "end": end, "source": source, "hour": hour, "name": name, "outcome": outcome}
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_HOURLY, {**values, "limit": limit})
        return cursor.fetchall()
