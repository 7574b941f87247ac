"""Table raw: the inputs as they came."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from copydesk.storage.connection import Connection

# Sorted, so that two writers with the same inputs wait for each other in one order. What comes again is kept on, and
# what comes from another source for as long as the longest; its bytes are not written again.
_ADD = """
insert into raw as r (sha256, data, source)
select * from unnest(%s::text[], %s::bytea[], %s::text[]) as t(sha256, data, source) order by sha256
    on conflict (sha256) do update
   set stored_at = now(), source = case when r.source = excluded.source then r.source else '' end
 where r.stored_at < now() - interval '1 day' or r.source not in ('', excluded.source)
"""

_GET = "select data from raw where sha256 = %s"

# Of those that nothing refers to any more.
_DROP = """
delete from raw w
 where w.sha256 = any (%s)
   and not exists (select from revision r where r.raw_sha256 = w.sha256)
   and not exists (select from dead_letter d
                    where d.raw_sha256 = w.sha256 and (d.resolution is null or d.resolution = 'asked'))
"""


class Input(NamedTuple):
    """An input and whose it is."""

    data: bytes
    """zlib-compressed."""
    source: str


def add(connection: Connection, inputs: Mapping[str, Input]) -> None:
    """Keep inputs by the hash of what they were before they were compressed."""
    if inputs:
        data, sources = [one.data for one in inputs.values()], [one.source for one in inputs.values()]
        with connection.cursor() as cursor:
            cursor.execute(_ADD, (list(inputs), data, sources), binary=True)


def load(connection: Connection, sha256: str) -> bytes | None:
    """The input with this hash, decompressed; None when it is not kept."""
    with connection.cursor() as cursor:
        cursor.execute(_GET, (sha256,))
        row = cursor.fetchone()
        return zlib.decompress(row[0]) if row else None


def drop(connection: Connection, digests: Sequence[str]) -> None:
    """Drop those of the inputs that no revision and no open dead letter came from."""
    if digests:
        with connection.cursor() as cursor:
            cursor.execute(_DROP, (list(digests),))
