"""The closing of a poll's job: each item counted once, the feed's place moved once, whatever is repeated or raced."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from copydesk.delivery.subscriptions import subscription
from copydesk.models import Outcome
from copydesk.queue.entries import Outgoing
from copydesk.settings import load
from copydesk.storage import connection as database
from copydesk.storage import feeds
from copydesk.storage.feeds import Fetch
from tests.entries import article, close, ending, job, text
from tests.integration.writing import Desk


def _poll_entries(job_id: str, numbers: list[int], *, minutes: float) -> list[Any]:
    ref = job(job_id, source="harbour", minutes=minutes, kind="feed")
    entries: list[Any] = [
        article(f"{job_id}#{n}", text(n), job=ref, guid=f"guid-{n}", parent_id=job_id) for n in numbers
    ]
    return [*entries, close(ref, len(numbers))]


def _await(desk: Desk, job_id: str, etag: str) -> None:
    with database.connect(desk.database_url) as connection:
        settings = load({})
        feeds.add(connection, [subscription("http://harbour.example/feed", settings)])
        row = connection.execute("select id from feed").fetchone()
        assert row is not None
        feeds.record_fetch(connection, Fetch(job_id, row[0], 200, etag, None, etag, 0.0, 300.0, 86400.0, None))


def _state(desk: Desk) -> list[Any]:
    return [
        desk.rows("select id, done, total, unchanged, unchanged_count, closed_at is not null from ingest order by id"),
        desk.rows("select ingest_id, item_id, outcome from receipt order by 1, 2"),
        desk.rows("select result, items, fresh, unchanged from feed_log order by id"),
        desk.rows("select etag, changed_at is null from feed"),
        desk.rows("select article_id, number from revision order by 1, 2"),
    ]


@pytest.mark.parametrize("batch_size", [1, 3, 200])
def test_a_poll_delivered_again_and_again_in_any_order_counts_each_item_once(desk: Desk, batch_size: int) -> None:
    first = _poll_entries("one", list(range(10)), minutes=0)
    second = _poll_entries("two", [*range(3, 10), 20], minutes=10)
    _await(desk, "one", "1")
    writer = desk.writer(batch_size=batch_size)
    desk.publish(first)
    desk.drain(writer)
    _await(desk, "two", "2")
    for seed in range(3):
        shuffled = random.Random(seed).sample(second, len(second))
        desk.publish(shuffled[: 4 + seed])
        desk.drain(writer)
    assert desk.closed() == {"one": (10, 10)}
    desk.publish([*second, *random.Random(9).sample(second, len(second))])
    desk.drain(writer)
    before = _state(desk)
    desk.publish(random.Random(7).sample([*first, *second, *second], len(first) + 2 * len(second)))
    desk.drain(writer)

    assert _state(desk) == before
    assert desk.closed() == {"one": (10, 10), "two": (8, 8)}
    assert desk.rows("select unchanged, unchanged_count from ingest where id = 'two'") == [([], 7)]
    assert desk.rows("select item_id, outcome from receipt where ingest_id = 'two'") == [("two#20", "stored")]
    assert desk.rows("select etag from feed") == [("2",)]
    assert desk.rows("select result, items, fresh, unchanged from feed_log order by id") == [
        ("taken_in", 10, 10, 0),
        ("taken_in", 8, 1, 7),
    ]
    desk.check()


def test_writers_at_once_close_a_poll_once(desk: Desk) -> None:
    """Each entry in the hands of every writer, as after a takeover of stale ones."""
    _await(desk, "one", "1")
    desk.publish(_poll_entries("one", list(range(40)), minutes=0))
    desk.drain(desk.writer())
    _await(desk, "two", "2")
    second = _poll_entries("two", list(range(40)), minutes=10)
    for seed in range(3):
        desk.publish(random.Random(seed).sample(second, len(second)))

    def work(number: int) -> None:
        writer = desk.writer(f"writer-{number}", batch_size=7)
        while desk.stream.depth():
            writer.step()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    closed = desk.stream.closed_since("0-0", block_ms=1)[1]

    assert "two" in closed
    assert desk.rows("select done, total, unchanged, unchanged_count from ingest where id = 'two'") == [
        (40, 40, [], 40)
    ]
    assert desk.rows("select count(*) from feed_log where ingest_id = 'two'") == [(1,)]
    assert desk.rows("select count(*) from receipt where ingest_id = 'two'") == [(0,)]
    desk.check()


def test_an_older_body_that_closes_last_does_not_move_the_feed_back(desk: Desk) -> None:
    _await(desk, "old", "old")
    _await(desk, "new", "new")
    writer = desk.writer()
    desk.publish(_poll_entries("new", [1, 2], minutes=10))
    desk.drain(writer)
    desk.publish(_poll_entries("old", [2, 3], minutes=0))
    desk.drain(writer)

    assert desk.rows("select etag from feed") == [("new",)]
    assert desk.rows("select count(*) from feed_log") == [(2,)]


def test_an_item_that_postgres_refuses_does_not_hold_the_feed_back(desk: Desk) -> None:
    _await(desk, "one", "1")
    ref = job("one", source="harbour", kind="feed")
    bad = article("one#bad", "a\u0000b", job=ref, guid="bad", parent_id="one")
    desk.publish([article("one#1", text(1), job=ref, guid="1"), bad, ending("one#2", Outcome.REJECTED, job=ref)])
    desk.publish([Outgoing(close(ref, 3))])
    desk.drain(desk.writer())

    assert desk.outcomes() == {"one#1": "stored", "one#bad": "dead", "one#2": "rejected"}
    assert desk.rows("select items, fresh, unchanged from feed_log") == [(3, 1, 0)]
    assert desk.rows("select etag from feed") == [("1",)]
