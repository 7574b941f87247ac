"""Real processes that hang are replaced and lose nothing; idle, waiting and paused ones are left alone."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from copydesk import stack as whole_stack
from copydesk.delivery.spool import SpoolWriter
from copydesk.embedded import PostgresServer, ValkeyServer
from copydesk.models import Hints
from copydesk.queue import streams
from copydesk.queue.app import make_app, offer
from copydesk.settings import Settings, load
from copydesk.storage import schema
from copydesk.supervisor import Status, Supervisor
from tests.faults.moments import FOLDER, FOREVER
from tests.http_door import TEXT, HttpDoor, http_door
from tests.integration.silence import silent_proxy
from tests.processes import ROOT
from tests.waiting import wait_until

STUCK_AFTER_S = 5

# Long enough for whoever takes it for a standstill.
LONGER_S = STUCK_AFTER_S + 2

PROCESSES = ("api", "fetch", "inbox", "ingest", "scheduler", "storage")

STORY = """Village number {n} opens its library

The library of village number {n} opened on Monday with {n} books and one lamp.

"We wanted {n} chairs," said the mayor, "and we have one more than that."
"""


# --- what hangs --------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(redis_url: str, database_url: str, tmp_path: Path) -> Settings:
    found = load(
        {},
        redis_url=redis_url,
        postgres_url=database_url,
        data_dir=tmp_path,
        storage_processes=1,
        stuck_after_s=STUCK_AFTER_S,
        item_seconds_max=2,
        database_deadline_s=2,
        broker_lease_s=2,
        broker_renew_s=0.5,
    )
    streams.ArticleStream(streams.connect(redis_url)).create_group()
    return found


@pytest.fixture
def supervisor(settings: Settings) -> Iterator[Supervisor]:
    """Ingest and storage as `copydesk up` starts them, with a short grace."""
    wanted = [p for p in whole_stack.programs(settings) if p.name in ("ingest-1", "storage-1")]
    programs = [
        dataclasses.replace(
            p,
            stop_grace_s=1.0,
            argv=(sys.executable, "-m", "tests.faults.moments", p.argv[-1]),
            env={**p.env, FOLDER: str(settings.data_dir)},
        )
        for p in wanted
    ]
    with Supervisor(programs, log_dir=settings.data_dir / "logs") as made:
        made.wait_ready(30)
        yield made


def ingest(supervisor: Supervisor) -> Status:
    return next(s for s in supervisor.statuses() if s.name == "ingest-1")


def accept(settings: Settings, number: int) -> str:
    """A document in the spool, offered, that no worker comes to an end with before `release`: its job's id."""
    body = STORY.format(n=number).encode()
    job_id = f"{FOREVER}{uuid.uuid4().hex}"
    with SpoolWriter(settings.spool, job_id) as writer:
        writer.write(body)
        writer.end_item(job_id, hashlib.sha256(body).hexdigest(), Hints(), None)
        spooled = writer.commit(source="web", kind="http", origin=None, received_at=datetime.now(UTC))
    offer(make_app(settings), spooled.job())
    return job_id


def release(settings: Settings, job_id: str) -> None:
    (settings.data_dir / job_id).touch()


def outcomes(settings: Settings) -> list[tuple[object, ...]]:
    with psycopg.connect(settings.postgres_url.get_secret_value()) as connection:
        return connection.execute("select item_id, outcome from receipt").fetchall()


def test_a_worker_whose_document_has_no_end_ends_itself_and_its_successor_stores_it_once(
    settings: Settings, supervisor: Supervisor
) -> None:
    job_id = accept(settings, 1)

    wait_until(lambda: ingest(supervisor).restarts, 30, "another ingest worker")
    detail = ingest(supervisor).detail
    release(settings, job_id)
    wait_until(lambda: outcomes(settings), 30, "the outcome of the document")

    # By itself, whether or not the supervisor had seen before that it was stuck.
    assert detail.endswith("ended with status 70")
    assert "takes longer than its limit of 2 s" in (settings.data_dir / "logs" / "ingest-1.log").read_text()
    assert outcomes(settings) == [(job_id, "stored")]


def test_a_stopped_worker_is_killed_and_replaced_and_its_document_is_stored_once(
    settings: Settings, supervisor: Supervisor
) -> None:
    stopped = ingest(supervisor).pid
    assert stopped is not None
    wait_until((settings.run / "ingest-1.json").exists, 10, "the address of the worker")
    os.kill(stopped, signal.SIGSTOP)
    job_id = accept(settings, 2)
    release(settings, job_id)

    wait_until(lambda: outcomes(settings), 40, "the outcome of the document")

    assert outcomes(settings) == [(job_id, "stored")]
    assert ingest(supervisor).restarts == 1
    assert "stuck: no answer for " in ingest(supervisor).detail
    assert ingest(supervisor).pid != stopped


# --- what does not -------------------------------------------------------------------------------------------------


def open_door(folder: Path, redis_url: str, postgres_url: str) -> AbstractContextManager[HttpDoor]:
    return http_door(
        folder, redis_url, postgres_url, stuck_after_s=STUCK_AFTER_S, database_deadline_s=2, stream_bytes_max=2**20
    )


def watch(door: HttpDoor, names: Sequence[str], seconds: float) -> dict[str, str]:
    """All say that they live, again and again, and are the processes that they were; what each said in the end."""
    pids = {name: door.stack.pid(name) for name in names}
    said: dict[str, str] = {}
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name in names:
            status, body = door.stack.ask(name, "/livez")
            assert (status, body.get("alive")) == (200, True), f"{name}: {body}; {door.stack.tail()}"
            said[name] = body["why"]
        time.sleep(0.5)
    assert {name: door.stack.pid(name) for name in names if door.stack.is_running(name)} == pids
    return said


def readiness(door: HttpDoor) -> dict[str, tuple[int, set[str]]]:
    """Of each process the status of `/readyz`, and what it says is not up."""
    answers = {name: door.stack.ask(name, "/readyz") for name in PROCESSES}
    return {
        name: (status, {part for part, state in body.items() if part != "ready" and state != "up"})
        for name, (status, body) in answers.items()
    }


ALL_READY = {name: (200, set[str]()) for name in PROCESSES}

# The HTTP door takes documents without either.
NONE_READY = {
    "api": (200, set[str]()),
    "fetch": (503, {"redis", "postgres"}),
    "inbox": (503, {"redis", "postgres"}),
    "ingest": (503, {"redis"}),
    "scheduler": (503, {"redis", "postgres"}),
    "storage": (503, {"redis", "postgres"}),
}


def test_servers_that_fall_silent_make_no_process_unhealthy_and_each_says_what_it_lacks(
    own_redis: ValkeyServer, own_postgres: PostgresServer, tmp_path: Path
) -> None:
    """They take every byte and never answer; `test_outages` stops them."""
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    with (
        silent_proxy(own_redis.url) as (redis, redis_url),
        silent_proxy(own_postgres.url) as (postgres, postgres_url),
        open_door(tmp_path / "stack", redis_url, postgres_url) as door,
    ):
        door.open(*PROCESSES)
        wait_until(lambda: readiness(door) == ALL_READY, 30, "all to be ready")
        redis.silent.set()
        postgres.silent.set()
        answer = door.post(STORY.format(n=3).encode(), TEXT, source="web")
        wait_until(lambda: readiness(door) == NONE_READY, 15, "all to know it")

        watch(door, PROCESSES, LONGER_S)
        redis.speak()
        postgres.speak()
        door.settled(answer.json()["items"][0]["id"], "web")
        wait_until(lambda: readiness(door) == ALL_READY, 20, "all to be ready again")
        watch(door, PROCESSES, 0.1)


def test_idle_processes_and_one_paused_by_a_mark_are_alive(redis_url: str, database_url: str, tmp_path: Path) -> None:
    running = [name for name in PROCESSES if name != "storage"]
    with open_door(tmp_path / "stack", redis_url, database_url) as door:
        door.open(*running)
        stack = door.stack
        large = "One sentence follows another, said the mayor. " * 8000
        stack.send(*({"id": f"large{n}", "body": f"{n} {large}"} for n in range(4)))
        more = itertools.count()

        def is_paused() -> bool:
            """Asked once a second, and only when there is a job."""
            stack.send({"id": f"small{next(more)}", "body": STORY.format(n=5)})
            return "paused: " in stack.log("ingest")

        wait_until(is_paused, 30, "the pause", every_s=0.5)

        said = watch(door, running, LONGER_S)
        stack.start("storage")
        total = 4 + next(more)
        stack.wait_for_rows("select count(*) from receipt", lambda rows: rows[0][0] == total)

    assert "paused the article stream's mark" in said["ingest"]


def test_a_health_check_tells_by_its_status(redis_url: str, database_url: str, tmp_path: Path) -> None:
    def check(*arguments: str) -> int:
        command = [sys.executable, "-m", "copydesk.liveness", *arguments]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, timeout=30).returncode

    with open_door(tmp_path / "stack", redis_url, database_url) as door:
        door.stack.start("scheduler")
        address = door.stack.folder / "run" / "scheduler.json"
        wait_until(lambda: door.stack.ask("scheduler", "/readyz")[0] == 200, 20, f"ready; {door.stack.tail()}")
        port = str(json.loads(address.read_text())["port"])

        assert [check(port), check(str(address)), check(port, "/readyz")] == [0, 0, 0]
        assert [check(), check(port, "/elsewhere")] == [2, 2]
        door.stack.kill("scheduler", signal.SIGTERM)
        assert [check(port), check(str(address))] == [3, 3]
        assert not address.exists()
