"""The storage writer while its servers are killed, silent, full or gone: the batch is kept, and stored once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
import structlog

from copydesk.delivery.writer import Writer
from copydesk.errors import DatabaseUnavailable, QueueUnavailable
from copydesk.storage import connection as database
from copydesk.storage import schema
from tests.entries import article, close, job, text
from tests.integration.silence import silent_proxy
from tests.integration.writing import Desk, desk_on
from tests.servers import OwnPostgres, OwnServer
from tests.waiting import wait_until


def _fill(desk: Desk, jobs: int, each: int = 20) -> None:
    for j in range(jobs):
        ref = job(f"job{j}")
        desk.publish([article(f"{j}/{n}", text(j * each + n), job=ref) for n in range(each)] + [close(ref, each)])


class Running:
    """A writer in a thread, restarted as its process would be."""

    def __init__(self, desk: Desk, **changes: Any) -> None:
        self.stop = threading.Event()
        self.failure: BaseException | None = None
        self.writer: Writer = desk.writer(stop=self.stop, **changes)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                try:
                    self.writer.step()
                except QueueUnavailable:
                    self.writer.after_error()
                    self.stop.wait(0.05)
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            self.failure = error

    def end(self) -> None:
        self.stop.set()
        self._thread.join(timeout=30)
        assert not self._thread.is_alive()
        if self.failure:
            raise self.failure


@pytest.fixture
def running() -> Iterator[Callable[..., Running]]:
    found: list[Running] = []

    def start(desk: Desk, **changes: Any) -> Running:
        found.append(Running(desk, **changes))
        return found[-1]

    yield start
    for each in found:
        each.end()


def _finished(desk: Desk) -> bool:
    return desk.stream.depth() == 0


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_postgres_ends_and_comes_back_and_everything_is_there_once(
    redis_url: str, own_postgres: OwnPostgres, running: Callable[..., Running], how: str
) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    with desk_on(redis_url, own_postgres.url) as desk:
        _fill(desk, 60)
        running(desk, batch_size=30)
        for done in (1, 200, 400):
            wait_until(lambda done=done: len(desk.rows("select 1 from receipt")) >= done, 30, f"{done} are stored")
            if how == "kill":
                own_postgres.kill()
            else:
                own_postgres.stop(how=signal.SIGQUIT)
            own_postgres.start()
        wait_until(lambda: _finished(desk), 60, "the stream is empty")

        assert set(desk.closed().values()) == {(20, 20)}
        assert len(desk.closed()) == 60
        assert desk.rows("select count(*) from article") == [(1200,)]
        assert desk.rows("select count(*) from dead_letter") == [(0,)]
        desk.check()


def test_connections_cut_in_the_middle_of_a_commit_double_nothing(
    redis_url: str, own_postgres: OwnPostgres, running: Callable[..., Running]
) -> None:
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    with (
        desk_on(redis_url, own_postgres.url) as desk,
        psycopg.connect(own_postgres.admin_url, autocommit=True) as admin,
    ):
        _fill(desk, 60)
        running(desk, batch_size=10)
        cuts = 0
        while not _finished(desk) and cuts < 12:
            found = admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'copydesk storage%' and state <> 'idle'"
            ).fetchall()
            cuts += len(found)
        wait_until(lambda: _finished(desk), 60, "the stream is empty")

        assert cuts > 3
        assert desk.rows("select count(*) from article") == [(1200,)]
        assert set(desk.closed().values()) == {(20, 20)}
        desk.check()


def test_a_database_without_the_schema_is_waited_for(
    redis_url: str, empty_database_url: str, running: Callable[..., Running]
) -> None:
    with desk_on(redis_url, empty_database_url) as desk:
        _fill(desk, 1)
        running(desk)
        with structlog.testing.capture_logs() as logs:
            wait_until(lambda: logs, 10, "the writer says what it waits for")
        with psycopg.connect(empty_database_url) as connection:
            schema.install(connection)
        wait_until(lambda: _finished(desk), 20, "the stream is empty")

        assert desk.closed() == {"job0": (20, 20)}


def test_a_silent_peer_is_cut_and_the_batch_kept(
    redis_url: str, database_url: str, running: Callable[..., Running]
) -> None:
    with desk_on(redis_url, database_url) as desk, silent_proxy(database_url) as (proxy, url):
        _fill(desk, 1)
        through = Desk(desk.stream, redis_url, url)
        desk.drain(writer := through.writer(deadline_s=0.5))
        proxy.silent.set()
        writer.close()
        ref = job("later")
        desk.publish([article("late", text(99), job=ref), close(ref, 1)])
        running(through, deadline_s=0.5)
        seen = proxy.connections
        wait_until(lambda: proxy.connections > seen + 1, 20, "a silent connection is given up for another")
        assert desk.stream.depth() == 2
        proxy.silent.clear()
        wait_until(lambda: _finished(desk), 20, "the stream is empty")

        assert desk.closed() == {"job0": (20, 20), "later": (1, 1)}


def test_a_transaction_on_a_silent_peer_ends_at_its_deadline(database_url: str) -> None:
    with silent_proxy(database_url) as (proxy, url):
        connection = database.connect(url, deadline_s=5)
        connection.execute("select 1")
        proxy.silent.set()
        # Without a deadline it would wait for ever: then the proxy ends it.
        last_net = threading.Timer(20, proxy.close)
        last_net.start()
        with pytest.raises(DatabaseUnavailable), database.deadline(connection, 0.3), database.translated_errors("x"):
            connection.execute("select 1")
        assert last_net.is_alive()
        last_net.cancel()
        last_net.join()
        assert connection.broken


def test_a_peer_that_falls_silent_while_connecting_is_given_up(database_url: str) -> None:
    with silent_proxy(database_url) as (proxy, url):
        proxy.silent.set()
        with pytest.raises(DatabaseUnavailable):
            database.connect(url, deadline_s=0.5)


def test_a_deadline_that_is_kept_cuts_nothing(database_url: str) -> None:
    with database.connect(database_url) as connection:
        for _ in range(3):
            with database.deadline(connection, 30), connection.transaction():
                connection.execute("select 1")
        assert not connection.broken
    assert not [t for t in threading.enumerate() if isinstance(t, threading.Timer) and not t.finished.is_set()]


def test_redis_ends_after_the_commit_and_nothing_is_stored_again(
    own_redis: OwnServer, database_url: str, running: Callable[..., Running]
) -> None:
    with redis.Redis.from_url(own_redis.url) as admin:
        admin.config_set("appendonly", "yes")
        admin.config_set("appendfsync", "always")
    with desk_on(own_redis.url, database_url) as desk:
        _fill(desk, 40)
        running(desk, batch_size=30)
        for _ in range(2):
            wait_until(lambda: desk.rows("select 1 from receipt limit 1"), 20, "something is stored")
            own_redis.kill()
            own_redis.start()
        wait_until(lambda: _finished(desk), 60, "the stream is empty")

        assert set(desk.closed().values()) == {(20, 20)}
        assert len(desk.closed()) == 40
        desk.check()


def test_a_writer_told_to_stop_while_postgres_is_away_leaves_its_batch(redis_url: str, tmp_path: Path) -> None:
    with desk_on(redis_url, f"postgresql://nobody@127.0.0.1:1/{tmp_path.name}") as desk:
        _fill(desk, 1)
        stop = threading.Event()
        writer = desk.writer(stop=stop)
        stop.set()
        writer.step()
        writer.close()

        assert desk.stream.depth() == 21
        assert len(desk.stream.read_own("me", 100)) == 21


SLOW_ROWS = """
create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(0.2); return new; end';
create trigger slowly before insert on revision for each row execute function slowly();
"""


def test_a_batch_that_never_ends_within_the_deadline_is_halved_until_it_does(redis_url: str, database_url: str) -> None:
    with desk_on(redis_url, database_url) as desk:
        with psycopg.connect(database_url) as connection:
            connection.execute(SLOW_ROWS.encode())
        _fill(desk, 1, each=8)
        # 1.6 s of work whatever the machine; four rows take 0.8 s.
        desk.drain(desk.writer(deadline_s=1.2))

        assert desk.outcomes() == {f"0/{n}": "stored" for n in range(8)}
        assert desk.closed() == {"job0": (8, 8)}
