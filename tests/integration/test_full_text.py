"""Pages of feeds' items, from the poll to the row: on real servers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.entries import text
from tests.feed_server import Answer, FeedServer
from tests.integration.feed_round import Round, round_on
from tests.integration.writing import Desk

HTML = {"Content-Type": "text/html; charset=utf-8"}


@pytest.fixture
def turn(desk: Desk, tmp_path: Path) -> Round:
    return round_on(desk, tmp_path, feed_full_text="short", fetch_pages_max=3)


def summary(number: int) -> str:
    return f"The harbour council number{number} has voted on quay{number} and its tariff{number} for ferries."


def page(number: int, *, about: str | None = None) -> Answer:
    """A page that says the summary, and far more."""
    paragraphs = [about or summary(number), *(f"{text(100 * number + n)} Said the mayor." for n in range(3))]
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    head = (
        f"<title>Another headline {number}</title>"
        '<meta name="author" content="Rosa Pereira"><meta property="article:section" content="Harbour">'
    )
    return Answer(
        f"<!DOCTYPE html><html><head>{head}</head><body><article><h1>Another headline</h1>{body}"
        "</article></body></html>".encode(),
        headers=HTML,
    )


def feed(server: FeedServer, *numbers: int, words: dict[int, str] | None = None) -> Answer:
    """Items with a summary each, linking to pages of this server."""
    items = "".join(
        f"<item><title>Quay {n}</title><link>{server.url(f'/page/{n}')}</link><guid isPermaLink='false'>g{n}</guid>"
        f"<description>{(words or {}).get(n, summary(n))}</description></item>"
        for n in numbers
    )
    body = f"<rss version='2.0'><channel><title>Harbour Post</title>{items}</channel></rss>".encode()
    return Answer(body, headers={"ETag": f'"{hash(body)}"', "Content-Type": "application/rss+xml"})


def articles(turn: Round) -> list[Any]:
    """guid, whether the page's text is there, warnings; in order."""
    return turn.desk.rows("select guid, text like '%%Said the mayor%%', warnings from article order by guid")


def asked(server: FeedServer) -> list[str]:
    return [request.path for request in server.requests if request.path.startswith("/page/")]


def test_a_summary_is_completed_by_its_page_and_the_feeds_fields_win(turn: Round, server: FeedServer) -> None:
    server.put("/page/1", page(1))
    turn.add(server.put("/feed", feed(server, 1)))
    turn.whole()

    assert articles(turn) == [("g1", True, ["text_from_page"])]
    found = turn.desk.rows("select title, publisher, authors, section, url, format from article")
    assert found == [("Quay 1", "Harbour Post", ["Rosa Pereira"], "Harbour", server.url("/page/1"), "feed")]
    assert turn.desk.rows("select items, fresh, pages from feed_log") == [(1, 1, 1)]
    turn.desk.check()


def test_only_new_items_have_their_page_fetched(turn: Round, server: FeedServer) -> None:
    for number in (1, 2):
        server.put(f"/page/{number}", page(number))
    turn.add(server.put("/feed", feed(server, 1), feed(server, 2, 1)))
    turn.whole()
    turn.whole()

    assert asked(server) == ["/page/1", "/page/2"]
    assert articles(turn) == [("g1", True, ["text_from_page"]), ("g2", True, ["text_from_page"])]
    assert turn.log() == [("taken_in", 1, 1, 0), ("taken_in", 2, 1, 1)]


def test_more_items_than_one_poll_fetches_are_completed_by_the_next_ones(turn: Round, server: FeedServer) -> None:
    """The server says that it has nothing new: the rest must come all the same."""
    numbers = range(1, 8)
    for number in numbers:
        server.put(f"/page/{number}", page(number))
    turn.add(server.put("/feed", feed(server, *numbers)))
    turn.whole()
    assert [row[1] for row in articles(turn)] == [True, True, True, False, False, False, False]
    assert turn.feed("etag, body_sha256, due_at < now() + interval '10 minutes'") == (None, "", True)
    for _ in range(3):
        turn.whole()

    assert sorted(asked(server)) == [f"/page/{n}" for n in numbers]
    assert articles(turn) == [(f"g{n}", True, ["text_from_page"]) for n in numbers]
    assert turn.desk.rows("select result, pages from feed_log order by id") == [
        ("taken_in", 3),
        ("taken_in", 3),
        ("taken_in", 1),
        ("not_modified", None),
    ]
    turn.desk.check()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=404), id="404"),
        pytest.param(Answer(status=410), id="410"),
        pytest.param(Answer(b"%PDF-1.4", headers={"Content-Type": "application/pdf"}), id="a PDF"),
        pytest.param(Answer(b"x" * 5000, headers=HTML), id="too large"),
        pytest.param(Answer(status=302, headers={"Location": "http://169.254.169.254/latest"}), id="refused address"),
    ],
)
def test_a_page_that_cannot_be_had_leaves_the_summary(
    desk: Desk, tmp_path: Path, server: FeedServer, answer: Answer
) -> None:
    turn = round_on(desk, tmp_path, feed_full_text="short", fetch_page_bytes_max=4096)
    server.put("/page/1", answer)
    turn.add(server.put("/feed", feed(server, 1), feed(server, 2, 1)))
    turn.whole()
    turn.whole()

    assert articles(turn)[0] == ("g1", False, ["page_unavailable"])
    assert asked(server).count("/page/1") == 1


def test_a_host_that_fails_is_asked_once_a_poll_and_its_pages_come_later(turn: Round, server: FeedServer) -> None:
    for number in (1, 2, 3):
        server.put(f"/page/{number}", Answer(status=503) if number == 1 else page(number))
    turn.add(server.put("/feed", feed(server, 1, 2), feed(server, 3, 1, 2)))
    turn.whole()
    assert asked(server) == ["/page/1"]
    assert articles(turn) == [("g1", False, ["page_pending"]), ("g2", False, ["page_pending"])]
    server.put("/page/1", page(1))
    turn.whole()

    assert articles(turn) == [(f"g{n}", True, ["text_from_page"]) for n in (1, 2, 3)]
    turn.desk.check()


def test_robots_txt_holds_for_pages_and_not_for_the_feed(turn: Round, server: FeedServer) -> None:
    server.put("/robots.txt", Answer(b"User-agent: copydesk\nDisallow: /page/1\nDisallow: /feed\n"))
    server.put("/page/2", page(2))
    turn.add(server.put("/feed", feed(server, 1, 2)))
    turn.whole()

    assert asked(server) == ["/page/2"]
    assert len(server.asked("/robots.txt")) == 1
    assert articles(turn) == [("g1", False, ["page_unavailable"]), ("g2", True, ["text_from_page"])]


def test_a_changed_item_whose_page_does_not_answer_keeps_its_text(turn: Round, server: FeedServer) -> None:
    server.put("/page/1", page(1), Answer(status=503))
    edited = {1: summary(1) + " Edited."}
    turn.add(server.put("/feed", feed(server, 1), feed(server, 1, words=edited), feed(server, 1, 2, words=edited)))
    turn.whole()
    turn.whole()
    assert articles(turn) == [("g1", True, ["text_from_page"])]
    server.put("/page/1", page(1, about=edited[1]))
    turn.whole()

    assert turn.desk.rows("select revision, text like '%%Edited%%' from article where guid = 'g1'") == [(2, True)]


def test_a_page_about_something_else_is_not_taken(turn: Round, server: FeedServer) -> None:
    wall = "<p>We value your privacy. Our partners store cookies and read identifiers from devices.</p>" * 8
    server.put("/page/1", Answer(f"<html><body><article>{wall}</article></body></html>".encode(), headers=HTML))
    turn.add(server.put("/feed", feed(server, 1)))
    turn.whole()

    assert articles(turn) == [("g1", False, ["page_about_something_else"])]


@pytest.mark.parametrize(
    ("policy", "paths"), [("never", []), ("short", ["/page/1"]), ("always", ["/page/1", "/page/2"])]
)
def test_each_feed_says_which_pages_it_wants(turn: Round, server: FeedServer, policy: str, paths: list[str]) -> None:
    for number in (1, 2):
        server.put(f"/page/{number}", page(number))
    long = " ".join(text(n) for n in range(4))
    turn.add(server.put("/feed", feed(server, 1, 2, words={2: long})), full_text=policy)
    turn.whole()

    assert asked(server) == paths


def test_an_item_without_a_text_of_its_own_waits_for_its_page(turn: Round, server: FeedServer) -> None:
    server.put("/page/1", Answer(status=503), page(1))
    turn.add(server.put("/feed", feed(server, 1, words={1: ""}), feed(server, 1, 2, words={1: ""})))
    turn.whole()
    assert turn.desk.outcomes() == {}
    turn.whole()

    assert articles(turn)[0] == ("g1", True, ["text_from_page"])


def test_a_json_feed_is_polled_and_completed_like_any_other(turn: Round, server: FeedServer) -> None:
    server.put("/page/1", page(1))
    items = [{"id": "g1", "url": server.url("/page/1"), "title": "Quay 1", "summary": summary(1)}]
    told = {"version": "https://jsonfeed.org/version/1.1", "title": "Harbour Post", "items": items}
    turn.add(server.put("/feed", Answer(json.dumps(told).encode(), headers={"Content-Type": "application/feed+json"})))
    turn.whole()

    assert articles(turn) == [("g1", True, ["text_from_page"])]


def test_a_feed_that_renames_all_its_items_stores_none_again(desk: Desk, tmp_path: Path, server: FeedServer) -> None:
    """Other ids, other addresses, the same titles and pages: more than one poll fetches."""
    numbers = range(1, 11)
    for number in numbers:
        server.put(f"/page/{number}", page(number))
        server.put(f"/page/{number}?moved", page(number))
    before = feed(server, *numbers)
    turn = round_on(desk, tmp_path, feed_full_text="short", fetch_pages_max=10)
    turn.add(server.put("/feed", before))
    turn.whole()
    renamed = before.body.replace(b"</link>", b"?moved</link>").replace(b"'false'>g", b"'false'>new-g")
    server.put("/feed", Answer(renamed, headers={"Content-Type": "application/rss+xml"}))
    turn = round_on(desk, tmp_path, feed_full_text="short", fetch_pages_max=4)
    for _ in range(3):
        turn.whole()

    assert desk.rows("select count(*), count(*) filter (where text like '%%Said the mayor%%') from article") == [
        (10, 10)
    ]
    assert desk.rows("select fresh, duplicates, pages from feed_log order by id") == [
        (10, 0, 10),
        (4, 4, 4),
        (4, 4, 4),
        (2, 2, 2),
    ]
    desk.check()
