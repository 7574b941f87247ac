"""Turns at hosts, kept in Redis, and robots.txt: on real servers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from copydesk.delivery.manners import Manners
from copydesk.errors import FetchTemporary, HostBusy, RobotsDenied
from copydesk.fetching import Validators
from copydesk.fetching.hosts import Care, cares, domain_of
from copydesk.fetching.robots import DELAY_MAX_S, Robots
from copydesk.queue.host_turns import HostTurns, Turn
from copydesk.queue.streams import connect
from copydesk.settings import load
from tests.feed_server import Answer, FeedServer
from tests.integration.test_fetching import LIMITS, Client

BRISK = {"COPYDESK_FETCH_HOST_SPACING_S": "0", "COPYDESK_FETCH_HOST_REQUESTS_MAX": "1"}


@pytest.fixture
def turns(redis_url: str) -> HostTurns:
    return HostTurns(connect(redis_url))


def _turn(turns: HostTurns, held: ExitStack, domain: str = "a.example", **changes: float) -> Turn:
    options = {"spacing_s": 0.0, "requests_max": 2, "patience_s": 0.0, "hold_s": 60.0} | changes
    return held.enter_context(turns.turn(domain, **options))  # type: ignore[arg-type]  # figures of the test's own


def test_turns_at_one_domain_lie_apart_and_another_is_free_at_once(turns: HostTurns) -> None:
    with ExitStack() as held:
        given = [_turn(turns, held, spacing_s=100.0, patience_s=150.0, requests_max=9) for _ in range(3)]
        other = _turn(turns, held, "b.example", spacing_s=100.0)

    assert [turn.is_given for turn in given] == [True, True, False]
    assert given[0].wait_s == 0.0
    assert 90 < given[1].wait_s <= 100
    assert 150 < given[2].wait_s <= 200
    assert other == Turn(True, 0.0)


def test_a_place_is_free_again_after_the_block_or_after_its_hold(turns: HostTurns) -> None:
    with ExitStack() as held:
        assert [_turn(turns, held).is_given for _ in range(3)] == [True, True, False]
    with ExitStack() as held:
        assert [_turn(turns, held, hold_s=0.0).is_given for _ in range(5)] == [True] * 5


def test_threads_at_once_never_exceed_the_places(turns: HostTurns) -> None:
    with ExitStack() as held, ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: _turn(turns, held, requests_max=3).is_given, range(40)))

    assert sum(given) == 3


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://news.example.co.uk/a", "example.co.uk"),
        ("https://WWW.Example.com:8443/", "example.com"),
        ("http://127.0.0.1:8000/feed", "127.0.0.1"),
        ("http://[::1]/feed", "[::1]"),
        ("http://newsroom/feed", "newsroom"),
        ("https://bücher.example.de/feed", "example.de"),
    ],
)
def test_hosts_of_one_owner_are_one(url: str, domain: str) -> None:
    assert domain_of(url) == domain


def test_single_domains_have_figures_of_their_own() -> None:
    found = cares("a.example=5,b.example=0.25/8", Care(1.0, 2))

    assert found == {"a.example": Care(5.0, 2), "b.example": Care(0.25, 8)}


def test_a_feed_on_a_busy_host_is_not_asked_for(redis_url: str, tmp_path: Path, server: FeedServer) -> None:
    settings = load(
        {}, redis_url=redis_url, data_dir=tmp_path, fetch_allow_private=True, fetch_hosts="127.0.0.1=3000/1"
    )
    manners = Manners(settings)
    url = server.put("/feed", Answer(b"x"))
    manners.feed(url, Validators())
    with pytest.raises(HostBusy) as busy:
        manners.feed(url, Validators())

    assert busy.value.retry_after_s > 2900
    assert len(server.requests) == 1


def test_a_redirect_waits_for_a_turn_of_the_host_that_it_leads_to(
    redis_url: str, turns: HostTurns, server: FeedServer
) -> None:
    settings = load({"COPYDESK_REDIS_URL": redis_url, "COPYDESK_FETCH_ALLOW_PRIVATE": "1", **BRISK})
    target = server.put("/new", Answer(b"<rss/>")).replace("127.0.0.1", "localhost")
    moved = server.put("/old", Answer(status=301, headers={"Location": target}))
    with ExitStack() as held:
        _turn(turns, held, "localhost", spacing_s=100.0)
        with pytest.raises(HostBusy):
            Manners(settings).feed(moved, Validators())

    assert [request.path for request in server.requests] == ["/old"]


def test_a_redirect_within_a_host_of_one_place_needs_no_second_one(redis_url: str, server: FeedServer) -> None:
    settings = load({"COPYDESK_REDIS_URL": redis_url, "COPYDESK_FETCH_ALLOW_PRIVATE": "1", **BRISK})
    server.put("/new", Answer(b"<rss/>"))
    moved = server.put("/old", Answer(status=301, headers={"Location": "/new"}))

    assert Manners(settings).feed(moved, Validators()).body == b"<rss/>"


def test_a_page_that_redirects_to_where_robots_may_not_go_is_not_followed(redis_url: str, server: FeedServer) -> None:
    settings = load({"COPYDESK_REDIS_URL": redis_url, "COPYDESK_FETCH_ALLOW_PRIVATE": "1", **BRISK})
    server.put("/robots.txt", Answer(b"User-agent: *\nDisallow: /private\n"))
    server.put("/private", Answer(b"<html></html>"))
    moved = server.put("/old", Answer(status=302, headers={"Location": "/private"}))
    with pytest.raises(RobotsDenied):
        Manners(settings).page(moved)

    assert server.asked("/private") == []


@pytest.mark.parametrize(
    ("answer", "delay_s"),
    [
        (Answer(status=404), 0.0),
        (Answer(status=403), 0.0),
        (Answer(b""), 0.0),
        (Answer(b"\xff\xfe\x00 not a robots file"), 0.0),
        (Answer(b"User-agent: *\nCrawl-delay: 3\n"), 3.0),
        (Answer(b"User-agent: *\nCrawl-delay: 86400\n"), DELAY_MAX_S),
        (Answer(b"User-agent: other\nDisallow: /\n"), 0.0),
        (Answer(b"User-agent: *\nDisallow: /\nUser-agent: copydesk\nAllow: /\n"), 0.0),
        (Answer(b"User-agent: *\nDisallow: /\n"), None),
        (Answer(b"User-agent: CopyDesk\nDisallow: /n*s$\n"), None),
        (Answer(status=301, headers={"Location": "/elsewhere.txt"}), None),
    ],
)
def test_what_a_robots_file_says(server: FeedServer, answer: Answer, delay_s: float | None) -> None:
    server.put("/robots.txt", answer)
    server.put("/elsewhere.txt", Answer(b"User-agent: *\nDisallow: /news\n"))
    robots = Robots(Client(LIMITS, user_agent="copydesk/test", allow_private=True), kept_s=60)
    for _ in range(2):
        if delay_s is None:
            with pytest.raises(RobotsDenied):
                robots.delay_s(server.url("/news"))
        else:
            assert robots.delay_s(server.url("/news")) == delay_s

    assert len(server.asked("/robots.txt")) == 1


def test_a_robots_file_that_does_not_come_allows_nothing_and_is_asked_for_again(server: FeedServer) -> None:
    server.put("/robots.txt", Answer(status=503), Answer(status=404))
    now = 0.0
    robots = Robots(Client(LIMITS, user_agent="copydesk/test", allow_private=True), kept_s=1000, clock=lambda: now)
    for _ in range(2):
        with pytest.raises(FetchTemporary):
            robots.delay_s(server.url("/news"))
    now = 301.0
    assert robots.delay_s(server.url("/news")) == 0.0
    assert len(server.asked("/robots.txt")) == 2
