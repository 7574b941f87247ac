"""Brings a database to the schema of this copydesk, under a lock, so that any process may ask for it at start."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import LiteralString, NamedTuple, cast

from copydesk.errors import SchemaMismatch
from copydesk.storage.connection import Connection, translated_errors

# Any fixed number: everyone who installs takes the same advisory lock.
_LOCK = 0x636F7079

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


class Migration(NamedTuple):
    """One numbered file; `version` orders them."""

    version: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """Every migration in the package, in order."""
    found = []
    for entry in (files("copydesk.storage") / "migrations").iterdir():
        match = _FILE.match(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return sorted(found)


def install(connection: Connection) -> list[str]:
    """Create the schema, or apply what is missing; returns the names applied. Safe to run from many processes.

    Raises `SchemaMismatch` when the database is newer than this copydesk, `DatabaseUnavailable`.
    """
    wanted = migrations()
    with translated_errors("install schema"), connection.transaction(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        present = _versions(connection)
        if not present:
            cursor.execute(_trusted((files("copydesk.storage") / "schema.sql").read_text(encoding="utf-8")))
            _record(connection, wanted)
            return ["schema"]
        newest = wanted[-1].version
        if max(present) > newest:
            raise SchemaMismatch("database", f"it is at version {max(present)}, this copydesk knows {newest}")
        missing = [m for m in wanted if m.version not in present]
        for migration in missing:
            cursor.execute(_trusted(migration.sql))
        _record(connection, missing)
        return [m.name for m in missing]


def check(connection: Connection) -> None:
    """Raises `SchemaMismatch` unless the database is exactly at this copydesk's schema."""
    with translated_errors("check schema"), connection.transaction():
        present = _versions(connection)
    wanted = {m.version for m in migrations()}
    if present != wanted:
        raise SchemaMismatch(
            "database", f"versions {sorted(present) or 'none'}, wanted {sorted(wanted)}: run `copydesk migrate`"
        )


def state(connection: Connection) -> tuple[frozenset[int], frozenset[int]]:
    """(versions that the database has, versions that this copydesk knows)."""
    return frozenset(_versions(connection)), frozenset(m.version for m in migrations())


def migrate_from_nothing(connection: Connection) -> None:
    """Build the schema from the numbered files alone, as an old database got it; for the test that compares."""
    with translated_errors("migrate"), connection.transaction(), connection.cursor() as cursor:
        for migration in migrations():
            cursor.execute(_trusted(migration.sql))
        _record(connection, migrations())


def _versions(connection: Connection) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('schema_migration') is not null")
        row = cursor.fetchone()
        if not row or not row[0]:
            return set()
        cursor.execute("select version from schema_migration")
        return {version for (version,) in cursor.fetchall()}


def _record(connection: Connection, applied: list[Migration]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into schema_migration (version, name) values (%s, %s)", [(m.version, m.name) for m in applied]
        )


def _trusted(sql: str) -> LiteralString:
    """Our own files; psycopg wants to be told that the text is not built from input."""
    return cast(LiteralString, sql)  # type: ignore[redundant-cast]  # mypy takes LiteralString for str
