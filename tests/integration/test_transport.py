"""No message is lost between a stock Celery program and the end of its task, whoever is killed in between.

The workers are real processes on a real server. Waits have deadlines far above what is needed; the visibility timeout
is an hour, so whatever comes back within a test comes back by the lease.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk.queue.custody import OWNERS, UNREADABLE, Owner
from tests.integration.celery_rig import Rig, Worker, rig
from tests.servers import OwnServer
from tests.waiting import wait_until

SOLO = ("-P", "solo")
THREADS = ("-P", "threads", "-c", "4")
POOLS = pytest.mark.parametrize("pool", [SOLO, THREADS], ids=["solo", "threads"])


@pytest.fixture
def broker(own_redis: OwnServer) -> OwnServer:
    """A Redis of the test's own; what it answered is with the kernel, so that a kill of its process loses nothing."""
    return own_redis


@pytest.fixture
def desk(broker: OwnServer, tmp_path: Path) -> Iterator[Rig]:
    with rig(broker.url, tmp_path) as made:
        yield made


def ids(count: int, prefix: str = "t") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def kill_in_hand(desk: Rig, worker: Worker) -> set[str]:
    """SIGKILL `worker` while it works; gives what it then had in hand."""
    wait_until(lambda: desk.in_hand(worker), 30, "a task in hand", every_s=0.001)
    worker.kill()
    return desk.in_hand(worker)


@POOLS
def test_what_a_stock_program_sends_runs_once(desk: Rig, pool: tuple[str, ...]) -> None:
    desk.send(ids(100, "a"))
    desk.send(ids(100, "b"), queue="other")
    desk.send(ids(20, "urgent"), priority=9)
    desk.start_worker(*pool, "-Q", "celery,other")
    everything = ids(100, "a") + ids(100, "b") + ids(20, "urgent")
    desk.wait_for(everything, 30)
    desk.send(["late"], queue="other")
    desk.wait_for(["late"], 10)
    wait_until(lambda: not desk.messages(), 10, "nothing left in the broker")

    assert sorted(desk.begun().elements()) == sorted([*everything, "late"])


def test_killed_workers_lose_nothing(desk: Rig) -> None:
    sent = ids(300)
    desk.send(sent, seconds=0.02)
    workers = [desk.start_worker(), desk.start_worker()]
    interrupted: list[str] = []
    while len(interrupted) < 6:
        turn = len(interrupted) % 2
        interrupted += kill_in_hand(desk, workers[turn])
        workers[turn] = desk.start_worker()
    desk.wait_for(sent, 60)

    assert set(interrupted) <= desk.done().keys()


def test_what_a_killed_worker_had_in_hand_returns_with_its_lease(desk: Rig) -> None:
    desk.send(["long"], seconds=20)
    first = desk.start_worker()
    assert kill_in_hand(desk, first) == {"long"}
    second = desk.start_worker()

    wait_until(lambda: desk.in_hand(second), 15, "the task begun by the other worker")


def test_a_task_longer_than_the_lease_runs_once(desk: Rig) -> None:
    desk.lease_seconds = 1.0
    desk.send(["long"], seconds=3)
    desk.send(ids(20))
    desk.start_worker()
    desk.start_worker()
    desk.wait_for(["long", *ids(20)], 30)

    assert desk.begun()["long"] == 1


def test_a_worker_that_was_suspended_past_its_lease_goes_on(desk: Rig) -> None:
    sent = ids(100)
    desk.send(sent, seconds=0.02)
    sleeper = desk.start_worker()
    desk.start_worker()
    wait_until(lambda: desk.in_hand(sleeper), 30, "a task in hand", every_s=0.001)
    sleeper.process.send_signal(signal.SIGSTOP)
    with desk.client as client:
        wait_until(lambda: len(client.keys("copydesk:transport:lease:*")) == 1, 15, "the lease ended")
    desk.wait_for([i for i in sent if i not in desk.in_hand(sleeper)], 30)
    sleeper.process.send_signal(signal.SIGCONT)
    desk.wait_for(sent, 30)
    desk.send(ids(50, "more"), seconds=0.02)
    desk.wait_for(ids(50, "more"), 30)

    assert {e.task_id for e in desk.events() if e.pid == sleeper.pid} & set(ids(50, "more"))


@POOLS
def test_a_broker_that_crashes_stops_no_worker(desk: Rig, broker: OwnServer, pool: tuple[str, ...]) -> None:
    sent = ids(400)
    desk.send(sent, seconds=0.004)
    worker = desk.start_worker(*pool)
    for _ in range(3):
        desk.wait_for_more(10)
        broker.kill()
        broker.start()
    desk.wait_for(sent, 60)

    assert worker.is_running()


def test_a_worker_survives_a_broker_that_forgot_everything(desk: Rig, broker: OwnServer) -> None:
    desk.send(ids(50), seconds=0.01)
    worker = desk.start_worker()
    desk.wait_for_more(10)
    with desk.client as client:
        client.flushall()
    desk.send(ids(50, "new"))
    desk.wait_for(ids(50, "new"), 30)

    assert worker.is_running()


@POOLS
def test_lost_connections_lose_nothing(desk: Rig, pool: tuple[str, ...]) -> None:
    sent = ids(400)
    desk.send(sent, seconds=0.004)
    worker = desk.start_worker(*pool)
    with desk.client as client:
        for _ in range(10):
            desk.wait_for_more(5)
            client.client_kill_filter(_type="normal", skipme=True)
    desk.wait_for(sent, 60)
    wait_until(lambda: not desk.messages(), 15, "nothing left in the broker")

    assert worker.is_running()


def test_what_was_taken_and_never_recorded_returns(desk: Rig) -> None:
    sent = ids(50)
    desk.send(sent)
    owner = Owner("killed-between-the-two", ["celery"])
    with desk.client as client:
        client.hset(OWNERS, owner.id, f"{client.time()[0]} {json.dumps(owner.sources)}")
        for _ in range(10):
            client.lmove("celery", owner.in_flight_prefix + "celery", "RIGHT", "LEFT")
    desk.start_worker()

    desk.wait_for(sent, 15)


def test_a_full_broker_is_emptied_by_its_workers(desk: Rig) -> None:
    sent = ids(100)
    desk.send(sent)
    with desk.client as client:
        client.config_set("maxmemory", 1)
        worker = desk.start_worker()
        desk.wait_for(sent, 30)
        wait_until(lambda: not desk.messages(), 10, "nothing left in the broker")
        client.config_set("maxmemory", 0)
    desk.send(["after"])
    desk.wait_for(["after"], 10)

    assert worker.is_running()


@POOLS
def test_a_broker_that_refuses_to_write_stops_no_worker(desk: Rig, pool: tuple[str, ...]) -> None:
    sent = ids(200)
    desk.send(sent, seconds=0.01)
    worker = desk.start_worker(*pool)
    with desk.client as client:
        desk.wait_for_more(10)
        client.config_set("min-replicas-to-write", 1)
        wait_until(lambda: "Redis refuses" in worker.log(), 15, "the worker met a refusal")
        client.config_set("min-replicas-to-write", 0)
    desk.wait_for(sent, 30)
    wait_until(lambda: not desk.messages(), 10, "nothing left in the broker")

    assert worker.is_running()


def test_what_is_no_message_is_set_aside_and_the_rest_goes_on(desk: Rig) -> None:
    envelope = {"body": "e30=", "headers": {}, "properties": {"delivery_tag": "t", "body_encoding": "base64"}}
    delivered = {"delivery_info": {"exchange": "", "routing_key": "celery"}}
    bad: list[object] = [
        {},
        [],
        "text",
        {"properties": {}},
        envelope,
        envelope | {"properties": envelope["properties"] | {"delivery_info": None}},  # type: ignore[operator]
        envelope | {"body": "A", "properties": envelope["properties"] | delivered},  # type: ignore[operator]
    ]
    items = [json.dumps(value).encode() for value in bad] + [b"", b"\xff\xfe", b"[" * 100_000]
    desk.send(ids(10, "before"))
    with desk.client as client:
        client.lpush("celery", *items)
        desk.send(ids(10, "after"))
        worker = desk.start_worker()
        desk.wait_for([*ids(10, "before"), *ids(10, "after")], 30)

        assert sorted(client.lrange(UNREADABLE, 0, -1)) == sorted(items)
    assert worker.is_running()


@POOLS
def test_a_stopped_worker_leaves_what_it_did_not_do(desk: Rig, pool: tuple[str, ...]) -> None:
    sent = ids(30)
    desk.send(sent, seconds=0.2)
    worker = desk.start_worker(*pool)
    wait_until(lambda: desk.in_hand(worker), 30, "a task in hand", every_s=0.001)
    worker.process.terminate()
    wait_until(lambda: not worker.is_running(), 20, "the worker stopped")
    left = desk.messages()

    assert len(desk.done()) + left == len(sent)
    assert left > 0
    assert desk.in_hand(worker) == set()
    with desk.client as client:
        assert client.keys("copydesk:transport:*") == [OWNERS.encode()]


def test_a_soft_shutdown_of_threads_loses_nothing(desk: Rig) -> None:
    """Celery's handler can wait for ever for a lock of the pool it interrupted (2 of 25), so the end may be a kill.

    In a solo worker the same handler raises inside the task in hand, which then counts as failed: SIGTERM, not
    remapped, is the clean stop for both pools.
    """
    sent = ids(30)
    desk.send(sent, seconds=0.2)
    remapped = {"REMAP_SIGTERM": "SIGQUIT", "TRANSPORT_TEST_SOFT_SHUTDOWN": "1"}
    worker = desk.start_worker(*THREADS, **remapped)
    wait_until(lambda: desk.in_hand(worker), 30, "a task in hand", every_s=0.001)
    worker.process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        worker.process.wait(3)
    worker.kill()
    desk.start_worker()

    desk.wait_for(sent, 30)
