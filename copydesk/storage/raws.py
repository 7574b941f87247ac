"""Table raw: the inputs as they came."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from copydesk.storage.connection import Connection

# Sorted, so that two writers with the same inputs wait for each other in one order.
_ADD = """
insert into raw (sha256, data)
select * from unnest(%s::text[], %s::bytea[]) as t(sha256, data) order by sha256
    on conflict (sha256) do nothing
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


def add(connection: Connection, compressed: dict[str, bytes]) -> None:
    """Keep inputs, zlib-compressed, by the hash of what they were before."""
    if compressed:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, (list(compressed), list(compressed.values())), binary=True)


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
