"""Feeds in Postgres, polls from lease to spool, and the closing of a poll's job: on real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from celery import Celery

from copydesk.delivery import spool
from copydesk.delivery.due_feeds import DueFeeds
from copydesk.delivery.ingestion import Ingestion
from copydesk.delivery.polling import Polling
from copydesk.delivery.subscriptions import subscription
from copydesk.queue.app import make_app
from copydesk.queue.jobs import FETCH_QUEUE, FetchJob, payload_of
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import feeds
from copydesk.storage.feeds import Due
from tests.entries import text
from tests.feed_server import Answer, FeedServer, feed_server, refused_port, rss
from tests.integration.writing import Desk, desk_on
from tests.servers import database_name, execute, with_database

FEED = rss(*((f"item-{n}", text(n)) for n in range(4)))


@pytest.fixture
def desk(redis_url: str, database_url: str) -> Iterator[Desk]:
    with desk_on(redis_url, database_url) as found:
        yield found


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@dataclass
class Round:
    """The feed door without its processes: scheduler's chore, poll, ingest and storage, each when a test says so."""

    desk: Desk
    settings: Settings
    app: Celery

    def __post_init__(self) -> None:
        self.polling = Polling(self.settings, self.app)
        self.ingestion = Ingestion(self.settings)
        self.writer = self.desk.writer()

    def add(self, *urls: str, **named: Any) -> None:
        with database.connect(self.desk.database_url) as connection:
            feeds.add(connection, [subscription(url, self.settings, **named) for url in urls])

    def lease(self) -> list[FetchJob]:
        with database.connect(self.desk.database_url) as connection:
            found = feeds.lease(connection, limit=100, lease_s=60, lost_after_s=3600)
        return [FetchJob(v=1, feed_id=due.feed_id, lease=due.lease) for due in found]

    def poll(self) -> int:
        """Make every feed due and poll those that may be; returns how many were."""
        with database.connect(self.desk.database_url) as connection:
            feeds.make_due(connection, None)
        jobs = self.lease()
        for number, fetch_job in enumerate(jobs):
            self.polling.carry(fetch_job.model_dump(mode="json"), task_id=f"poll-{number}")
        return len(jobs)

    def take_in(self) -> None:
        """Ingest whatever is in the spool, then forget it there."""
        for job_id in spool.ids(self.settings.spool):
            found = spool.load(self.settings.spool, job_id)
            assert found is not None
            self.ingestion.carry(payload_of(found.job()), task_id=job_id, now=found.received_at)
            spool.remove(self.settings.spool, [job_id])

    def store(self) -> None:
        self.desk.drain(self.writer)

    def feed(self, columns: str) -> tuple[Any, ...]:
        (row,) = self.desk.rows(f"select {columns} from feed")  # noqa: S608 - the test's own columns
        return tuple(row)

    def log(self) -> list[tuple[Any, ...]]:
        return [tuple(r) for r in self.desk.rows("select result, items, fresh, unchanged from feed_log order by id")]


@pytest.fixture
def turn(desk: Desk, tmp_path: Path) -> Round:
    settings = load(
        {},
        redis_url=desk.redis_url,
        postgres_url=desk.database_url,
        data_dir=tmp_path,
        fetch_allow_private=True,
        fetch_read_s=2.0,
        fetch_whole_s=5.0,
    )
    return Round(desk, settings, make_app(settings))


# --- the poll -------------------------------------------------------------------------------------------------------


def test_validators_move_when_every_item_is_committed_and_not_before(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED, headers={"ETag": '"1"', "Content-Type": "application/rss+xml"})))
    assert turn.poll() == 1
    assert turn.feed("etag, body_sha256, fetched_at, leased_until") == (None, None, None, None)
    turn.take_in()
    assert turn.feed("etag, body_sha256, fetched_at") == (None, None, None)
    turn.store()

    etag, digest, fetched_at, changed_at, is_due = turn.feed(
        "etag, body_sha256, fetched_at, changed_at, due_at <= now()"
    )
    assert (etag, len(digest), is_due) == ('"1"', 64, False)
    assert fetched_at <= changed_at
    assert turn.log() == [("taken_in", 4, 4, 0)]
    assert turn.desk.rows("select count(*) from feed_fetch") == [(0,)]
    assert turn.desk.rows("select source, count(*) from article group by 1") == [("127.0.0.1", 4)]
    turn.desk.check()


def test_nothing_new_is_no_job(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED, headers={"ETag": '"1"'})))
    turn.poll()
    turn.take_in()
    turn.store()
    turn.poll()
    server.put("/feed", Answer(FEED, headers={"ETag": '"2"'}, honours_validators=False))
    turn.poll()

    assert [result for result, *_ in turn.log()] == ["taken_in", "not_modified", "same_body"]
    assert turn.desk.rows("select count(*) from ingest") == [(1,)]
    assert spool.ids(turn.settings.spool) == []
    assert turn.feed("etag, leased_until, failures") == ('"2"', None, 0)


def test_a_new_and_a_changed_item_have_receipts_and_unchanged_ones_none(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))
    turn.poll()
    turn.take_in()
    turn.store()
    later = rss(("item-9", text(9)), ("item-0", text(77)), *((f"item-{n}", text(n)) for n in (1, 2)))
    server.put("/feed", Answer(later))
    turn.poll()
    turn.take_in()
    turn.store()

    assert turn.log() == [("taken_in", 4, 4, 0), ("taken_in", 4, 2, 2)]
    found = turn.desk.rows("select outcome, count(*) from receipt group by 1 order by 1")
    assert found == [("revised", 1), ("stored", 5)]
    assert turn.desk.rows("select done, total, unchanged, unchanged_count from ingest order by received_at") == [
        (4, 4, [], 0),
        (4, 4, [], 2),
    ]
    turn.desk.check()


def test_a_feed_whose_body_is_on_its_way_is_not_fetched_again(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))

    assert [turn.poll(), turn.poll()] == [1, 0]
    turn.take_in()
    turn.store()
    assert turn.poll() == 1


def test_a_job_delivered_twice_is_polled_once(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))
    (leased,) = turn.lease()
    for _ in range(2):
        turn.polling.carry(leased.model_dump(mode="json"), task_id="one")

    assert len(server.requests) == 1
    assert len(spool.ids(turn.settings.spool)) == 1


def test_a_poll_waits_for_a_postgres_that_takes_no_connection(turn: Round, server: FeedServer) -> None:
    """Given up, the feed would be polled no more until its lease ends."""
    turn.add(server.put("/feed", Answer(FEED)))
    (leased,) = turn.lease()
    elsewhere = with_database(turn.desk.database_url, "template1")
    refuse = f"alter database {database_name(turn.desk.database_url)} allow_connections"
    poll = threading.Thread(target=turn.polling.carry, args=(leased.model_dump(mode="json"),), kwargs={"task_id": "p"})
    execute(elsewhere, f"{refuse} false")
    poll.start()
    poll.join(1)
    is_waiting = poll.is_alive()
    execute(elsewhere, f"{refuse} true")
    poll.join(30)

    assert is_waiting
    assert len(spool.ids(turn.settings.spool)) == 1


@pytest.mark.parametrize(
    "payload", [None, {}, {"v": 2, "feed_id": 1, "lease": "now"}, {"v": 1, "feed_id": 1}, "x" * 100]
)
def test_what_is_no_fetch_job_does_no_harm(turn: Round, payload: object) -> None:
    turn.polling.carry(payload, task_id="stranger")

    assert turn.desk.rows("select count(*) from feed_log") == [(0,)]


def test_a_kill_after_the_spool_loses_nothing_and_only_polls_again(turn: Round, server: FeedServer) -> None:
    """The body is in the spool, and nothing else was written: it is taken in, and the next poll finds all unchanged."""
    turn.add(server.put("/feed", Answer(FEED, headers={"ETag": '"1"'})))
    turn.poll()
    with psycopg.connect(turn.desk.database_url) as connection:
        connection.execute("delete from feed_fetch")
    turn.take_in()
    turn.store()
    assert turn.feed("etag") == (None,)
    assert turn.desk.outcomes() != {}
    turn.poll()
    turn.take_in()
    turn.store()

    assert turn.feed("etag") == ('"1"',)
    assert turn.log() == [("taken_in", 4, 0, 4)]
    assert turn.desk.rows("select count(*) from article") == [(4,)]


@pytest.mark.parametrize(
    ("answer", "code", "at_least_s"),
    [
        pytest.param(Answer(status=500), "temporary", 1800, id="500"),
        pytest.param(Answer(status=429, headers={"Retry-After": "7200"}), "temporary", 7200, id="429"),
        pytest.param(Answer(status=404), "soft", 1800, id="404"),
        pytest.param(Answer(b"<!DOCTYPE html><html><body><p>Gone</p></body></html>"), "soft", 1800, id="a page"),
        pytest.param(Answer(b"%PDF-1.4 \x00\x01"), "soft", 1800, id="a PDF"),
        pytest.param(Answer(status=410), "hard", 86400, id="410"),
    ],
)
def test_a_failing_feed_waits_and_is_never_given_up(
    turn: Round, server: FeedServer, answer: Answer, code: str, at_least_s: float
) -> None:
    turn.add(server.put("/feed", answer, answer, Answer(FEED)))
    for failures in (1, 2):
        assert turn.poll() == 1
        counted, waits, enabled = turn.feed("failures, extract(epoch from due_at - now()), enabled")
        assert (counted, enabled) == (failures, True)
        assert at_least_s - 60 < waits <= 86400
    assert spool.ids(turn.settings.spool) == []
    turn.poll()

    assert turn.feed("failures, last_error") == (0, None)
    assert len(spool.ids(turn.settings.spool)) == 1


def test_a_server_that_is_not_there_and_one_that_is_refused(turn: Round) -> None:
    turn.add(f"http://127.0.0.1:{refused_port()}/feed", "http://169.254.169.254/latest")
    turn.poll()
    refused, absent = turn.desk.rows("select last_error, failures from feed order by url desc")

    assert "link-local" in refused[0]
    assert "connection failed" in absent[0]


def test_what_feed_and_server_ask_for_is_waited_for(turn: Round, server: FeedServer) -> None:
    body = rss(("a", text(1)), head="<ttl>300</ttl>")
    turn.add(server.put("/ttl", Answer(body)))
    turn.poll()
    turn.take_in()
    turn.store()
    assert turn.feed("extract(epoch from due_at - fetched_at)::int") == (300 * 60,)
    server.put("/ttl", Answer(body, headers={"Cache-Control": "max-age=40000"}))
    turn.poll()

    (waits,) = turn.feed("extract(epoch from due_at - fetched_at)::int")
    assert waits == 40000


def test_a_charset_that_the_server_gets_wrong_does_no_harm(turn: Round, server: FeedServer) -> None:
    body = rss(("a", "Die Fähre über den Fluß fährt wieder, sagte die Bürgermeisterin am Montag in Würzburg."))
    turn.add(server.put("/feed", Answer(body, headers={"Content-Type": "text/xml; charset=iso-8859-1"})))
    turn.poll()
    turn.take_in()
    turn.store()

    ((found,),) = turn.desk.rows("select text from article")
    assert "Fähre über den Fluß" in found


def test_a_permanent_redirect_is_noted(turn: Round, server: FeedServer) -> None:
    new = server.put("/new", Answer(FEED))
    turn.add(server.put("/old", Answer(status=301, headers={"Location": "/new"})))
    turn.poll()
    turn.take_in()
    turn.store()

    assert turn.feed("moved_to") == (new,)


def test_an_empty_feed_moves_its_place_too(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(rss(), headers={"ETag": '"0"'})))
    turn.poll()
    turn.take_in()
    turn.store()

    assert turn.feed("etag, changed_at") == ('"0"', None)
    assert turn.log() == [("taken_in", 1, 0, 1)]
    assert turn.desk.outcomes() == {}


def test_items_that_are_no_articles_are_told_once(turn: Round, server: FeedServer) -> None:
    """Links without a text, in every poll of some feeds."""
    turn.add(server.put("/feed", *(Answer(rss(("a", ""), ("b", ""), (f"c{n}", text(n)))) for n in range(3))))
    for _ in range(3):
        turn.poll()
        turn.take_in()
        turn.store()

    assert turn.log() == [("taken_in", 3, 1, 0), ("taken_in", 3, 1, 2), ("taken_in", 3, 1, 2)]
    found = turn.desk.rows("select outcome, count(*) from receipt group by 1 order by 1")
    assert found == [("rejected", 2), ("stored", 3)]
    assert turn.desk.rows("select count(*) from dead_letter") == [(2,)]
    server.put("/feed", Answer(rss(("a", text(9)))))
    turn.poll()
    turn.take_in()
    turn.store()
    assert turn.desk.rows("select title from article where guid = 'a'") == [("About a",)]
    turn.desk.check()


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
