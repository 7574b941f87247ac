"""When two addresses name one page."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.dedupe.urls import canonical_url, read_rules
from copydesk.errors import LexiconError

STORY = "https://a.example/2026/05/storm"


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/2026/05/storm/",
        "http://a.example/2026/05/storm",
        "HTTPS://A.Example:443/2026/05/storm",
        "http://a.example:80/2026/05/storm",
        "https://www.a.example/2026/05/storm#comments",
        "https://m.a.example/2026/05/storm",
        "https://amp.a.example/2026/05/storm",
        "https://www.m.a.example./2026/05/storm",
        "https://reader@a.example/2026/05/storm",
        "https://a.example/2026//05/./storm",
        "https://a.example/2026/05/storm/amp",
        "https://a.example/2026/05/storm/amp/",
        "https://a.example/amp/2026/05/storm",
        "https://a.example/2026/05/storm.amp",
        "https://a.example/2026/05/storm?amp=1",
        "https://a.example/2026/05/storm?outputType=amp",
        "https://a.example/2026/05/storm/index.html",
        "https://a.example/2026/05/storm;jsessionid=0A1B2C",
        "https://a.example/2026/05/storm?PHPSESSID=deadbeef",
        "https://a.example/2026/05/storm?utm_source=feed&utm_medium=rss&ref=home&fbclid=x",
        "https://a.example/2026/05/%73torm",
        "https://www-a-example.cdn.ampproject.org/c/s/www.a.example/2026/05/storm/amp/",
        "https://www.google.com/amp/s/a.example/2026/05/storm",
        " https://a.example/2026/05/storm ",
    ],
)
def test_forms_of_one_address_are_one(url: str) -> None:
    assert canonical_url(url) == STORY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/x?id=5", "https://a.example/x?id=6"),
        ("https://a.example/x?12345", "https://a.example/x?12346"),
        ("https://a.example/x?gallery=1", "https://a.example/x?gallery=2"),
        ("https://a.example/x?cid=1", "https://a.example/x?cid=2"),
        ("https://a.example/x?ref=10442", "https://a.example/x?ref=10443"),
        ("https://a.example/x?source=4711", "https://a.example/x?source=4712"),
        ("https://a.example/x?print=2041", "https://a.example/x?print=2042"),
        ("https://a.example/#!/story/1", "https://a.example/#!/story/2"),
        ("https://a.example:8080/x", "https://a.example/x"),
        ("https://a.example/amplify", "https://a.example/ify"),
        ("https://a.example/lamp", "https://a.example/"),
        ("https://m.example/x", "https://example/x"),
        ("https://a.example/x%2Fy", "https://a.example/x/y"),
        ("https://a.example/X", "https://a.example/x"),
        ("https://a.example/story.html", "https://a.example/story"),
        ("https://youtube.com/watch?v=a", "https://youtube.com/watch?v=b"),
        ("https://notcnn.com/x", "https://cnn.com/x"),
    ],
)
def test_addresses_of_two_pages_stay_two(one: str, other: str) -> None:
    assert canonical_url(one) != canonical_url(other)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://edition.cnn.com/2026/05/25/x", "https://cnn.com/2026/05/25/x"),
        ("https://www.bbc.co.uk/news/articles/c1", "https://bbc.com/news/articles/c1"),
        ("https://m.youtube.com/watch?v=abc&t=40s", "https://youtube.com/watch?v=abc"),
        ("https://a.example/x?b=2&a=1", "https://a.example/x?a=1&b=2"),
        ("https://a.example/x.amp.html", "https://a.example/x.html"),
        ("https://a.example/", "https://a.example"),
        ("http://[broken", "http://[broken"),
        ("https://a.example:port/", "https://a.example:port/"),
        ("urn:uuid:1", "urn:uuid:1"),
        ("tag:a.example,2026:5", "tag:a.example,2026:5"),
        ("", ""),
    ],
)
def test_an_address_is_brought_to_one_form(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


PATHS = st.lists(st.text("abcdefghij0123456789-_é", min_size=1, max_size=8), min_size=1, max_size=4).map("/".join)
PARAMETERS = st.dictionaries(st.sampled_from(["id", "page", "story", "p", "lang"]), st.text("abc123", max_size=5))
TRACKERS = st.dictionaries(st.sampled_from(["utm_source", "fbclid", "gclid", "sid", "at_medium"]), st.text(max_size=5))


@given(PATHS, PARAMETERS, TRACKERS, st.randoms(use_true_random=False))
def test_tracking_and_order_never_count(
    path: str, parameters: dict[str, str], trackers: dict[str, str], random_: random.Random
) -> None:
    pairs = [*parameters.items(), *trackers.items()]
    random_.shuffle(pairs)
    plain = f"https://a.example/{path}?{urlencode(parameters)}"
    tracked = f"http://www.a.example/{path}/?{urlencode(pairs)}#top"

    assert canonical_url(plain) == canonical_url(tracked)


@given(PATHS, PARAMETERS, PATHS, PARAMETERS)
def test_other_paths_and_parameters_always_count(
    path: str, parameters: dict[str, str], path2: str, parameters2: dict[str, str]
) -> None:
    one = canonical_url(f"https://a.example/x/{path}/y?{urlencode(parameters)}")
    other = canonical_url(f"https://a.example/x/{path2}/y?{urlencode(parameters2)}")

    assert (one == other) is ((path, parameters) == (path2, parameters2))


@given(st.one_of(st.text(max_size=60), st.text(max_size=40).map(lambda rest: f"https://a.example/{rest}")))
def test_the_canonical_form_is_its_own(url: str) -> None:
    assert canonical_url(canonical_url(url)) == canonical_url(url)


@pytest.mark.parametrize("change", [{"tracking": ["*"]}, {"devices": [""]}, {"form": ["Print"]}, {"vague": None}])
def test_a_wrong_table_is_refused(change: dict[str, Any]) -> None:
    lists = ("tracking", "session", "vague", "form", "form_values", "devices", "cache", "host")
    table = {name: [] for name in lists} | change

    with pytest.raises(LexiconError):
        read_rules({name: value for name, value in table.items() if value is not None})
