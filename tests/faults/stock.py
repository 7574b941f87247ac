"""The faults against a stock Celery application, with the same load, acts and count as ours: what they cost there.

    python -m tests.faults.stock [--documents 2000] [--only NAME]

It has one door, since it has no other: a sender with Celery's `send_task`, which sends again what was not taken.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import redis as redis_client
from celery import Celery
from kombu.exceptions import OperationalError

from copydesk.embedded import PostgresServer, ValkeyServer
from copydesk.queue.jobs import INGEST_QUEUE
from tests.entries import story
from tests.faults import postgres_faults, process_faults, redis_faults
from tests.faults.driver import CHUNK, Act, Run
from tests.http_door import HttpDoor
from tests.integration.silence import silent_proxy
from tests.processes import ROOT, die_with_parent
from tests.servers import OwnPostgres, OwnServer

WORKER = "ingest"

# After the fault: what has not come by then is lost. Longer than its visibility timeout and its longest back-off.
WAIT_S = 60.0

QUIET_S = 25.0

TABLE = "create table stored (id text not null, body text not null, at timestamptz not null default clock_timestamp())"


class Worker:
    """Celery's worker with a pool of two processes, as its documentation starts it; what a fault asks of a stack."""

    def __init__(self, folder: Path, redis_url: str, database_url: str) -> None:
        self.folder = folder
        self.redis_url, self.database_url = redis_url, database_url
        self._process: subprocess.Popen[bytes] | None = None
        self._log = (folder / "worker.log").open("ab")

    def start(self, *_: str) -> None:
        if self.is_running(WORKER):
            return
        variables = {"COPYDESK_TEST_STOCK_REDIS": self.redis_url, "COPYDESK_TEST_STOCK_POSTGRES": self.database_url}
        command = [sys.executable, "-m", "celery", "--app=tests.faults.stock_app", "--quiet", "worker"]
        self._process = subprocess.Popen(
            [*command, "--concurrency=2", "--loglevel=warning", "--without-gossip", "--without-mingle"],
            cwd=ROOT,
            env={**os.environ, **variables},
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads use the child before exec
        )

    def is_running(self, _: str) -> bool:
        return self._process is not None and self._process.poll() is None

    def pid(self, _: str) -> int:
        assert self._process
        return self._process.pid

    def kill(self, _: str, how: signal.Signals = signal.SIGKILL) -> None:
        """SIGKILL goes to the whole pool, as the end of a container does; any other signal to the main process."""
        assert self._process
        with contextlib.suppress(ProcessLookupError):
            (os.killpg if how is signal.SIGKILL else os.kill)(self._process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def tail(self) -> str:
        return (self.folder / "worker.log").read_text(errors="replace")[-1500:]


class StockRun(Run):
    """A run with the one process."""

    def __init__(self, worker: Worker, redis: OwnServer, postgres: OwnPostgres) -> None:
        super().__init__(cast(HttpDoor, SimpleNamespace(stack=worker)), redis, postgres, cast(Any, None), worker.folder)
        self.wanted = [WORKER]


def child_killed(run: Run) -> None:
    """A process of the pool, as the kernel kills one when memory ends."""
    for _ in range(4):
        run.last(1)
        shown = subprocess.run(["pgrep", "-P", str(run.stack.pid(WORKER))], capture_output=True, text=True, check=False)
        for pid in shown.stdout.split()[:1]:
            os.kill(int(pid), signal.SIGKILL)


def stopped(how: signal.Signals) -> Act:
    def act(run: Run) -> None:
        for _ in range(3):
            run.end(WORKER, how)
            run.last(1)

    return act


# By the names that the same faults have in our own table.
ACTS: dict[str, Act] = {
    "none": process_faults.nothing,
    "ingest killed 4 times": process_faults.killed(WORKER),
    "a process of the pool killed 4 times": child_killed,
    "all stopped by SIGTERM in turn": stopped(signal.SIGTERM),
    "all stopped by SIGQUIT in turn": stopped(signal.SIGQUIT),
    "Redis killed, appendfsync always": redis_faults.killed,
    "Redis restarted 3 times": redis_faults.restarted,
    "Redis and its machine crash, everysec": redis_faults.crashed_with_its_machine,
    "Redis flushed": redis_faults.flushed,
    "Redis full": redis_faults.full,
    "Redis suspended for 30 s": redis_faults.suspended(30),
    "Redis cuts all clients": redis_faults.clients_killed,
    "Redis silent": redis_faults.silent,
    "Postgres killed": postgres_faults.killed,
    "Postgres stopped": postgres_faults.stopped(signal.SIGINT),
    "Postgres suspended for 30 s": postgres_faults.suspended(30),
    "Postgres read-only": postgres_faults.read_only,
    "Postgres full of connections": postgres_faults.full_of_connections,
}


@contextlib.contextmanager
def running(folder: Path) -> Iterator[StockRun]:
    with (
        ValkeyServer(folder / "redis", appendfsync="always") as redis,
        PostgresServer(folder / "postgres", fsync=False) as postgres,
        silent_proxy(redis.url) as (proxy, redis_url),
    ):
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(TABLE)
        run = StockRun(Worker(folder, redis_url, postgres.url), redis, postgres)
        run.redis_proxy = proxy
        run.tend()
        try:
            yield run
        finally:
            run.stack.kill(WORKER)


def drive(run: StockRun, act: Act, documents: int) -> dict[str, object]:
    """Send, let it act, wait until nothing comes any more, count."""
    chunks = [range(n, min(n + CHUNK, documents)) for n in range(0, documents, CHUNK)]
    stop = threading.Event()
    pause_s = max(4.0, documents / 125) / len(chunks)

    def send() -> None:
        for chunk in chunks:
            while not stop.is_set() and not _send(run.stack.redis_url, chunk):
                stop.wait(0.2)
            stop.wait(pause_s)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        _wait(run, lambda: bool(_stored(run)), 60)
        act(run)
        ended = time.monotonic()
        _wait(run, lambda: not sender.is_alive(), 60)
    finally:
        stop.set()
        sender.join()
    last_s = _wait_for_the_last(run, documents, ended)
    stored = _stored(run)
    with redis_client.Redis.from_url(run.redis.url) as client:
        left = int(client.llen(INGEST_QUEUE)) + int(client.hlen("unacked"))
    lost = documents - len(stored)
    return {
        "sent": documents,
        "lost": lost,
        "left_in_redis": left,
        "doubled": sum(count > 1 for count in stored.values()),
        "recovery_s": last_s,
        "frozen": bool(lost and left and run.stack.is_running(WORKER)),
    }


def _wait_for_the_last(run: StockRun, documents: int, ended: float) -> float:
    """Until all is there, or nothing has come for a while: seconds from the end of the fault to the last row."""
    seen, came = 0, time.monotonic()
    while time.monotonic() - ended < WAIT_S and time.monotonic() - came < QUIET_S:
        run.tend()
        count = len(_stored(run))
        if count != seen:
            seen, came = count, time.monotonic()
        if seen == documents:
            break
        time.sleep(0.2)
    return max(0.0, came - ended)


def _wait(run: StockRun, is_so: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not is_so():
        run.tend()
        time.sleep(0.05)


def _send(redis_url: str, numbers: Sequence[int]) -> bool:
    items = [{"id": f"c{n}", "body": story(n)} for n in numbers]
    try:
        with Celery(broker=redis_url, set_as_current=False) as producer:
            producer.send_task("copydesk.ingest", args=[{"items": items}], queue=INGEST_QUEUE)
    except OperationalError:
        return False
    return True


def _stored(run: StockRun) -> Counter[str]:
    return Counter(label for (label,) in run.stack.rows("select id from stored"))


def main() -> None:
    """Run the faults, each on servers of its own, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--only", default="")
    parser.add_argument("--results", type=Path, help="a file for one line of JSON a fault")
    arguments = parser.parse_args()
    columns = "{:<40} {:>6} {:>6} {:>8} {:>12}  {}"
    print(columns.format("stock Celery", "sent", "lost", "doubled", "last after s", ""))
    for name, act in ACTS.items():
        if arguments.only not in name:
            continue
        with tempfile.TemporaryDirectory(prefix="copydesk-stock-") as folder, running(Path(folder)) as run:
            found = {"fault": name, **drive(run, act, arguments.documents)}
        note = "stands still, its queue full" if found["frozen"] else ""
        figures = (found["sent"], found["lost"], found["doubled"], f"{found['recovery_s']:.1f}")
        print(columns.format(name, *figures, note), flush=True)
        if arguments.results:
            with arguments.results.open("a") as file:
                file.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
