"""Feeds in Postgres, polls from lease to spool, and the closing of a poll's job: on real servers."""

from __future__ import annotations

import threading
from pathlib import Path

import psycopg
import pytest
import structlog

from copydesk.delivery import spool
from copydesk.storage import feeds
from tests.entries import text
from tests.feed_server import Answer, FeedServer, refused_port, rss
from tests.integration.feed_round import Round, round_on
from tests.integration.writing import Desk
from tests.servers import database_name, execute, with_database

FEED = rss(*((f"item-{n}", text(n)) for n in range(4)))


@pytest.fixture
def turn(desk: Desk, tmp_path: Path) -> Round:
    return round_on(desk, tmp_path)


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


def test_a_poll_waits_for_a_postgres_that_refuses_in_the_middle_of_it(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))
    (leased,) = turn.lease()
    elsewhere = with_database(turn.desk.database_url, "template1")
    setting = f"alter database {database_name(turn.desk.database_url)}"
    execute(elsewhere, f"{setting} set default_transaction_read_only = on")
    poll = threading.Thread(target=turn.polling.carry, args=(leased.model_dump(mode="json"),), kwargs={"task_id": "p"})
    poll.start()
    poll.join(1)
    is_waiting = poll.is_alive()
    execute(elsewhere, f"{setting} reset default_transaction_read_only")
    poll.join(30)

    assert is_waiting
    assert turn.desk.rows("select count(*) from feed_fetch") == [(1,)]


def test_a_poll_whose_worker_died_over_it_is_made_by_the_next(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/feed", Answer(FEED)))
    (leased,) = turn.lease()
    with psycopg.connect(turn.desk.database_url) as connection:
        assert feeds.begin(connection, feeds.Due(leased.feed_id, leased.lease), lease_s=600)
    turn.polling.carry(leased.model_dump(mode="json"), task_id="p")
    assert spool.ids(turn.settings.spool) == []
    turn.polling.carry(leased.model_dump(mode="json"), task_id="p", is_redelivered=True)

    assert len(spool.ids(turn.settings.spool)) == 1


def test_a_body_that_is_stored_before_its_poll_could_note_it_does_not_stop_the_feed(
    turn: Round, server: FeedServer
) -> None:
    """Postgres was away between the spool and the note, and whoever looks after the spool was faster."""
    turn.add(server.put("/feed", Answer(FEED)))
    turn.poll()
    fetch = turn.desk.rows("select * from feed_fetch")
    noted = "ingest_id, feed_id, status, etag, last_modified, body_sha256, wait_s, min_s, max_s, moved_to"
    (row,) = turn.desk.rows(f"select {noted} from feed_fetch")  # noqa: S608 - the columns above
    with psycopg.connect(turn.desk.database_url) as connection:
        connection.execute("delete from feed_fetch")
    turn.take_in()
    turn.store()
    with psycopg.connect(turn.desk.database_url) as connection:
        feeds.record_fetch(connection, feeds.Fetch(*row))

    assert len(fetch) == 1
    assert turn.desk.rows("select count(*) from feed_fetch") == [(0,)]
    assert turn.feed("leased_until") == (None,)


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


def test_a_feed_that_renames_all_its_items_is_told_and_stores_nothing_again(turn: Round, server: FeedServer) -> None:
    texts = [text(n) for n in range(10)]
    url = server.put("/feed", Answer(rss(*((f"a{n}", t) for n, t in enumerate(texts)))))
    turn.add(url)
    turn.whole()
    (before,) = turn.feed("interval_s")
    # The host of its links stays, so only the ids and addresses differ.
    server.put("/feed", Answer(rss(*((f"b{n}", t) for n, t in enumerate(texts)))))
    with structlog.testing.capture_logs() as lines:
        turn.whole()

    assert [line["duplicates"] for line in lines if "new ids" in line["event"]] == [10]
    assert turn.desk.rows("select count(*) from article") == [(10,)]
    assert turn.desk.rows("select fresh, duplicates from feed_log order by id") == [(10, 0), (10, 10)]
    assert turn.feed("interval_s") == (before,)


def test_a_feed_has_bounds_of_its_own(turn: Round, server: FeedServer) -> None:
    answer = Answer(FEED, headers={"Cache-Control": "max-age=40000"})
    turn.add(server.put("/feed", answer), interval_min_s=60.0, interval_max_s=7200.0)
    turn.whole()
    assert turn.feed("extract(epoch from due_at - fetched_at)::int") == (7200,)
    server.put("/feed", Answer(status=410))
    turn.poll()

    (waits,) = turn.feed("extract(epoch from due_at - now())")
    assert 7000 < waits <= 7200


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
