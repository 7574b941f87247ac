"""The feed door with every process on real servers: polled, taken in, revised, and nothing lost when killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from copydesk.storage import schema
from tests import servers
from tests.entries import text
from tests.feed_server import Answer, FeedServer, feed_server, rss
from tests.processes import ROOT, Stack
from tests.roles import urls_of_roles
from tests.waiting import wait_until

PROCESSES = ("storage", "ingest", "fetch", "scheduler")


class Door:
    """A stack whose feeds are polled as soon as the test makes them due, and the server that they are on."""

    def __init__(self, stack: Stack, server: FeedServer) -> None:
        self.stack = stack
        self.server = server

    def feeds(self, *arguments: str, code: int = 0) -> str:
        """`copydesk feeds …` as an operator runs it: what it prints, or its complaint where it ends with `code`."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        done = subprocess.run(
            [sys.executable, "-m", "copydesk.cli", "feeds", *arguments],
            cwd=ROOT,
            env={
                **environ,
                "COPYDESK_POSTGRES_URL": self.stack.database_url,
                "COPYDESK_FEED_FULL_TEXT": "never",
                "COPYDESK_FETCH_ALLOW_PRIVATE": "true",
                "COLUMNS": "200",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    def polled(self, times: int) -> list[tuple[Any, ...]]:
        """Wait for so many polls with their outcome; returns what each brought."""
        return self.stack.wait_for_rows(
            "select result, items, fresh, unchanged from feed_log order by id", lambda rows: len(rows) >= times
        )


@pytest.fixture
def door(redis_server: Any, postgres_server: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Door]:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushdb()
    with servers.fresh_database(postgres_server.url) as url, feed_server() as server:
        with psycopg.connect(url) as connection:
            schema.install(connection)
        settings = {"fetch_allow_private": True, "feeds_look_every_s": 0.1, "fetch_lease_s": 6, "fetch_whole_s": 5}
        settings |= urls_of_roles(postgres_server, url) | getattr(request, "param", {})
        with Stack(tmp_path, redis_server.url, url, **settings, overdue_s=2, claim_idle_s=2) as stack:
            yield Door(stack, server)


def test_a_feed_is_polled_and_followed(door: Door) -> None:
    door.stack.start(*PROCESSES)
    before = [("a", text(1)), ("b", text(2)), ("c", text(3))]
    url = door.server.put("/feed", Answer(rss(*before), headers={"ETag": '"1"', "Content-Type": "application/rss+xml"}))
    assert door.feeds("add", url, "--source", "harbour") == "1 added\n"
    door.polled(1)
    assert door.stack.rows("select source, guid, revision from article order by guid") == [
        ("harbour", "a", 1),
        ("harbour", "b", 1),
        ("harbour", "c", 1),
    ]

    door.feeds("poll", url)
    door.polled(2)
    after = [("d", text(4)), ("a", text(11)), *before[1:]]
    door.server.put("/feed", Answer(rss(*after), headers={"ETag": '"2"'}))
    door.feeds("poll", "--all")
    polls = door.polled(3)

    assert polls == [("taken_in", 3, 3, 0), ("not_modified", None, None, None), ("taken_in", 4, 2, 2)]
    assert door.stack.rows("select guid, revision from article order by guid") == [
        ("a", 2),
        ("b", 1),
        ("c", 1),
        ("d", 1),
    ]
    assert door.stack.rows("select outcome, count(*) from receipt group by 1 order by 1") == [
        ("revised", 1),
        ("stored", 4),
    ]
    assert door.server.asked("/feed")[1].headers["if-none-match"] == '"1"'
    assert door.stack.rows("select etag, failures, last_error, leased_until from feed") == [('"2"', 0, None, None)]
    wait_until(lambda: not list(door.stack.spool.glob("*.job")), 20, f"an empty spool; {door.stack.tail()}")
    assert "harbour" in door.feeds("list")


def test_validators_do_not_move_while_storage_is_dead(door: Door) -> None:
    door.stack.start("ingest", "fetch", "scheduler", "storage")
    door.stack.kill("storage")
    url = door.server.put("/feed", Answer(rss(("a", text(1)), ("b", text(2))), headers={"ETag": '"1"'}))
    door.feeds("add", url)
    wait_until(lambda: door.stack.redis().xlen("articles") == 3, 20, f"the entries in the stream; {door.stack.tail()}")
    assert door.stack.rows("select etag, body_sha256, fetched_at from feed") == [(None, None, None)]
    assert len(door.stack.rows("select 1 from feed_fetch")) == 1
    assert len(list(door.stack.spool.glob("*.job"))) == 1

    door.stack.start("storage")
    door.polled(1)

    assert door.stack.rows("select etag from feed") == [('"1"',)]
    assert door.stack.rows("select count(*) from article") == [(2,)]
    assert len(door.server.requests) == 1


def test_a_fetch_worker_killed_in_the_middle_loses_nothing(door: Door) -> None:
    door.stack.start("storage", "ingest", "fetch")
    body = Answer(rss(("a", text(1))), headers={"ETag": '"1"'})
    stall = Answer(behave=lambda handler: door.server.drip(handler, [b"<rss>"] * 1000, 0.2))
    door.feeds("add", door.server.put("/feed", stall, body))
    door.stack.start("scheduler")
    wait_until(lambda: door.server.requests, 20, f"the first request; {door.stack.tail()}")
    door.stack.kill("fetch")
    door.stack.start("fetch")
    polls = door.polled(1)

    assert polls == [("taken_in", 1, 1, 0)]
    assert len(door.server.requests) == 2
    assert door.stack.rows("select outcome from receipt") == [("stored",)]


def test_redis_that_loses_its_memory_loses_no_feed(door: Door) -> None:
    """What was asked for and what was offered is gone: the lease ends, and the spool offers again."""
    door.stack.start("scheduler")
    urls = [door.server.put(f"/{n}", Answer(rss((f"a{n}", text(n))), headers={"ETag": '"1"'})) for n in range(3)]
    for url in urls:
        door.feeds("add", url)
    wait_until(lambda: door.stack.redis().llen("copydesk.fetch") == 3, 20, f"three leases; {door.stack.tail()}")
    door.stack.redis().flushdb()
    door.stack.start("fetch")
    wait_until(lambda: len(list(door.stack.spool.glob("*.job"))) == 3, 40, f"three bodies; {door.stack.tail()}")
    door.stack.redis().flushdb()
    door.stack.start("storage", "ingest")
    door.polled(3)

    assert door.stack.rows("select count(*) from article") == [(3,)]
    assert door.stack.rows("select distinct etag from feed") == [('"1"',)]
    assert [len(door.server.asked(f"/{n}")) for n in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("door", [{"fetch_allow_private": False}], indirect=True)
def test_a_private_address_is_not_fetched_unless_allowed(door: Door) -> None:
    door.stack.start("fetch", "scheduler")
    door.feeds("add", door.server.put("/feed", Answer(rss(("a", text(1))))))
    door.stack.wait_for_rows("select error from feed_log", lambda rows: len(rows) == 1)

    ((error, failures),) = door.stack.rows("select last_error, failures from feed")
    assert "COPYDESK_FETCH_ALLOW_PRIVATE" in error
    assert (failures, door.server.requests) == (1, [])


def test_feeds_are_found_tried_added_changed_and_looked_into_from_a_shell(door: Door) -> None:
    feed = Answer(rss(("a", text(1)), ("b", "")), headers={"ETag": '"1"', "Content-Type": "application/rss+xml"})
    url = door.server.put("/news/feed.xml", feed)
    link = "<link rel='alternate' type='application/rss+xml' title='All &amp; more' href='/news/feed.xml'>"
    front = door.server.put("/", Answer(f"<html><head>{link}</head><body>Hello</body></html>".encode()))
    door.server.put("/feed", feed)

    assert door.feeds("discover", front) == f"{url}\t2 items\tAll & more\n"
    assert door.feeds("discover", url) == f"{url}\t2 items\n"
    tried = door.feeds("test", url)
    assert "2 items" in tried
    assert "1 would be articles, 2 seem to carry a summary only; the server tells what is new" in tried
    assert "About a" in tried
    assert "no article" in tried
    assert door.stack.rows("select count(*) from feed") == [(0,)]

    assert door.feeds("add", url, "--test", "--full-text", "always", "--at-least", "2", "--at-most", "90").endswith(
        "1 added\n"
    )
    assert door.stack.rows("select full_text, interval_min_s, interval_max_s from feed") == [("always", 120.0, 5400.0)]
    assert door.feeds("set", url, "--full-text", "never", "--title", "News") == "changed\n"
    assert door.stack.rows("select full_text, interval_min_s, title from feed") == [("never", 120.0, "News")]
    door.stack.start("fetch", "scheduler", "ingest", "storage")
    door.polled(1)
    assert "taken_in" in door.feeds("log", url)
    door.feeds("set", url, "--off")
    assert " off" in door.feeds("list")


def test_what_a_shell_asks_of_feeds_in_vain_changes_nothing(door: Door) -> None:
    body = b"<!DOCTYPE html><html><body><p>Nothing here</p></body></html>"
    page = door.server.put("/page", Answer(body, headers={"Content-Type": "text/html"}))
    one, two = (door.server.put(f"/{name}", Answer(rss())) for name in ("one", "two"))
    for url in (one, two):
        door.feeds("add", url)
    before = door.stack.rows("select * from feed order by id")

    assert "not a feed but html" in door.feeds("add", page, "--test", code=1)
    assert "no feed was found" in door.feeds("discover", page, code=1)
    assert "no such feed" in door.feeds("log", page, code=1)
    assert "there is a feed at this address already" in door.feeds("set", one, "--url", two, code=1)
    assert door.stack.rows("select * from feed order by id") == before


def test_a_feed_list_is_imported_once(door: Door, tmp_path: Path) -> None:
    listed = "".join(f'<outline text="Feed {n}" xmlUrl="http://127.0.0.1:9/{n}"/>' for n in range(3))
    (tmp_path / "feeds.opml").write_text(
        f'<opml version="2.0"><body>{listed}<outline xmlUrl="ftp://a.example/"/></body></opml>', encoding="utf-8"
    )

    assert door.feeds("import", str(tmp_path / "feeds.opml")) == "3 added\n"
    assert door.feeds("import", str(tmp_path / "feeds.opml")) == "0 added, 3 known before\n"
    assert door.stack.rows("select source, title from feed order by url limit 1") == [("127.0.0.1", "Feed 0")]


def test_what_the_fetch_worker_says_can_be_read_by_machines(door: Door) -> None:
    door.stack.start("fetch", "scheduler")
    door.feeds("add", door.server.put("/feed", Answer(status=410)))
    door.stack.wait_for_rows("select 1 from feed_log", lambda rows: len(rows) == 1)
    lines = [json.loads(line) for line in door.stack.log("fetch").splitlines() if line.startswith("{")]
    (said,) = [line for line in lines if line.get("event") == "not fetched"]

    assert (said["level"], said["code"], said["url"]) == ("warning", "fetch_hard", door.server.url("/feed"))
