"""What Postgres says of itself and of who we are to it."""

from __future__ import annotations

import time
from typing import NamedTuple

from copydesk.storage import schema
from copydesk.storage.connection import Connection, translated_errors

_STATE = """
select current_setting('server_version_num')::integer, extract(epoch from clock_timestamp())::double precision,
       current_setting('fsync') = 'on', current_setting('synchronous_commit'), r.rolname, r.rolsuper,
       coalesce((select bool_or(pg_has_role(c.relowner, 'usage')) from pg_class c
                  where c.oid = to_regclass('article_head')), false)
  from pg_roles r where r.rolname = current_user
"""


class PostgresServer(NamedTuple):
    """`ahead_s` is how far its clock is ahead of this machine's."""

    version: int
    """17 for 17.5."""
    ahead_s: float
    fsync: bool
    synchronous_commit: str
    role: str
    is_superuser: bool
    is_owner: bool
    """Whether we may do anything with the articles."""
    is_encrypted: bool
    """TLS, or a socket of this machine."""
    password: str
    """The one we came in with, empty for none."""
    present: frozenset[int]
    wanted: frozenset[int]


def look(connection: Connection) -> PostgresServer:
    """Ask it. Raises `DatabaseUnavailable`."""
    with translated_errors("look"), connection.transaction():
        before = time.time()
        row = connection.execute(_STATE).fetchone()
        between = (before + time.time()) / 2
        assert row is not None  # noqa: S101 - pg_roles has a row for whoever asks
        number, clock, fsync, commit, role, is_superuser, is_owner = row
        present, wanted = schema.state(connection)
    info = connection.info
    return PostgresServer(
        number // 10000,
        clock - between,
        fsync,
        commit,
        role,
        is_superuser,
        is_owner,
        connection.pgconn.ssl_in_use or not info.host or info.host.startswith("/"),
        info.password,
        present,
        wanted,
    )
