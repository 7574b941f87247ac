"""Moving messages between queue, in-flight list and `unacked`: what each script promises, on a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from copydesk.queue.custody import FORGET_SECONDS, OWNERS, UNREADABLE, Custody, Owner, Settlement, Taken
from copydesk.queue.lease import Lease
from tests.servers import OwnServer
from tests.waiting import wait_until

QUEUE = "jobs"
LEASE_SECONDS = 60.0

Hand = Callable[[str], Custody]


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url)


@pytest.fixture
def hand(redis_url: str) -> Hand:
    """Makes an owner by name, over a connection of its own."""
    return lambda name: Custody(redis.Redis.from_url(redis_url), Owner(name, [QUEUE, "more"]), LEASE_SECONDS)


def message(tag: str) -> bytes:
    """As kombu writes one."""
    properties = {"delivery_info": {"exchange": "", "routing_key": QUEUE}, "delivery_tag": tag}
    return json.dumps({"body": "e30=", "headers": {"id": tag}, "properties": properties}).encode()


def enqueue(client: redis.Redis, *tags: str, queue: str = QUEUE) -> None:
    for tag in tags:
        client.lpush(queue, message(tag))


def tags(client: redis.Redis, queue: str = QUEUE) -> list[str]:
    """In the queue, the next to be taken first."""
    items = client.lrange(queue, 0, -1)
    return [json.loads(item)["properties"]["delivery_tag"] for item in reversed(items)]


def take(client: redis.Redis, custody: Custody, *queues: str) -> Taken | None:
    reply = client.execute_command(*custody.take_command(queues or (QUEUE,)))
    return Taken(reply[0].decode(), reply[1]) if reply else None


def hold(client: redis.Redis, custody: Custody) -> str:
    """Take the next message and record it; gives its tag."""
    taken = take(client, custody)
    assert taken is not None
    tag: str = json.loads(taken.item)["properties"]["delivery_tag"]
    assert custody.record(taken, tag, ("", QUEUE))
    return tag


def unacked(client: redis.Redis) -> set[str]:
    return {tag.decode() for tag in client.hkeys("unacked")}


def end_lease(client: redis.Redis, custody: Custody) -> None:
    client.delete(custody.owner.lease)


def test_a_message_is_in_one_place_at_a_time_until_it_is_done(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    enqueue(client, "a")
    taken = take(client, ours)
    assert taken is not None
    assert (tags(client), unacked(client), client.llen(ours.owner.in_flight_prefix + QUEUE)) == ([], set(), 1)

    ours.record(taken, "a", ("", QUEUE))
    assert (tags(client), unacked(client), client.llen(ours.owner.in_flight_prefix + QUEUE)) == ([], {"a"}, 0)
    assert json.loads(client.hget("unacked", "a") or "") == [json.loads(message("a")), "", QUEUE]
    assert client.zscore("unacked_index", "a") is not None

    ours.settle(Settlement("a"))
    assert set(client.scan_iter()) == {OWNERS.encode(), ours.owner.lease.encode()}


def test_queues_are_swept_in_the_order_asked_for(client: redis.Redis, hand: Hand) -> None:
    enqueue(client, "second", queue="more")
    enqueue(client, "first")
    ours = hand("ours")

    assert take(client, ours, QUEUE, "more") == Taken(QUEUE, message("first"))
    ours.drop(Taken(QUEUE, message("first")))
    assert take(client, ours, QUEUE, "more") == Taken("more", message("second"))


def test_what_was_never_recorded_is_taken_again_in_its_old_order(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    enqueue(client, "a", "b", "c")
    for _ in range(2):
        client.execute_command(*ours.wait_command(QUEUE, 1))
    taken = take(client, ours)

    assert taken == Taken(QUEUE, message("a"))
    assert tags(client) == ["b", "c"]


def test_recording_twice_says_yes_twice(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    enqueue(client, "a", "b")
    taken = take(client, ours)
    assert taken is not None

    assert [ours.record(taken, "a", ("", QUEUE)) for _ in range(2)] == [True, True]
    assert (tags(client), unacked(client)) == (["b"], {"a"})


def test_what_was_returned_meanwhile_is_not_recorded(client: redis.Redis, hand: Hand) -> None:
    sleeper, other = hand("sleeper"), hand("other")
    enqueue(client, "a")
    taken = take(client, sleeper)
    assert taken is not None
    end_lease(client, sleeper)
    other.return_orphans()

    assert not sleeper.record(taken, "a", ("", QUEUE))
    assert (tags(client), unacked(client)) == (["a"], set())


def test_a_held_lease_protects_what_its_owner_holds(client: redis.Redis, hand: Hand) -> None:
    worker, other = hand("worker"), hand("other")
    enqueue(client, "a", "b")
    hold(client, worker)
    take(client, worker)

    assert other.return_orphans() == 0
    assert (tags(client), unacked(client)) == ([], {"a"})


def test_when_the_lease_has_ended_all_goes_back_to_the_head(client: redis.Redis, hand: Hand) -> None:
    worker, other = hand("worker"), hand("other")
    enqueue(client, "held", "in flight", "waiting")
    hold(client, worker)
    take(client, worker)
    end_lease(client, worker)

    assert other.return_orphans() == 2
    assert tags(client)[-1] == "waiting"
    assert sorted(tags(client)) == ["held", "in flight", "waiting"]
    assert unacked(client) == set()
    returned = {json.loads(item)["headers"]["id"]: json.loads(item)["headers"] for item in client.lrange(QUEUE, 0, -1)}
    assert "redelivered" in returned["held"]
    assert "redelivered" not in returned["in flight"]


def test_what_an_owner_held_that_nobody_has_listed_is_returned_too(client: redis.Redis, hand: Hand) -> None:
    enqueue(client, "a")
    worker = hand("worker")
    hold(client, worker)
    client.delete(OWNERS, worker.owner.lease)

    assert hand("other").return_orphans() == 1
    assert tags(client) == ["a"]


def test_of_racing_reapers_one_returns_each_message(client: redis.Redis, hand: Hand) -> None:
    recorded = [f"r{number}" for number in range(600)]
    enqueue(client, *recorded)
    dead = [hand(f"dead{number}") for number in range(30)]
    for owner in dead:
        for _ in range(20):
            hold(client, owner)
        enqueue(client, f"f{owner.owner.id}")
        take(client, owner)
        end_lease(client, owner)
    reapers = [hand(f"reaper{number}") for number in range(4)]
    start = threading.Barrier(len(reapers))

    def reap(custody: Custody) -> int:
        start.wait(10)
        return custody.return_orphans()

    with ThreadPoolExecutor(len(reapers)) as pool:
        returned = list(pool.map(reap, reapers))

    assert sum(returned) == 630
    assert sorted(tags(client)) == sorted(recorded + [f"fdead{number}" for number in range(30)])
    assert unacked(client) == set()


def test_a_message_in_other_hands_by_now_is_left_there(client: redis.Redis, hand: Hand) -> None:
    sleeper, other = hand("sleeper"), hand("other")
    enqueue(client, "a")
    hold(client, sleeper)
    end_lease(client, sleeper)
    other.return_orphans()
    hold(client, other)
    sleeper.settle(Settlement("a", "next"))

    assert (tags(client), unacked(client)) == ([], {"a"})


def test_a_requeued_message_goes_behind_the_others(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    enqueue(client, "a", "b")
    hold(client, ours)
    for _ in range(2):
        ours.settle(Settlement("a", "last"))

    assert (tags(client), unacked(client)) == (["b", "a"], set())


def test_an_unreadable_message_is_set_aside_once(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    client.lpush(QUEUE, b"\xff not a message")
    taken = take(client, ours)
    assert taken is not None
    for _ in range(2):
        ours.set_aside(taken)

    assert client.lrange(UNREADABLE, 0, -1) == [b"\xff not a message"]
    assert take(client, ours) is None


@pytest.mark.parametrize(("age_seconds", "listed"), [(FORGET_SECONDS + 10, False), (FORGET_SECONDS - 100, True)])
def test_a_dead_owner_stays_listed_for_a_while(client: redis.Redis, hand: Hand, age_seconds: int, listed: bool) -> None:
    now = client.time()[0]
    client.hset(OWNERS, "gone", f"{now - age_seconds} {json.dumps([QUEUE])}")
    hand("other").return_orphans()

    assert client.hexists(OWNERS, "gone") is listed


def test_an_owner_whose_lease_had_ended_takes_it_up_again(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    renewals = [ours.renew(), ours.renew()]
    client.flushdb()

    assert [*renewals, ours.renew(), ours.renew()] == [False, True, False, True]


def test_a_release_returns_everything_and_ends_the_lease(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    enqueue(client, "a", "b")
    hold(client, ours)
    take(client, ours)
    ours.release()

    assert sorted(tags(client)) == ["a", "b"]
    assert set(client.scan_iter()) == {QUEUE.encode(), OWNERS.encode()}


def test_what_arrives_after_the_release_is_returned_too(client: redis.Redis, hand: Hand) -> None:
    ours = hand("ours")
    ours.renew()
    ours.release()
    enqueue(client, "a")
    client.execute_command(*ours.wait_command(QUEUE, 1))

    assert hand("other").return_orphans() == 1
    assert tags(client) == ["a"]


def test_a_full_server_stops_no_move(own_redis: OwnServer) -> None:
    client = redis.Redis.from_url(own_redis.url)
    ours = Custody(redis.Redis.from_url(own_redis.url), Owner("ours", [QUEUE]), LEASE_SECONDS)
    enqueue(client, "a", "b", "c")
    client.config_set("maxmemory", 1)
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        client.execute_command(*ours.wait_command(QUEUE, 1))
    hold(client, ours)
    ours.renew()
    ours.settle(Settlement("a"))
    hold(client, ours)
    take(client, ours)
    ours.release()

    assert sorted(tags(client)) == ["b", "c"]


def _lease(url: str, owner: Owner) -> Lease:
    made = [Custody(redis.Redis.from_url(url, retry=None), owner, LEASE_SECONDS) for _ in range(2)]
    return Lease(*made, renew_seconds=0.05)


def _lease_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("lease-")]


def test_a_settlement_that_failed_is_repeated_even_after_the_release(own_redis: OwnServer) -> None:
    owner = Owner("ours", [QUEUE])
    lease = _lease(own_redis.url, owner)
    with redis.Redis.from_url(own_redis.url) as client:
        enqueue(client, "done", "again")
        for _ in range(2):
            hold(client, lease.custody)
    lease.start()
    own_redis.kill()
    lease.settle(Settlement("done"))
    lease.settle(Settlement("again", "next"))
    lease.release(10)
    own_redis.start()
    wait_until(lambda: not _lease_threads(), 10, "the lease's thread ended")

    with redis.Redis.from_url(own_redis.url) as client:
        assert (tags(client), unacked(client)) == (["again"], set())


def test_a_release_with_nothing_to_repeat_ends_without_the_server(own_redis: OwnServer) -> None:
    lease = _lease(own_redis.url, Owner("ours", [QUEUE]))
    lease.start()
    own_redis.kill()
    lease.release(10)

    wait_until(lambda: not _lease_threads(), 10, "the lease's thread ended")
