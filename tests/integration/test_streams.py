"""The article stream on a real server: who gets what, what is forgotten, and what a full server still does."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from copydesk.errors import QueueFull, QueueUnavailable
from copydesk.queue import streams
from copydesk.queue.entries import CloseEntry, Incoming, Outgoing
from copydesk.queue.streams import ARTICLES, CLOSED, GROUP, ArticleStream
from copydesk.queue.tries import Tries
from tests.entries import article, close, job, text
from tests.servers import OwnServer
from tests.waiting import wait_until

MIB = 1024 * 1024


@pytest.fixture(params=[2, 3], ids=["RESP2", "RESP3"])
def stream(request: pytest.FixtureRequest, redis_url: str) -> Any:
    with streams.connect(f"{redis_url}?protocol={request.param}") as client:
        found = ArticleStream(client)
        found.create_group()
        yield found


def _outgoing(*numbers: int) -> list[Outgoing]:
    return [Outgoing(close(job(f"job-{n}"), n)) for n in numbers]


def _totals(found: list[Incoming]) -> list[int]:
    entries = [incoming.decode() for incoming in found]
    return [entry.total for entry in entries if isinstance(entry, CloseEntry)]


def test_entries_come_in_order_with_their_bytes(stream: ArticleStream) -> None:
    entry = article("i", text(1), job=job(), meta={"a": "\u0000"})
    stream.publish([Outgoing(entry, b"raw " * 100), *_outgoing(*range(250))])
    first, *rest = stream.read_new("me", 300, block_ms=100)

    assert first.decode() == entry
    assert first.raw is not None
    assert len(first.raw) < 50
    assert _totals(rest) == list(range(250))
    assert {i.deliveries for i in [first, *rest]} == {1}


def test_what_was_taken_is_read_again_until_it_is_settled(stream: ArticleStream) -> None:
    stream.publish(_outgoing(1, 2, 3))
    taken = stream.read_new("me", 2, block_ms=100)
    again = stream.read_own("me", 10)
    stream.settle([taken[0].stream_id])

    assert _totals(again) == [1, 2]
    assert [i.deliveries for i in again] == [2, 2]
    assert _totals(stream.read_own("me", 10)) == [2]
    assert stream.read_own("another", 10) == []
    assert stream.depth() == 2


def test_each_entry_goes_to_one_consumer(stream: ArticleStream) -> None:
    stream.publish(_outgoing(*range(10)))

    assert _totals(stream.read_new("a", 4, block_ms=100)) == [0, 1, 2, 3]
    assert _totals(stream.read_new("b", 10, block_ms=100)) == [4, 5, 6, 7, 8, 9]
    assert stream.read_new("a", 10, block_ms=10) == []


def test_what_a_silent_consumer_left_is_taken_over_and_counted(stream: ArticleStream) -> None:
    stream.publish(_outgoing(*range(5)))
    stream.read_new("dead", 5, block_ms=100)
    found: list[Incoming] = []
    wait_until(lambda: found.extend(stream.claim_stale("me", 0.001, 2)) or len(found) >= 5, 5, "five taken over")

    assert sorted(set(_totals(found))) == [0, 1, 2, 3, 4]
    assert min(i.deliveries for i in found) >= 2
    assert stream.claim_stale("me", 60, 10) == []


def test_deliveries_are_those_of_ones_own_entries(stream: ArticleStream, redis_url: str) -> None:
    """However many entries of others lie between: a poison entry must not pass for a new one."""
    stream.publish(_outgoing(*range(301)))
    first = stream.read_new("me", 1, block_ms=100)
    stream.read_new("another", 299, block_ms=100)
    last = stream.read_new("me", 1, block_ms=100)
    with redis.Redis.from_url(redis_url) as client:
        client.xclaim(ARTICLES, GROUP, "me", 0, [last[0].stream_id], retrycount=6)

    assert [i.deliveries for i in stream.read_own("me", 10)] == [2, 7]
    assert _totals(first + last) == [0, 300]


def test_a_consumer_with_entries_in_hand_is_not_forgotten(stream: ArticleStream, redis_url: str) -> None:
    """Deleting it would drop its entries from the group, and nobody would ever see them again."""
    stream.publish(_outgoing(1, 2))
    taken = stream.read_new("me", 2, block_ms=100)
    with redis.Redis.from_url(redis_url) as client:
        client.xdel(ARTICLES, taken[0].stream_id)  # hides the first when it is read
        stream.forget_consumer("me")
        assert [c["name"] for c in client.xinfo_consumers(ARTICLES, GROUP)] == [b"me"]

        stream.settle([i.stream_id for i in taken])
        stream.forget_consumer("me")
        assert client.xinfo_consumers(ARTICLES, GROUP) == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.read_new("me", 10, block_ms=10),
        lambda s: s.read_own("me", 10),
        lambda s: s.claim_stale("me", 0.001, 10),
    ],
    ids=["new", "own", "stale"],
)
def test_the_group_comes_back_after_redis_lost_everything(
    stream: ArticleStream, redis_url: str, ask: Callable[[ArticleStream], list[Incoming]]
) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    stream.publish(_outgoing(1))

    assert ask(stream) == []
    assert _totals(stream.read_new("me", 10, block_ms=100)) == [1]


def test_what_is_no_entry_is_kept_and_refused_by_name(stream: ArticleStream, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.xadd(ARTICLES, {"unknown": "field"})
        client.xadd(ARTICLES, {"d": b'{"type": "article", "version": 2}'})
    found = stream.read_new("me", 10, block_ms=100)

    assert [i.payload for i in found] == [b"", b'{"type": "article", "version": 2}']
    for entry in found:
        with pytest.raises(Exception, match=entry.stream_id):
            entry.decode()
        assert entry.whose() is None


def test_closed_jobs_are_told_from_now_on_without_a_gap(stream: ArticleStream) -> None:
    stream.tell_closed(["before"])
    cursor, found = stream.closed_since("$", block_ms=1)
    assert found == []
    stream.tell_closed(["between", "two"])  # while nobody waits
    cursor, found = stream.closed_since(cursor, block_ms=1)
    assert found == ["between", "two"]

    assert stream.closed_since(cursor, block_ms=1) == (cursor, [])


def test_the_stream_of_closed_jobs_is_capped(stream: ArticleStream, redis_url: str, monkeypatch: Any) -> None:
    monkeypatch.setattr(streams, "CLOSED_KEPT", 100)
    stream.tell_closed([str(n) for n in range(2000)])

    with redis.Redis.from_url(redis_url) as client:
        assert client.xlen(CLOSED) < 400


def test_a_full_server_says_so_and_still_settles(own_redis: OwnServer) -> None:
    with redis.Redis.from_url(own_redis.url) as admin, streams.connect(own_redis.url) as client:
        stream = ArticleStream(client)
        stream.create_group()
        stream.publish(_outgoing(*range(20)))
        stream.publish([Outgoing(article("big", text(1), job=job()), bytes(range(256)) * 4096)] * 3)
        admin.config_set("maxmemory-policy", "noeviction")
        admin.config_set("maxmemory", int(admin.info("memory")["used_memory"]) // 2)

        with pytest.raises(QueueFull):
            stream.publish(_outgoing(1))
        with pytest.raises(QueueFull):
            stream.tell_closed(["job"])
        assert Tries(client).begin("job") == 1  # not counted, and not an error

        taken = stream.read_new("me", 100, block_ms=100)
        assert len(taken) == 23
        assert len(stream.read_own("me", 100)) == 23
        stale: list[Incoming] = []
        wait_until(lambda: stale.extend(stream.claim_stale("me", 0.001, 100)) or stale, 5, "taken over while full")
        assert len(stale) == 23
        stream.settle([i.stream_id for i in taken])
        assert stream.depth() == 0
        stream.forget_consumer("me")

        admin.config_set("maxmemory", 0)
        stream.publish(_outgoing(7))
        assert _totals(stream.read_new("me", 10, block_ms=100)) == [7]


def test_a_server_that_is_away_is_an_error_of_ours_and_heals(own_redis: OwnServer) -> None:
    with streams.connect(own_redis.url, socket_timeout_s=1) as client:
        stream = ArticleStream(client)
        stream.create_group()
        own_redis.kill()
        asks: list[Callable[[], object]] = [
            lambda: stream.publish(_outgoing(1)),
            lambda: stream.read_new("me", 1, block_ms=10),
            lambda: stream.settle(["1-0"]),
            lambda: stream.closed_since("$", block_ms=1),
            stream.depth,
            stream.size_bytes,
            lambda: Tries(client).begin("x"),
        ]
        for ask in asks:
            with pytest.raises(QueueUnavailable):
                ask()
        own_redis.start()
        stream.publish(_outgoing(5))
        found: list[Incoming] = []
        wait_until(lambda: found.extend(stream.read_new("me", 9, block_ms=10)) or found, 10, "the entry")

        assert _totals(found) == [5]


def test_a_reader_that_waits_survives_a_flush(stream: ArticleStream, redis_url: str) -> None:
    """Redis wakes a waiting reader with an error when its stream is deleted."""

    def flush() -> None:
        with redis.Redis.from_url(redis_url) as client:
            wait_until(
                lambda: any("xreadgroup" in c["cmd"] for c in client.client_list()),
                5,
                "the reader waits",
                every_s=0.005,
            )
            client.flushall()

    flusher = threading.Thread(target=flush)
    flusher.start()
    with contextlib.suppress(QueueUnavailable):
        stream.read_new("me", 1, block_ms=3000)
    flusher.join()
    stream.publish(_outgoing(3))
    found: list[Incoming] = []
    wait_until(lambda: found.extend(stream.read_new("me", 1, block_ms=50)) or found, 5, "the next entry")

    assert _totals(found) == [3]


def test_tries_are_counted_and_forgotten(redis_url: str) -> None:
    with streams.connect(redis_url) as client:
        tries = Tries(client)
        assert [tries.begin("a"), tries.begin("b"), tries.begin("a")] == [1, 1, 2]
        tries.finish("a")
        assert [tries.begin("a"), tries.begin("b")] == [1, 2]
        assert client.ttl("copydesk:tries:a") > 3600


def test_a_job_is_received_when_it_was_first_read_however_often_it_is_delivered(redis_url: str) -> None:
    first, later = datetime(2026, 3, 1, 12, tzinfo=UTC), datetime(2026, 3, 1, 13, tzinfo=UTC)
    with streams.connect(redis_url) as client:
        tries = Tries(client)

        assert [tries.first_received("a", first), tries.first_received("a", later)] == [first, first]
        assert tries.first_received("b", later) == later
