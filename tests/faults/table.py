"""The faults by name: each does its harm to a run that is under way, and undoes it before it returns."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator

import psycopg
import redis as redis_client

from copydesk.queue.app import INGEST_QUEUE
from copydesk.queue.streams import ArticleStream, Outgoing, connect
from tests.entries import article, close, job, text
from tests.faults.driver import PROCESSES, Act, Run, suspend
from tests.process_table import children_of
from tests.servers import execute
from tests.waiting import wait_until

# How long a server is away or refuses, and how long kills go on.
LASTS_S = 4.0

# A fixed seed: a run that fails can be had again, as far as the machine lets it.
SEED = 7

# Neighbours of each bad document in its own job.
NEIGHBOURS = 8


# --- processes ---------------------------------------------------------------------------------------------------


def killed(name: str) -> Act:
    def act(run: Run) -> None:
        moments = random.Random(f"{SEED} {name}")
        for _ in range(4):
            run.last(moments.uniform(0.2, 1.8))
            run.end(name)
        run.tend()

    return act


def restarted_in_turn(run: Run) -> None:
    for name in PROCESSES:
        run.end(name, signal.SIGTERM)
        run.last(0.5)


def two_schedulers(run: Run) -> None:
    run.more("scheduler-2")
    run.last(LASTS_S)
    run.fewer("scheduler-2")


def more_and_fewer_workers(run: Run) -> None:
    run.more("ingest-2", "ingest-3")
    run.last(LASTS_S)
    run.fewer("ingest-2", "ingest-3")


# --- Redis -------------------------------------------------------------------------------------------------------


def redis_killed(run: Run) -> None:
    run.redis.kill()
    run.last(LASTS_S)
    run.redis.start()


def redis_clients_killed(run: Run) -> None:
    with redis_client.Redis.from_url(run.redis.url) as client:
        for _ in range(4):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal")
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            run.last(LASTS_S / 4)


def redis_suspended(run: Run) -> None:
    assert run.redis.pid
    suspend([run.redis.pid], run, LASTS_S)


def redis_flushed(run: Run) -> None:
    """While jobs lie in it that no worker has taken: the worker is held until some do."""
    os.kill(run.stack.pid("ingest"), signal.SIGSTOP)
    try:
        with redis_client.Redis.from_url(run.redis.url) as client:
            wait_until(lambda: client.llen(INGEST_QUEUE) >= 4, 30, "jobs that nobody has taken")
            client.flushall()
    finally:
        os.kill(run.stack.pid("ingest"), signal.SIGCONT)


# --- Postgres ----------------------------------------------------------------------------------------------------


def postgres_killed(run: Run) -> None:
    run.postgres.stop(signal.SIGQUIT)  # at once and without a checkpoint; SIGKILL would leave its children
    run.last(LASTS_S)
    run.postgres.start()


def postgres_suspended(run: Run) -> None:
    assert run.postgres.pid
    suspend([run.postgres.pid, *children_of(run.postgres.pid)], run, LASTS_S)


def postgres_read_only(run: Run) -> None:
    reload = "select pg_reload_conf()"
    execute(run.postgres.admin_url, "alter system set default_transaction_read_only = on", reload)
    try:
        run.last(LASTS_S)
    finally:
        execute(run.postgres.admin_url, "alter system reset default_transaction_read_only", reload)


def postgres_full_of_connections(run: Run) -> None:
    """Everyone's connection is cut, and whoever comes again finds no place."""
    with contextlib.ExitStack() as held, psycopg.connect(run.postgres.admin_url, autocommit=True) as admin:
        until = time.monotonic() + LASTS_S
        while time.monotonic() < until:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where application_name like 'copydesk%' and application_name <> 'copydesk fault'"
            )
            for connection in _until_full(run.postgres.url):
                held.enter_context(connection)
            run.last(0.5)


def _until_full(url: str) -> Iterator[psycopg.Connection]:
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            yield psycopg.connect(url, application_name="copydesk fault")


# --- documents ---------------------------------------------------------------------------------------------------


def rows_refused(run: Run) -> None:
    """NULs, which no text of Postgres takes, past every door's check: as an error of our own would bring them."""
    stream = ArticleStream(connect(run.redis.url))
    for n in range(3):
        ref = job(f"refused{n}")
        entries = [Outgoing(article(f"n{n}-{k}", text(5_000_000 + 10 * n + k), job=ref)) for k in range(NEIGHBOURS)]
        entry = article(f"refused{n}", text(6_000_000 + n), job=ref, changes={"title": "a\x00b"})
        stream.publish([*entries, Outgoing(entry, b"raw %d" % n), Outgoing(close(ref, NEIGHBOURS + 1))])
        run.expected |= {f"n{n}-{k}": "stored" for k in range(NEIGHBOURS)} | {f"refused{n}": "dead"}
        run.last(LASTS_S / 3)


def nothing(run: Run) -> None:
    """What the others are compared with: so long the backlog takes by itself."""
    run.last(LASTS_S)


FAULTS: dict[str, Act] = {
    "none": nothing,
    **{f"{name} killed 4 times": killed(name) for name in PROCESSES},
    "all restarted in turn": restarted_in_turn,
    "two schedulers": two_schedulers,
    "1, 3, 1 ingest workers": more_and_fewer_workers,
    "Redis killed": redis_killed,
    "Redis cuts all clients": redis_clients_killed,
    "Redis suspended": redis_suspended,
    "Redis flushed": redis_flushed,
    "Postgres killed": postgres_killed,
    "Postgres suspended": postgres_suspended,
    "Postgres read-only": postgres_read_only,
    "Postgres full of connections": postgres_full_of_connections,
    "rows that Postgres refuses": rows_refused,
}

# In every run of the suite: one of each kind.
SHORT = (
    "fetch killed 4 times",
    "all restarted in turn",
    "Redis flushed",
    "Postgres read-only",
    "Postgres full of connections",
)
