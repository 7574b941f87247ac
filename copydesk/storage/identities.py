"""Table identity_key: the names under which articles are met again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from copydesk.models import IdentityKey
from copydesk.storage.connection import Connection
from copydesk.storage.rows import send

# Take the keys that are free. Sorted, so that two writers wait for each other in one order.
_TAKE = """
insert into identity_key (kind, value, article_id, owned, item_sha256)
select kind, value, article_id, owned, item_sha256
  from json_to_recordset(%s::json) as t(kind text, value text, article_id uuid, owned boolean, item_sha256 text)
 order by kind, value
    on conflict (kind, value) do nothing
returning kind, value
"""

# Lock the others. Everyone takes first and locks second, each in one order: no cycle.
_LOCK = """
select k.kind, k.value, k.article_id, k.owned, k.item_sha256
  from identity_key k
  join json_to_recordset(%s::json) as t(kind text, value text) on k.kind = t.kind and k.value = t.value
 order by k.kind, k.value
   for update of k
"""

# Give keys that this transaction holds their final holder.
_HOLD = """
update identity_key k
   set article_id = t.article_id, owned = t.owned, item_sha256 = t.item_sha256
  from json_to_recordset(%s::json) as t(kind text, value text, article_id uuid, owned boolean, item_sha256 text)
 where k.kind = t.kind and k.value = t.value
"""

# Let go of keys that were taken for a document that was not stored.
_RELEASE = """
delete from identity_key k
 using json_to_recordset(%s::json) as t(kind text, value text)
 where k.kind = t.kind and k.value = t.value
"""

# Without a lock: for who wants to know what is worth fetching. Keys of an article that may come again are free.
_LAST_SEEN = """
select k.kind, k.value, k.item_sha256
  from identity_key k
  join json_to_recordset(%s::json) as t(kind text, value text) on k.kind = t.kind and k.value = t.value
 where not exists (select from deletion d where d.article_id = k.article_id and d.lifted_at is not null)
"""


@dataclass(frozen=True, slots=True)
class KeyState:
    """Who holds a key, and what was last seen under it."""

    article_id: str
    owned: bool
    item_sha256: str


def take(connection: Connection, wanted: dict[IdentityKey, KeyState]) -> dict[IdentityKey, KeyState]:
    """Lock every key; a free one is taken as wanted. Returns the state of those that were held before."""
    held: dict[IdentityKey, KeyState] = {}
    missing = dict(wanted)
    while missing:
        taken = send(connection, _TAKE, [_row(key, state) for key, state in missing.items()])
        for kind, value in taken:
            del missing[IdentityKey(kind=kind, value=value)]
        found = send(connection, _LOCK, [{"kind": key.kind, "value": key.value} for key in missing])
        for kind, value, article_id, owned, item_sha256 in found:
            key = IdentityKey(kind=kind, value=value)
            held[key] = KeyState(str(article_id), owned, item_sha256)
            del missing[key]
        # What is left was released by its holder between the two statements: it is free now.
    return held


def last_seen(connection: Connection, keys: Sequence[IdentityKey]) -> dict[IdentityKey, str]:
    """The hash of what was last seen under each key that is held."""
    found = send(connection, _LAST_SEEN, [{"kind": key.kind, "value": key.value} for key in keys])
    return {IdentityKey(kind=kind, value=value): str(item_sha256) for kind, value, item_sha256 in found}


def hold(connection: Connection, states: dict[IdentityKey, KeyState]) -> None:
    """Write the final holder of keys taken in this transaction."""
    send(connection, _HOLD, [_row(key, state) for key, state in states.items()])


def release(connection: Connection, keys: Sequence[IdentityKey]) -> None:
    """Delete keys that nobody came to hold."""
    send(connection, _RELEASE, [{"kind": key.kind, "value": key.value} for key in keys])


def _row(key: IdentityKey, state: KeyState) -> dict[str, object]:
    return {
        "kind": key.kind,
        "value": key.value,
        "article_id": state.article_id,
        "owned": state.owned,
        "item_sha256": state.item_sha256,
    }
