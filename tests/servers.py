"""The servers that the tests run against: from the wheels, in containers, or named by the environment."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn, Protocol, TypeVar
from urllib.parse import quote, urlsplit

import psycopg
import pytest

from copydesk.embedded.postgres import PostgresServer
from copydesk.embedded.valkey import ValkeyServer
from copydesk.errors import ServerStartError
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.containers import ContainerServer

    Started = TypeVar("Started", ValkeyServer, PostgresServer, ContainerServer)

REDIS_VARIABLE = "COPYDESK_TEST_REDIS_URL"
POSTGRES_VARIABLE = "COPYDESK_TEST_POSTGRES_URL"


class Server(Protocol):
    """Any server of a test, whoever runs it."""

    @property
    def url(self) -> str: ...


class OwnServer(Protocol):
    """What a test may do to a server of the run's own, whichever pair it is of."""

    @property
    def url(self) -> str: ...
    def start(self) -> None: ...
    def stop(self, how: signal.Signals | None = None) -> None: ...
    def kill(self) -> None: ...


class OwnPostgres(OwnServer, Protocol):
    @property
    def admin_url(self) -> str:
        """The superuser's."""


@dataclass(frozen=True)
class ConfiguredServer:
    """A server somebody else runs. `url` has a role that may create databases, or a logical database we may flush."""

    url: str


def unavailable(error: Exception) -> NoReturn:
    """A server is missing: that fails in CI and skips on a laptop."""
    reason = f"no server to test with: {error}"
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def run_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all xdist workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def worker_number() -> int:
    """0 without xdist, else 1 for the first worker."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "")
    return int(name.removeprefix("gw")) + 1 if name else 0


def cluster_template(shared: Path) -> Path:
    """A stopped Postgres cluster, made once by whichever xdist worker comes first."""
    with (shared / "postgres-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = PostgresServer(shared / "postgres-template", fsync=False)
        if not server.cluster.exists():
            server.start()
            server.stop()
    return server.cluster


def container(name: Literal["redis", "postgres"]) -> ContainerServer:
    """A server in a container that is removed with this test run, if not before."""
    from tests import containers

    make = {"redis": containers.redis_container, "postgres": containers.postgres_container}[name]
    return make(containers.run_name(os.getppid() if worker_number() else os.getpid()))


@contextlib.contextmanager
def running(server: Started) -> Iterator[Started]:
    """Start `server`, and afterwards end it and remove its data."""
    try:
        server.start()
    except ServerStartError as error:
        unavailable(error)
    try:
        yield server
    finally:
        if isinstance(server, ValkeyServer | PostgresServer):
            server.stop(how=server.death_signal)
            shutil.rmtree(server.data_dir, ignore_errors=True)
        else:
            server.remove()


def with_database(url: str, name: str) -> str:
    """`url` with another database (Postgres) or logical database (Redis)."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


def quoted(part: str) -> str:
    """A user name or password as it stands in a URL."""
    return quote(part, safe="")


def database_name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


@contextlib.contextmanager
def fresh_database(server_url: str, template: str = "template0") -> Iterator[str]:
    """The URL of a new database cloned from `template`, dropped at the end whoever is still connected."""
    name = f"copydesk_test_{uuid.uuid4().hex[:12]}"
    execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield with_database(server_url, name)
    finally:
        wait_until(lambda: _drop(server_url, name), 30, f"{name} to be dropped")


def _drop(server_url: str, name: str) -> bool:
    try:
        execute(server_url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    except psycopg.errors.InsufficientPrivilege:  # an autovacuum worker is in there, which only a superuser may end
        return False
    return True


def execute(url: str, *statements: str) -> None:
    """Run statements one by one, each in its own transaction."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
