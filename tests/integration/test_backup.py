"""A dump restored as docs/backup.md says: everything is there, with its privileges, and goes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psycopg
import pytest

from copydesk.embedded import PostgresServer, binaries
from copydesk.storage import roles, schema
from tests import servers
from tests.entries import article, close, job, text
from tests.integration.writing import Desk
from tests.processes import ROOT
from tests.roles import url_of_role, urls_of_roles


def _tool(name: str, *arguments: str) -> None:
    subprocess.run([str(binaries.postgres_programs() / name), *arguments], check=True, capture_output=True)


def test_a_restored_dump_has_everything_and_is_written_to_again(
    desk: Desk, postgres_server: servers.Server, tmp_path: Path
) -> None:
    if not isinstance(postgres_server, PostgresServer):
        pytest.skip("the tools of the wheels are for the server of the wheels")
    urls_of_roles(postgres_server, desk.database_url)
    desk.store([*(article(f"a-{n}", text(n), job=job("first")) for n in (1, 2, 3)), close(job("first"), 3)])
    before, dump = desk.shape(), str(tmp_path / "copydesk.dump")
    shown = (ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
    for command in ("pg_dump -U copydesk -Fc", "pg_restore -U copydesk --no-owner --no-privileges"):
        assert command in shown

    _tool("pg_dump", "-Fc", "-f", dump, desk.database_url)
    with servers.fresh_database(postgres_server.url) as url:
        _tool("pg_restore", "--no-owner", "--no-privileges", "-d", url, dump)
        with psycopg.connect(url) as connection:
            applied = schema.install(connection)
            granted = roles.set_up(connection, [roles.login_of("reader", url_of_role(url, "reader"))])
        restored = Desk(desk.stream, desk.redis_url, url)
        after = restored.shape()
        restored.store([article("b-1", text(4), job=job("later")), close(job("later"), 1)])
        with psycopg.connect(url_of_role(url, "reader")) as connection:
            read = connection.execute("select count(*) from article").fetchone()

    assert applied == []
    assert after == before
    assert [made.what for made in granted] == ["kept, its password is not ours to set"]
    assert read == (4,)
