"""Table api_key: who may use the HTTP door, for what, and how often."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection

SCOPES = ("ingest", "read", "admin")

_ADD = """
insert into api_key (id, name, secret_hash, scopes, per_minute, expires_at)
values (%(id)s, %(name)s, %(secret_hash)s, %(scopes)s, %(per_minute)s,
        now() + make_interval(days => %(days)s))
"""

_VALID = """
select id, name, secret_hash, scopes, per_minute, expires_at from api_key
 where revoked_at is null and (expires_at is null or expires_at > now())
"""

_LIST = """
select id, name, scopes, per_minute, created_at, expires_at, revoked_at from api_key order by created_at, id
"""

_REVOKE = "update api_key set revoked_at = now() where id = %s and revoked_at is null"


class ApiKey(NamedTuple):
    """A key that is neither revoked nor expired."""

    id: str
    name: str
    secret_hash: str
    scopes: list[str]
    per_minute: int | None
    expires_at: datetime | None


def hashed(secret: str) -> str:
    """What is kept of a key's secret part. It has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def add(
    connection: Connection,
    *,
    key_id: str,
    name: str,
    secret: str,
    scopes: list[str],
    per_minute: int | None,
    days: int | None,
) -> None:
    """Insert a key; `days` is how long it lasts, None for ever."""
    values = {"id": key_id, "name": name, "secret_hash": hashed(secret), "scopes": scopes}
    with connection.cursor() as cursor:
        cursor.execute(_ADD, {**values, "per_minute": per_minute, "days": days})


def valid(connection: Connection) -> list[ApiKey]:
    """Every key that opens something now."""
    with connection.cursor() as cursor:
        cursor.execute(_VALID)
        return [ApiKey(*row) for row in cursor.fetchall()]


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every key without its hash, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LIST)
        return cursor.fetchall()


def revoke(connection: Connection, key_id: str) -> bool:
    """End a key; False when there is none that is not ended."""
    with connection.cursor() as cursor:
        cursor.execute(_REVOKE, (key_id,))
        return cursor.rowcount > 0
