"""TLS to Redis and Postgres by settings: the whole way from a file to its row, and servers that are not believed."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from copydesk.errors import DatabaseNotTrusted, DatabaseUnavailable, QueueNotTrusted, QueueUnavailable
from copydesk.queue import app as queue
from copydesk.queue import streams
from copydesk.queue.jobs import Job, JobItem
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import schema
from tests import servers, tls
from tests.entries import story
from tests.processes import Stack
from tests.tls import Papers

# Those that ask for no server by name are run on either pair too.
pytestmark = pytest.mark.servers


class Secured(NamedTuple):
    """Two servers behind TLS, and the papers that they show and that they believe."""

    redis_url: str
    postgres_url: str
    papers: Papers

    def settings(self, redis: Papers, postgres: Papers, **more: Any) -> Settings:
        given = {
            f"{name}_tls_{part}": getattr(papers, part)
            for name, papers in (("redis", redis), ("postgres", postgres))
            for part in Papers._fields
        }
        return load({}, redis_url=self.redis_url, postgres_url=self.postgres_url, **given, **more)


@pytest.fixture(scope="module")
def containers(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured | None]:
    """Redis and Postgres that speak TLS themselves; None where the tests run on the wheels."""
    if pytestconfig.getoption("--servers") != "containers":
        yield None
        return
    from tests.containers import run_name

    papers = tls.papers(tmp_path_factory.mktemp("tls") / "papers", "localhost")
    run = run_name(os.getppid() if servers.worker_number() else os.getpid())
    with contextlib.ExitStack() as stack:
        both = [stack.enter_context(servers.running(server)) for server in tls.in_containers(run, papers)]
        with psycopg.connect(both[1].url) as connection:
            schema.install(connection)
        yield Secured(*(server.url.partition("?")[0] for server in both), papers)


@pytest.fixture
def secured(containers: Secured | None, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Secured]:
    """Servers that are spoken to in TLS: those above, or the wheels' behind a proxy."""
    if containers:
        yield containers
        return
    made = tls.papers(tmp_path / "right", "localhost")
    plain = [request.getfixturevalue(name) for name in ("redis_url", "database_url")]
    with contextlib.ExitStack() as stack:
        yield Secured(*(stack.enter_context(tls.before(url, made)) for url in plain), made)


def test_a_file_comes_to_its_row_through_tls_alone(secured: Secured, tmp_path: Path) -> None:
    settings = secured.settings(secured.papers, secured.papers)
    addresses = (settings.redis_url.get_secret_value(), settings.postgres_url.get_secret_value())
    files = {
        f"{name}_tls_{part}": getattr(secured.papers, part) for name in ("redis", "postgres") for part in Papers._fields
    }

    with Stack(tmp_path / "stack", *addresses, **files) as stack:
        stack.start("inbox", "ingest", "storage")
        stack.drop("desk/quay.txt", story(1))

        stack.settled("done/desk/*/quay.txt", 90)
        assert stack.rows("select name from article") == [("quay.txt",)]
        with psycopg.connect(stack.database_url) as connection:
            assert connection.pgconn.ssl_in_use


def ask_redis(settings: Settings) -> None:
    with streams.translated_errors("ping"), streams.connect(settings.redis_url.get_secret_value()) as client:
        client.ping()


def offer_a_job(settings: Settings) -> None:
    job = Job(v=1, id="j", source="s", kind="celery", received_at=datetime.now(UTC), items=(JobItem(id="i", body="b"),))
    queue.offer(queue.make_app(settings), job)


def offer_by_the_stock_transport(settings: Settings) -> None:
    offer_a_job(settings.model_copy(update={"broker_transport": "stock"}))


def ask_postgres(settings: Settings) -> None:
    database.connect(settings.postgres_url.get_secret_value()).close()


ASKED = [ask_redis, offer_a_job, offer_by_the_stock_transport, ask_postgres]


def _refusal(ask: Callable[[Settings], None]) -> type[Exception]:
    return DatabaseNotTrusted if ask is ask_postgres else QueueNotTrusted


@pytest.mark.parametrize("ask", ASKED)
def test_the_right_papers_are_let_through(secured: Secured, ask: Callable[[Settings], None]) -> None:
    ask(secured.settings(secured.papers, secured.papers))


@pytest.mark.parametrize("ask", [ask_redis, offer_a_job, ask_postgres])
def test_a_server_of_another_authority_is_refused(
    secured: Secured, ask: Callable[[Settings], None], tmp_path: Path
) -> None:
    other = tls.papers(tmp_path / "other", "localhost")
    mixed = Papers(other.ca, secured.papers.cert, secured.papers.key)

    with pytest.raises(_refusal(ask), match="certificate"):
        ask(secured.settings(mixed, mixed))


@pytest.mark.parametrize("ask", [ask_redis, ask_postgres])
def test_a_server_with_the_certificate_of_another_name_is_refused(
    redis_url: str, database_url: str, tmp_path: Path, ask: Callable[[Settings], None]
) -> None:
    papers = tls.papers(tmp_path / "elsewhere", "elsewhere.example")
    with (
        tls.before(redis_url, papers) as redis,
        tls.before(database_url, papers) as postgres,
        pytest.raises(_refusal(ask), match="localhost"),
    ):
        ask(Secured(redis, postgres, papers).settings(papers, papers))


def test_a_postgres_without_tls_is_refused(redis_url: str, database_url: str, tmp_path: Path) -> None:
    """A Redis without TLS takes the greeting for the beginning of a command, and is away as a silent one is."""
    papers = tls.papers(tmp_path / "right", "localhost")

    with pytest.raises(DatabaseNotTrusted, match="does not support SSL"):
        ask_postgres(Secured(redis_url.replace("redis:", "rediss:"), database_url, papers).settings(papers, papers))


@pytest.mark.parametrize("ask", [ask_redis, ask_postgres])
def test_a_server_that_is_away_is_no_stranger(tmp_path: Path, ask: Callable[[Settings], None]) -> None:
    papers = tls.papers(tmp_path / "right", "localhost")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    away = Secured(f"rediss://localhost:{port}", f"postgresql://copydesk@localhost:{port}/copydesk", papers)

    with pytest.raises((QueueUnavailable, DatabaseUnavailable)) as caught:
        ask(away.settings(papers, papers))

    assert not isinstance(caught.value, QueueNotTrusted | DatabaseNotTrusted)
