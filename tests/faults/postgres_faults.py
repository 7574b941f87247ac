"""What happens to Postgres: killed, restarted, suspended, silent, slow, read-only, full, locked, migrated, refusing."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from copydesk.embedded import PostgresServer
from copydesk.queue.entries import Outgoing
from copydesk.queue.streams import ArticleStream, connect
from copydesk.storage import schema
from tests.entries import article, close, job, sha256, text
from tests.faults.driver import Act, Run, suspend
from tests.faults.process_faults import LASTS_S
from tests.process_table import children_of
from tests.servers import execute

# Neighbours of each bad document in its own job.
NEIGHBOURS = 8

# A statement through the slow proxy.
SLOW_S = 1.0

# What locks take in the order that no transaction of ours has.
LOCKED = ("receipt", "ingest", "revision", "article_head", "identity_key", "outbox", "raw")

# In a text, in a JSON column, and more than an index takes of an address.
REFUSED: dict[str, dict[str, Any]] = {
    "title": {"changes": {"title": "a\x00b"}},
    "credits": {"changes": {"credits": {"editors": ("a\x00",)}}},
    "url": {"changes": {"url": "http://example.org/" + "".join(sha256(str(n)) for n in range(1000))}},
}


def killed(run: Run) -> None:
    """With all its children at once, as by the kernel when memory ends."""
    run.postgres.kill()
    run.last(LASTS_S)
    run.postgres.start()


def stopped(how: signal.Signals) -> Act:
    """SIGINT: sessions are ended and all is written; SIGQUIT: at once, and the log is read at the next start."""

    def act(run: Run) -> None:
        run.postgres.stop(how)
        run.last(LASTS_S)
        run.postgres.start()

    return act


def suspended(seconds: float) -> Act:
    def act(run: Run) -> None:
        assert isinstance(run.postgres, PostgresServer)
        assert run.postgres.pid
        suspend([run.postgres.pid, *children_of(run.postgres.pid)], run, seconds)

    return act


def read_only(run: Run) -> None:
    reload = "select pg_reload_conf()"
    execute(run.postgres.admin_url, "alter system set default_transaction_read_only = on", reload)
    try:
        run.last(LASTS_S)
    finally:
        execute(run.postgres.admin_url, "alter system reset default_transaction_read_only", reload)


def full_of_connections(run: Run) -> None:
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


def silent(run: Run) -> None:
    """It takes every byte and never answers."""
    assert run.postgres_proxy
    run.postgres_proxy.silent.set()
    try:
        run.last(2 * LASTS_S)
    finally:
        run.postgres_proxy.speak()


def slow(run: Run) -> None:
    """Each statement takes a second longer."""
    assert run.postgres_proxy
    run.postgres_proxy.delay_s = SLOW_S
    try:
        run.last(3 * LASTS_S)
    finally:
        run.postgres_proxy.delay_s = 0.0


def disk_full(run: Run) -> None:
    """Not a byte is free where its cluster is; it may end by itself over this, and is started again."""
    assert isinstance(run.postgres, PostgresServer)
    filler = run.postgres.data_dir / "filler"
    try:
        fill(filler)
        run.last(LASTS_S)
    finally:
        filler.unlink()
    if not run.postgres.is_running():
        run.postgres.kill()
        run.postgres.start()


def fill(filler: Path) -> None:
    """Write until the disk takes no byte more."""
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        for size in (2**20, 2**12, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size):
                    pass


def deadlocks(run: Run) -> None:
    """Somebody locks our tables in every order, so that transactions of ours are ended as the one too many."""
    count = "select deadlocks from pg_stat_database where datname = current_database()"
    ((before,),) = run.stack.rows(count)
    with psycopg.connect(run.postgres.admin_url) as other:
        until, turn = time.monotonic() + 2 * LASTS_S, 0
        while time.monotonic() < until:
            turn += 1
            order = LOCKED[turn % len(LOCKED) :] + LOCKED[: turn % len(LOCKED)]
            with contextlib.suppress(psycopg.OperationalError), other.transaction():
                other.execute("set local deadlock_timeout = '10s'")  # it is the others who notice
                for table in order[:: 1 if turn % 2 else -1]:
                    other.execute(f"lock table {table} in share row exclusive mode".encode())
                    time.sleep(0.02)
            run.tend()
    run.demands.append(lambda: iter(() if run.stack.rows(count)[0][0] > before else ("no deadlock came about",)))


def locked(run: Run) -> None:
    """Somebody holds the lock of a whole table."""
    with psycopg.connect(run.postgres.admin_url) as other, other.transaction():
        other.execute("lock table receipt in access exclusive mode")
        run.last(2 * LASTS_S)


def migrated(run: Run) -> None:
    """What a migration does to tables in use: columns, an index and a rewritten table, while nobody stops."""
    with psycopg.connect(run.postgres.url) as connection:
        schema.install(connection)  # another process starts, and asks for the schema
    for statement in (
        "alter table revision add column fault_note text not null default ''",
        "create index fault_index on receipt (recorded_at, outcome)",
        "alter table receipt alter column reason type text using reason || ''",
        "alter table receipt add column fault_number bigint generated always as identity",
    ):
        execute(run.postgres.admin_url, statement)
        run.last(LASTS_S / 4)
    for statement in (
        "alter table revision drop column fault_note",
        "drop index fault_index",
        "alter table receipt drop column fault_number",
    ):
        execute(run.postgres.admin_url, statement)


def rows_refused(run: Run) -> None:
    """What no column of Postgres takes, past every door's check: as an error of our own would bring it."""
    stream = ArticleStream(connect(run.redis.url))
    for n, (name, given) in enumerate(REFUSED.items()):
        ref = job(f"refused{n}")
        entries = [Outgoing(article(f"n{n}-{k}", text(5_000_000 + 10 * n + k), job=ref)) for k in range(NEIGHBOURS)]
        entry = article(f"refused-{name}", text(6_000_000 + n), job=ref, **given)
        stream.publish([*entries, Outgoing(entry, b"raw %d" % n), Outgoing(close(ref, NEIGHBOURS + 1))])
        run.expected |= {f"n{n}-{k}": "stored" for k in range(NEIGHBOURS)} | {f"refused-{name}": "dead"}
        run.last(LASTS_S / len(REFUSED))
