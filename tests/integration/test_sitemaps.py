"""News sitemaps polled like feeds, and found at a site: on real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from copydesk.delivery import feed_trials
from copydesk.fetching.client import Client, Limits
from tests.entries import text
from tests.feed_server import Answer, FeedServer
from tests.integration.feed_round import Round, round_on
from tests.integration.writing import Desk

HTML = {"Content-Type": "text/html; charset=utf-8"}
XML = {"Content-Type": "application/xml"}
NOW = datetime.now(UTC)
SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS = "http://www.google.com/schemas/sitemap-news/0.9"


@pytest.fixture
def turn(desk: Desk, tmp_path: Path) -> Round:
    # Its pages are fetched although nothing is said of full text: a sitemap has none of its own.
    return round_on(desk, tmp_path, feed_full_text="never", fetch_pages_max=3)


def page(number: int) -> Answer:
    body = "".join(f"<p>{text(100 * number + n)} Said the mayor.</p>" for n in range(3))
    head = f"<title>Quay {number}</title>"
    return Answer(f"<html><head>{head}</head><body><h1>Quay {number}</h1>{body}</body></html>".encode(), headers=HTML)


def sitemap(server: FeedServer, **days_old: int) -> Answer:
    """One of news with a page for each name, dated so many days ago."""
    entries = "".join(
        f"<url><loc>{server.url(f'/{name}')}</loc><n:news><n:publication><n:name>Harbour Post</n:name>"
        f"<n:language>en</n:language></n:publication><n:title>Quay {name}</n:title>"
        f"<n:publication_date>{(NOW - timedelta(days=days)).isoformat()}</n:publication_date></n:news></url>"
        for name, days in days_old.items()
    )
    return Answer(f"<urlset xmlns='{SCHEMA}' xmlns:n='{NEWS}'>{entries}</urlset>".encode(), headers=XML)


def index(*urls: str) -> Answer:
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return Answer(f"<sitemapindex xmlns='{SCHEMA}'>{entries}</sitemapindex>".encode(), headers=XML)


def test_the_pages_that_a_sitemap_dates_lately_are_articles_and_nothing_else_of_it(
    turn: Round, server: FeedServer
) -> None:
    for number in range(1, 6):
        server.put(f"/p{number}", page(number))
    turn.add(server.put("/sitemap", sitemap(server, p1=0, p2=9), sitemap(server, p3=0, p1=0, p2=9)))
    turn.whole()
    turn.whole()

    rows = turn.desk.rows("select url, title, publisher, text like '%%Said the mayor%%' from article order by url")
    assert rows == [
        (server.url("/p1"), "Quay p1", "Harbour Post", True),
        (server.url("/p3"), "Quay p3", "Harbour Post", True),
    ]
    assert [len(server.asked(f"/p{n}")) for n in (1, 2, 3)] == [1, 0, 1]
    assert turn.log() == [("taken_in", 1, 1, 0), ("taken_in", 1, 1, 0)]
    turn.desk.check()


def test_more_pages_than_one_poll_fetches_come_with_the_next_ones(turn: Round, server: FeedServer) -> None:
    for number in range(1, 6):
        server.put(f"/p{number}", page(number))
    turn.add(server.put("/sitemap", sitemap(server, p1=0, p2=0, p3=0, p4=0, p5=0)))
    turn.whole()
    assert turn.desk.rows("select count(*) from article") == [(3,)]
    turn.whole()

    assert turn.desk.rows("select count(*) from article") == [(5,)]
    turn.desk.check()


def test_an_index_of_sitemaps_is_not_polled_and_says_why(turn: Round, server: FeedServer) -> None:
    turn.add(server.put("/index", index(server.url("/sitemap"))))
    turn.poll()

    ((error,),) = turn.desk.rows("select last_error from feed")
    assert "a sitemap index" in error


def test_a_sites_news_sitemaps_are_found_by_its_robots_file(server: FeedServer) -> None:
    client = Client(Limits(5, 5, 20, 1_000_000, 3), user_agent="test", allow_private=True)
    server.put("/robots.txt", Answer(f"User-agent: *\nAllow: /\nSitemap: {server.url('/index')}\n".encode()))
    server.put("/index", index(server.url("/old"), server.url("/news-map")))
    server.put("/old", sitemap(server, a=400))
    server.put("/news-map", sitemap(server, b=0, c=1, d=30))
    front = server.put("/", Answer(b"<html><body>Hello</body></html>", headers=HTML))

    found = list(feed_trials.discover(front, client.fetch, client.fetch, NOW))

    assert [(candidate.url, count) for candidate, count in found] == [(server.url("/news-map"), 2)]
