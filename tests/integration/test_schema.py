"""The schema: fresh equals migrated, whoever asks and however often."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from copydesk.errors import SchemaMismatch
from copydesk.storage import connection as database
from copydesk.storage import schema
from tests.servers import Server, fresh_database

# What makes a schema, by what it is called: oids and the order of creation differ.
_CATALOGS = {
    "columns": """
        select table_name, column_name, ordinal_position, column_default, is_nullable, data_type, udt_name,
               is_identity, identity_generation, collation_name
          from information_schema.columns where table_schema = 'public'""",
    "storage": """
        select c.relname, c.relkind::text, c.reloptions, a.attname, a.attstorage::text, a.attcompression::text
          from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
         where c.relnamespace = 'public'::regnamespace""",
    "indexes": "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'",
    "constraints": """
        select conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
          from pg_constraint where connamespace = 'public'::regnamespace""",
    "views": "select viewname, definition from pg_views where schemaname = 'public'",
    "functions": "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace",
    "triggers": "select tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "comments": """
        select c.relname, d.objsubid, d.description from pg_description d join pg_class c on c.oid = d.objoid
         where c.relnamespace = 'public'::regnamespace""",
    "versions": "select version, name from schema_migration",
}


def _catalogs(url: str) -> dict[str, list[tuple[object, ...]]]:
    with psycopg.connect(url) as connection:
        return {name: sorted(connection.execute(query).fetchall(), key=repr) for name, query in _CATALOGS.items()}


def test_an_old_database_is_brought_to_what_a_new_one_has(postgres_server: Server, empty_database_url: str) -> None:
    with fresh_database(postgres_server.url) as other:
        with psycopg.connect(other) as connection:
            schema.migrate_from_nothing(connection)
        with psycopg.connect(empty_database_url) as connection:
            schema.install(connection)
        migrated, fresh = _catalogs(other), _catalogs(empty_database_url)

    assert migrated == fresh
    assert len(fresh["columns"]) > 50
    assert fresh["views"]


def test_installing_again_changes_nothing(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        first = schema.install(connection)
        before = _catalogs(empty_database_url)
        second = schema.install(connection)

    assert (first, second) == (["schema"], [])
    assert _catalogs(empty_database_url) == before


def test_many_processes_may_install_at_once(empty_database_url: str) -> None:
    def install(_: int) -> list[str]:
        with database.connect(empty_database_url) as connection:
            return schema.install(connection)

    with ThreadPoolExecutor(8) as pool:
        applied = list(pool.map(install, range(8)))

    assert sorted(applied) == [[]] * 7 + [["schema"]]


@pytest.mark.parametrize("ask", [schema.install, schema.check])
def test_a_database_from_the_future_is_left_alone(
    database_url: str, ask: Callable[[database.Connection], object]
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("insert into schema_migration values (9999, 'from the future')")
        connection.commit()
        before = _catalogs(database_url)
        with pytest.raises(SchemaMismatch, match="9999"):
            ask(connection)

    assert _catalogs(database_url) == before


def test_an_empty_database_is_no_match_until_it_is_installed(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        with pytest.raises(SchemaMismatch, match="none"):
            schema.check(connection)
        schema.install(connection)
        schema.check(connection)


def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with psycopg.connect(empty_database_url) as connection:
        schema.install(connection)
        before = _catalogs(empty_database_url)
        broken = schema.Migration(9000, "broken", "create table half_made (); select 1 / 0;")
        known = schema.migrations()
        monkeypatch.setattr(schema, "migrations", lambda: [*known, broken])
        with pytest.raises(Exception, match="zero"):
            schema.install(connection)

    assert _catalogs(empty_database_url) == before


def test_the_migrations_are_numbered_without_gap() -> None:
    assert [m.version for m in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))
