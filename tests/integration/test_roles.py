"""What the role of each kind of process may do in a real Postgres, and what it may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg
import pytest

from copydesk.errors import DatabaseUnavailable, UsageError
from copydesk.settings import environment, load, role_urls
from copydesk.storage import connection as database
from copydesk.storage import roles
from copydesk.storage.privileges import PRIVILEGES
from tests import servers
from tests.processes import ROOT
from tests.roles import url_of_role, urls_of_roles

READS = ("article", "article_head", "revision", "raw", "dead_letter", "api_key", "webhook", "outbox")

# What is seen of articles and secrets, by kind; everything else of `READS` is refused. (A table that is granted by
# column refuses `select *`.)
SEEN = {
    "inbox": set(),
    "ingest": set(),
    "fetch": {"webhook", "outbox"},
    "storage": {"article_head", "revision", "raw", "dead_letter", "outbox"},
    "scheduler": {"article", "article_head", "revision", "raw", "dead_letter", "outbox"},
    "api": {"article", "article_head", "revision", "raw", "api_key", "outbox"},
    "operator": set(READS),
    "reader": {"article"},
}

WRITES = {
    "an article": "insert into article_head (id, source, current_revision, cluster_id)"
    " values (gen_random_uuid(), 's', 1, gen_random_uuid())",
    "an article's end": "update article_head set withdrawn_at = now()",
    "a deletion": "delete from revision",
    "a receipt": "insert into receipt (ingest_id, item_id, parent_id, source, outcome, reason)"
    " values ('j', 'i', 'i', 's', 'stored', '')",
    "a feed": "insert into feed (url, source, interval_s, silent_after_s) values ('http://a.example', 's', 1, 1)",
    "a key": "insert into api_key (id, name, secret_hash, scopes) values ('k', 'n', 'h', '{}')",
    "a webhook's address": "update webhook set url = 'http://elsewhere.example'",
    "a run of the index": "insert into likeness_run (run) values ('r')",
    "a table": "create table mine (n integer)",
}

DONE = {
    "inbox": set(),
    "ingest": {"a run of the index"},
    "fetch": {"a webhook's address"},
    "storage": {"an article", "an article's end", "a receipt"},
    "scheduler": {"a deletion"},
    "api": set(),
    "operator": {"a deletion", "a feed", "a key", "a webhook's address", "a run of the index"},
    "reader": set(),
}


@pytest.fixture
def granted(postgres_server: servers.Server, database_url: str) -> str:
    if not urls_of_roles(postgres_server, database_url):
        pytest.skip("the configured Postgres gives no superuser to make roles with")
    return database_url


def _is_refused(url: str, statement: str) -> bool:
    with psycopg.connect(url) as connection:
        try:
            connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege:
            return True
        finally:
            connection.rollback()
    return False


@pytest.mark.parametrize("kind", SEEN)
def test_each_kind_reads_what_it_needs_and_nothing_else(granted: str, kind: str) -> None:
    url = url_of_role(granted, kind)

    assert {table for table in READS if not _is_refused(url, f"select * from {table}")} == SEEN[kind]  # noqa: S608 - names above


@pytest.mark.parametrize("kind", DONE)
def test_each_kind_writes_what_it_needs_and_nothing_else(granted: str, kind: str) -> None:
    url = url_of_role(granted, kind)

    assert {what for what, statement in WRITES.items() if not _is_refused(url, statement)} == DONE[kind]


def test_the_scheduler_calls_no_webhook_and_sees_no_secret_of_one(granted: str) -> None:
    url = url_of_role(granted, "scheduler")

    assert not _is_refused(url, "select id, position from webhook")
    assert _is_refused(url, "select secret from webhook")


def test_every_setting_has_its_privileges_and_every_table_somebody(granted: str) -> None:
    with psycopg.connect(granted) as connection:
        rows = connection.execute(
            "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"
            " and not relispartition"
        ).fetchall()
    tables = {name for (name,) in rows} - {"schema_migration"}

    assert {f"postgres_{kind}_url" for kind in PRIVILEGES} == set(role_urls())
    assert set().union(*PRIVILEGES.values()) == tables, "who may use a new table is said in storage/privileges.py"


def test_what_is_not_granted_any_more_is_taken_away(postgres_server: servers.Server, granted: str) -> None:
    admin_url = servers.with_database(postgres_server.admin_url, servers.database_name(granted))  # type: ignore[attr-defined]  # `granted` has seen it
    servers.execute(
        admin_url, "grant select on revision to copydesk_ingest", "grant update (title) on revision to copydesk_api"
    )

    urls_of_roles(postgres_server, granted)

    assert _is_refused(url_of_role(granted, "ingest"), "select * from revision")
    assert _is_refused(url_of_role(granted, "api"), "update revision set title = ''")


def test_passwords_are_kept_as_scram_and_changed_by_the_next_run(postgres_server: servers.Server, granted: str) -> None:
    admin_url: str = postgres_server.admin_url  # type: ignore[attr-defined]  # as above

    def stored() -> str:
        with psycopg.connect(admin_url) as connection:
            row = connection.execute("select rolpassword from pg_authid where rolname = 'copydesk_reader'").fetchone()
        assert row is not None
        return str(row[0])

    before = stored()
    with psycopg.connect(servers.with_database(admin_url, servers.database_name(granted))) as connection:
        made = roles.set_up(connection, [roles.login_of("reader", "postgresql://copydesk_reader:another@h/d")])

    assert before.startswith("SCRAM-SHA-256$")
    assert stored() != before
    assert made == [roles.Made("reader", "copydesk_reader", "password set")]


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://127.0.0.1/copydesk", "names no user"),
        ("postgresql://copydesk:x@127.0.0.1/copydesk", "would own the tables"),
        ("postgresql://copydesk_new:x@127.0.0.1/copydesk", "may not make roles"),
        ("postgresql://postgres:x@127.0.0.1/copydesk", "superuser"),
    ],
)
def test_a_role_that_would_not_confine_is_refused(database_url: str, url: str, complaint: str) -> None:
    """The owner of the wheels' database is no superuser, as with most hosted servers."""
    with psycopg.connect(database_url) as connection:
        owner = connection.execute("select rolsuper, rolname from pg_roles where rolname = current_user").fetchone()
        if owner != (False, "copydesk"):
            pytest.skip("the owner of this server's database is another")

        with pytest.raises(UsageError, match=complaint):
            roles.set_up(connection, [roles.login_of("api", url)])


def test_the_command_makes_them_and_prints_no_password(postgres_server: servers.Server, granted: str) -> None:
    admin_url = servers.with_database(postgres_server.admin_url, servers.database_name(granted))  # type: ignore[attr-defined]  # as above
    settings = load({}, postgres_url=admin_url, postgres_ingest_url=url_of_role(granted, "ingest"))

    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", "database", "roles", "--json"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment(settings)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == [{"kind": "ingest", "role": "copydesk_ingest", "what": "password set"}]
    assert "p@ss" not in done.stdout + done.stderr


def test_a_process_without_a_privilege_waits_as_for_a_server_that_is_away(granted: str) -> None:
    """Whoever grants it later finds the work where it was."""
    with (
        database.connect(url_of_role(granted, "ingest")) as connection,
        pytest.raises(DatabaseUnavailable, match="permission denied for table revision"),
        database.translated_errors("look"),
    ):
        connection.execute("select * from revision")
