"""Servers, databases and queues for every test that asks for them by name.

One Redis and one Postgres a test process (xdist worker), started when a test first needs them: from the wheels, or
those of COPYDESK_TEST_REDIS_URL and COPYDESK_TEST_POSTGRES_URL, or with `--servers=containers` redis:8 and postgres:17
in containers, for the same tests. Each test gets an empty Redis and a database of its own. On Linux the wheels' servers
end with the test process even if that is killed; containers that outlive a killed run go when the next one starts.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from hypothesis import settings

from copydesk.embedded import PostgresServer, ValkeyServer, launcher
from copydesk.errors import ServerStartError
from tests import servers

_SERVER_FIXTURES = {"redis_server", "postgres_server", "own_redis", "own_postgres"}


# `make fuzz` runs the same properties for as long as it takes.
settings.register_profile("fuzz", max_examples=20_000, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--servers",
        choices=("wheels", "containers"),
        default="wheels",
        help="containers: only the tests that speak to Redis or Postgres, on redis:8 and postgres:17",
    )


def pytest_configure(config: pytest.Config) -> None:
    """See to it that no server outlives the run, and end it where it wants containers and no engine answers."""
    if servers.worker_number():
        # It goes at once with a killed pytest, and its servers with it; by itself it takes 15 s to notice.
        launcher.tie_to_parent(os.getppid(), signal.SIGKILL)
    elif config.getoption("--servers") == "containers":
        from tests import containers

        fault = containers.engine_fault()
        if fault:
            is_required = os.environ.get("COPYDESK_TEST_DOCKER") == "required"
            pytest.exit(f"NOT RUN on redis:8 and postgres:17: no Docker engine answers ({fault})", int(is_required))
        cleanup = contextlib.ExitStack()
        cleanup.enter_context(containers.removed_at_the_end(containers.run_name(os.getpid())))
        config.add_cleanup(cleanup.close)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which pair of servers the figures below are about."""
    names = {"wheels": "Valkey and Postgres from the wheels", "containers": "redis:8 and postgres:17 in containers"}
    given = [name for name in (servers.REDIS_VARIABLE, servers.POSTGRES_VARIABLE) if os.environ.get(name)]
    pair = config.getoption("--servers")
    but = f", and what {' and '.join(given)} names" if given and pair == "wheels" else ""
    terminalreporter.write_line(f"servers: {names[pair]}{but}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a server, so that `-m "not servers"` runs the rest anywhere; with containers run no other."""
    for item in items:
        if _SERVER_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)
    if config.getoption("--servers") == "containers":
        others = [item for item in items if item.get_closest_marker("servers") is None]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("servers")]


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[servers.Server]:
    """A Redis for this test process. For the test's own part of it take `redis_url`; to kill it, `own_redis`."""
    if pytestconfig.getoption("--servers") == "containers":
        with servers.running(servers.container("redis")) as server:
            yield server
        return
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
    with servers.running(ValkeyServer(tmp_path_factory.mktemp("redis"))) as server:
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
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[servers.Server]:
    """A Postgres for this test process. For a database take `database_url`; to kill the server, `own_postgres`."""
    if pytestconfig.getoption("--servers") == "containers":
        with servers.running(servers.container("postgres")) as server:
            yield server
        return
    configured = os.environ.get(servers.POSTGRES_VARIABLE)
    if configured:
        try:
            psycopg.connect(configured).close()
        except psycopg.OperationalError as error:
            servers.unavailable(error)
        yield servers.ConfiguredServer(configured)
        return
    template: Path = request.getfixturevalue("postgres_template")
    folder = tmp_path_factory.mktemp("postgres")
    with servers.running(PostgresServer(folder, fsync=False, template=template)) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: servers.Server) -> str:
    """An empty logical database; nobody else uses it while the test runs."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushdb()
    return redis_server.url


@pytest.fixture
def empty_database_url(postgres_server: servers.Server) -> Iterator[str]:
    """A database with nothing in it, dropped after the test."""
    with servers.fresh_database(postgres_server.url) as url:
        yield url


@pytest.fixture(scope="session")
def _schema_template(postgres_server: servers.Server) -> Iterator[str]:
    """The name of a database with the schema and no rows, to clone."""
    from copydesk.storage import schema

    with servers.fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            schema.install(connection)
        yield servers.database_name(url)


@pytest.fixture
def database_url(postgres_server: servers.Server, _schema_template: str) -> Iterator[str]:
    """A database with copydesk's schema and no rows, dropped after the test."""
    with servers.fresh_database(postgres_server.url, template=_schema_template) as url:
        yield url


@pytest.fixture
def own_redis(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[servers.OwnServer]:
    """A running Redis of the test's own, to stop, kill and fill up."""
    in_container = pytestconfig.getoption("--servers") == "containers"
    with servers.running(servers.container("redis") if in_container else ValkeyServer(tmp_path / "redis")) as server:
        yield server


@pytest.fixture
def own_postgres(
    tmp_path: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Iterator[servers.OwnPostgres]:
    """A running Postgres of the test's own, to stop and kill; no schema."""
    if pytestconfig.getoption("--servers") == "containers":
        made = servers.container("postgres")
    else:
        template: Path = request.getfixturevalue("postgres_template")
        made = PostgresServer(tmp_path / "postgres", fsync=False, template=template)
    with servers.running(made) as server:
        yield server
