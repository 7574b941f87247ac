"""Servers, databases and queues for every test that asks for them by name.

One Redis and one Postgres a test process (xdist worker), started from the wheels when a test first needs them, or
those of COPYDESK_TEST_REDIS_URL and COPYDESK_TEST_POSTGRES_URL. Each test gets an empty Redis and a database of its
own. On Linux the servers end with the test process even if that is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from copydesk.embedded import PostgresServer, ValkeyServer, launcher
from copydesk.errors import ServerStartError
from tests import servers

_SERVER_FIXTURES = {"redis_server", "postgres_server", "own_redis", "own_postgres"}


def pytest_configure() -> None:
    """An xdist worker goes at once with a killed pytest, and its servers with it; by itself it takes 15 s to notice."""
    if servers.worker_number():
        launcher.tie_to_parent(os.getppid(), signal.SIGKILL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, so that `-m "not servers"` runs the rest anywhere."""
    for item in items:
        if _SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer | servers.ConfiguredServer]:
    """A Redis for this test process. For the test's own part of it take `redis_url`; to kill it, `own_redis`."""
    configured = os.environ.get(servers.REDIS_VARIABLE)
    if configured:
        # Database 0 is left alone: it may hold somebody's data.
        url = servers.with_database(configured, str(1 + servers.worker_number()))
        try:
            with redis.Redis.from_url(url) as client:
                client.ping()
        except redis.ConnectionError as error:
            servers.unavailable(error)
        yield servers.ConfiguredServer(url)
        return
    server = ValkeyServer(tmp_path_factory.mktemp("redis"))
    with servers.running(server):
        yield server


@pytest.fixture(scope="session")
def postgres_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped cluster to copy from: `PostgresServer(folder, fsync=False, template=postgres_template)`."""
    try:
        return servers.cluster_template(servers.run_base(tmp_path_factory))
    except ServerStartError as error:
        servers.unavailable(error)


@pytest.fixture(scope="session")
def postgres_server(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[PostgresServer | servers.ConfiguredServer]:
    """A Postgres for this test process. For a database take `database_url`; to kill the server, `own_postgres`."""
    configured = os.environ.get(servers.POSTGRES_VARIABLE)
    if configured:
        try:
            psycopg.connect(configured).close()
        except psycopg.OperationalError as error:
            servers.unavailable(error)
        yield servers.ConfiguredServer(configured)
        return
    template: Path = request.getfixturevalue("postgres_template")
    server = PostgresServer(tmp_path_factory.mktemp("postgres"), fsync=False, template=template)
    with servers.running(server):
        yield server


@pytest.fixture
def redis_url(redis_server: ValkeyServer | servers.ConfiguredServer) -> str:
    """An empty logical database; nobody else uses it while the test runs."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushdb()
    return redis_server.url


@pytest.fixture
def empty_database_url(postgres_server: PostgresServer | servers.ConfiguredServer) -> Iterator[str]:
    """A database with nothing in it, dropped after the test."""
    with servers.fresh_database(postgres_server.url) as url:
        yield url


@pytest.fixture(scope="session")
def _schema_template(postgres_server: PostgresServer | servers.ConfiguredServer) -> Iterator[str]:
    """The name of a database with the schema and no rows, to clone."""
    from copydesk.storage import schema

    with servers.fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            schema.install(connection)
        yield servers.database_name(url)


@pytest.fixture
def database_url(postgres_server: PostgresServer | servers.ConfiguredServer, _schema_template: str) -> Iterator[str]:
    """A database with copydesk's schema and no rows, dropped after the test."""
    with servers.fresh_database(postgres_server.url, template=_schema_template) as url:
        yield url


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A running Redis of the test's own, to stop, kill and fill up. Always the embedded one."""
    server = ValkeyServer(tmp_path / "redis")
    with servers.running(server):
        yield server


@pytest.fixture
def own_postgres(tmp_path: Path, postgres_template: Path) -> Iterator[PostgresServer]:
    """A running Postgres of the test's own, to stop and kill. Always the embedded one; no schema."""
    server = PostgresServer(tmp_path / "postgres", fsync=False, template=postgres_template)
    with servers.running(server):
        yield server
