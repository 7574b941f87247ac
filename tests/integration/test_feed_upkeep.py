"""What befalls feeds beside their polls: moves that last, logs that grow old, leases and alarms."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from celery import Celery

from copydesk.delivery.due_feeds import DueFeeds
from copydesk.delivery.feed_upkeep import FeedUpkeep
from copydesk.queue.jobs import FETCH_QUEUE
from copydesk.storage import connection as database
from copydesk.storage import feeds
from copydesk.storage.feeds import Due
from tests.entries import text
from tests.feed_server import Answer, FeedServer, rss
from tests.integration.feed_round import Round, round_on
from tests.integration.writing import Desk

FEED = rss(*((f"item-{n}", text(n)) for n in range(4)))


@pytest.fixture
def turn(desk: Desk, tmp_path: Path) -> Round:
    return round_on(desk, tmp_path)


# --- moves and the log ----------------------------------------------------------------------------------------------


def test_a_permanent_redirect_is_noted(turn: Round, server: FeedServer) -> None:
    new = server.put("/new", Answer(FEED))
    turn.add(server.put("/old", Answer(status=301, headers={"Location": "/new"})))
    turn.poll()
    turn.take_in()
    turn.store()

    assert turn.feed("moved_to") == (new,)


def test_a_permanent_redirect_that_lasts_becomes_the_address(turn: Round, server: FeedServer) -> None:
    new = server.put("/new", Answer(FEED, headers={"ETag": '"1"'}))
    old = server.put("/old", Answer(status=301, headers={"Location": "/new"}))
    turn.add(old)
    upkeep = FeedUpkeep(turn.settings)
    for polls, days in ((1, 30), (2, 30), (3, 1), (4, 30)):
        turn.whole()
        with database.connect(turn.desk.database_url) as connection:
            connection.execute("update feed set moved_since = moved_since - make_interval(days => %s)", (days,))
            connection.commit()
            upkeep.turn(connection)
            connection.execute("update feed set moved_since = now() where moved_since is not null")
        assert turn.feed("url, moved_polls") == ((old, polls) if polls < 4 else (new, 0))
    turn.whole()

    assert turn.feed("etag, failures, moved_to, source") == ('"1"', 0, None, "127.0.0.1")
    assert turn.log()[1:] == [("not_modified", None, None, None)] * 4


def test_a_feed_that_stops_saying_that_it_moved_stays(turn: Round, server: FeedServer) -> None:
    server.put("/new", Answer(FEED))
    redirect = Answer(status=308, headers={"Location": "/new"})
    old = server.put("/old", redirect, redirect, redirect, Answer(FEED))
    turn.add(old)
    for _ in range(4):
        turn.whole()
    with database.connect(turn.desk.database_url) as connection:
        FeedUpkeep(turn.settings.model_copy(update={"feed_moved_after_s": 0.0})).turn(connection)

    assert turn.feed("url, moved_to, moved_since, moved_polls") == (old, None, None, 0)


def test_two_feeds_that_move_to_one_address_become_one(turn: Round, server: FeedServer) -> None:
    new = server.put("/new", Answer(FEED))
    olds = [server.put(f"/old-{n}", Answer(status=301, headers={"Location": "/new"})) for n in (1, 2)]
    turn.add(*olds)
    for _ in range(3):
        turn.whole()
    upkeep = FeedUpkeep(turn.settings.model_copy(update={"feed_moved_after_s": 0.0}))
    with database.connect(turn.desk.database_url) as connection:
        for _ in range(2):
            upkeep.turn(connection)

    found = turn.desk.rows("select url, enabled, last_error from feed order by id")
    assert found == [(new, True, None), (olds[1], False, f"moved to {new}, which is polled too")]


def test_old_polls_leave_the_log(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))
    turn.whole()
    turn.poll()
    with database.connect(turn.desk.database_url) as connection:
        connection.execute("update feed_log set fetched_at = now() - interval '31 days' where result = 'taken_in'")
        connection.commit()
        FeedUpkeep(turn.settings).turn(connection)

    assert [result for result, *_ in turn.log()] == ["same_body"]


# --- leases and alarms ----------------------------------------------------------------------------------------------


def test_schedulers_at_once_lease_each_feed_once(turn: Round) -> None:
    turn.add(*(f"http://127.0.0.1:9/{n}" for n in range(200)))
    barrier = threading.Barrier(4)

    def lease(_: int) -> list[Due]:
        with database.connect(turn.desk.database_url) as connection:
            barrier.wait(10)
            return feeds.lease(connection, limit=60, lease_s=60, lost_after_s=60)

    with ThreadPoolExecutor(4) as pool:
        leased = [due.feed_id for found in pool.map(lease, range(4)) for due in found]

    assert len(leased) == len(set(leased))
    assert len(leased) + len(turn.lease()) == 200


def test_an_ended_lease_is_given_anew_and_the_old_one_is_void(turn: Round) -> None:
    turn.add("http://127.0.0.1:9/feed")
    with database.connect(turn.desk.database_url) as connection:
        (old,) = feeds.lease(connection, limit=1, lease_s=0, lost_after_s=60)
        connection.commit()
        (new,) = feeds.lease(connection, limit=1, lease_s=60, lost_after_s=60)
        connection.commit()

        assert feeds.begin(connection, old, lease_s=60) is None
        assert feeds.begin(connection, new, lease_s=60) is not None
        assert feeds.begin(connection, new, lease_s=60) is None


def test_the_scheduler_asks_for_few_at_a_time_and_gives_back_what_it_cannot_ask_for(turn: Round) -> None:
    turn.add(*(f"http://127.0.0.1:9/{n}" for n in range(100)))
    settings = turn.settings.model_copy(update={"fetch_threads": 5})
    with database.connect(turn.desk.database_url) as connection:
        for _ in range(2):
            DueFeeds(settings, turn.app).turn(connection)
        with Celery(broker=turn.desk.redis_url, set_as_current=False).connection_for_read() as broker:
            assert broker.default_channel.client.llen(FETCH_QUEUE) == 20
        assert turn.desk.rows("select count(*) from feed where leased_until is not null") == [(20,)]


def test_a_silent_feed_is_told_once_and_again_only_after_something_new(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))

    def told() -> list[str]:
        with psycopg.connect(turn.desk.database_url) as connection:
            connection.execute("update feed set added_at = now() - interval '8 days'")
            connection.execute("update feed set changed_at = changed_at - interval '8 days'")
        with database.connect(turn.desk.database_url) as connection:
            return [feed.url for feed in feeds.fall_silent(connection)]

    assert [told(), told()] == [[server.url("/feed")], []]
    turn.poll()
    turn.take_in()
    turn.store()
    assert turn.feed("silent_since") == (None,)
    assert [told(), told()] == [[server.url("/feed")], []]
