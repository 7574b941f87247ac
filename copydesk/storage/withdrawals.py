"""Table withdrawal, and the mark on articles that it leads to: what senders have said is not to be shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from copydesk.models import IdentityKey
from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row, send

_FIND = """
select w.kind, w.value, w.is_final, w.version, w.reason, w.received_at
  from withdrawal w
  join json_to_recordset(%s::json) as t(kind text, value text) on w.kind = t.kind and w.value = t.value
"""

# The caller holds the identity keys, so nobody else writes these rows now.
_KEEP = """
insert into withdrawal (kind, value, is_final, version, reason, received_at)
select kind, value, is_final, version, reason, received_at
  from json_to_recordset(%s::json) as t(
       kind text, value text, is_final boolean, version text, reason text, received_at timestamptz)
 order by kind, value
    on conflict (kind, value) do update
   set is_final = excluded.is_final, version = excluded.version, reason = excluded.reason,
       received_at = excluded.received_at
"""

# The first reason stays: a kill that is repeated is no news.
_MARK = """
update article_head h set withdrawn_at = now(), withdrawn_reason = t.reason, changed_at = now()
  from (select * from json_to_recordset(%s::json) as r(article_id uuid, reason text) order by article_id) t
 where h.id = t.article_id and h.withdrawn_at is null
"""

_CLEAR = """
update article_head h set withdrawn_at = null, withdrawn_reason = null
  from (select * from json_to_recordset(%s::json) as r(article_id uuid) order by article_id) t
 where h.id = t.article_id
"""


@dataclass(frozen=True, slots=True)
class Order:
    """The last word about a name: not to be shown, for good or until a higher version."""

    is_final: bool
    version: str | None
    reason: str
    received_at: datetime


def find(connection: Connection, keys: Collection[IdentityKey]) -> dict[IdentityKey, Order]:
    """The orders that stand for these names."""
    found = send(connection, _FIND, [{"kind": key.kind, "value": key.value} for key in keys])
    return {IdentityKey(kind=row[0], value=row[1]): Order(*row[2:]) for row in found}


def keep(connection: Connection, orders: Mapping[IdentityKey, Order]) -> None:
    """Write orders, each in the place of the one before it."""
    rows = [
        {
            "kind": key.kind,
            "value": key.value,
            "is_final": order.is_final,
            "version": order.version,
            "reason": order.reason,
            "received_at": order.received_at.isoformat(),
        }
        for key, order in orders.items()
    ]
    send(connection, _KEEP, rows)


def mark(connection: Connection, rows: Sequence[Row]) -> None:
    """Take articles out of sight; keys are `article_id` and `reason`."""
    send(connection, _MARK, rows)


def clear(connection: Connection, article_ids: Sequence[str]) -> None:
    """Bring articles back into sight."""
    send(connection, _CLEAR, [{"article_id": article_id} for article_id in article_ids])
