"""Feeds, sources, dead letters and counts through the HTTP door of a whole stack, as an operator would have them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.entries import text
from tests.feed_server import Answer, FeedServer, feed_server, rss
from tests.http_door import TO_THE_ROW, HttpDoor, is_problem, open_door
from tests.servers import Server
from tests.waiting import wait_until

# Whatever it holds, it is no document: the sender's bytes stay in a letter.
BINARY = b"\x00\x01\x02\x03" * 50


@pytest.fixture(scope="module")
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    folder = tmp_path_factory.mktemp("operations")
    with open_door(redis_server, postgres_server, folder, *TO_THE_ROW, "fetch", fetch_allow_private=True) as made:
        yield made


def unique() -> str:
    return uuid.uuid4().hex[:8]


def call(door: HttpDoor, method: str, path: str, status: int = 200, **options: Any) -> Any:
    """The JSON of an answer with this status."""
    answer = door.client.request(method, path, **options)
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


def every(door: HttpDoor, path: str, name: str, cursor: str, **query: object) -> list[Any]:
    """All of a list, one on a page."""
    found: list[Any] = []
    following: dict[str, object] = {}
    while True:
        page = call(door, "GET", path, params={**query, **following, "limit": 1})
        found += page[name]
        if page["next"] is None:
            return found
        following = {cursor: page["next"]}


def test_a_feed_is_tried_added_read_changed_polled_and_forgotten(door: HttpDoor, server: FeedServer) -> None:
    source = unique()
    url = server.put(f"/{source}", Answer(rss((f"{source}-1", text(1)), (f"{source}-2", text(2)))))
    page = server.put(f"/{source}-page", Answer(b"<html><body><p>No feed</p></body></html>"))

    tried = call(door, "POST", "/v1/feeds/test", json={"url": url, "source": source})
    assert (tried["items"], tried["articles"], len(tried["shown"])) == (2, 2, 2)
    for wrong, code in (
        (page, "not_fetched"),
        ("http://127.0.0.1:1/", "not_fetched"),
        ("ftp://a.example/", "address_refused"),
    ):
        assert is_problem(door.client.post("/v1/feeds/test", json={"url": wrong}), 422, code)
    assert is_problem(door.client.post("/v1/feeds", params={"test": True}, json={"url": page}), 422, "not_fetched")
    assert call(door, "GET", "/v1/feeds", params={"source": source})["feeds"] == []

    added = door.client.post("/v1/feeds", params={"test": True}, json={"url": url, "source": source, "enabled": False})
    assert added.status_code == 201, added.text
    path = added.headers["location"]
    assert is_problem(door.client.post("/v1/feeds", json={"url": url}), 409, "known_feed")
    read = door.client.get(path)
    assert read.json() == added.json()
    assert door.client.get(path, headers={"If-None-Match": read.headers["etag"]}).status_code == 304

    change = {"title": "The desk", "enabled": True}
    stale = door.client.patch(path, json=change, headers={"If-Match": '"another"'})
    assert is_problem(stale, 412, "changed_meanwhile")
    changed = door.client.patch(path, json=change, headers={"If-Match": read.headers["etag"]}).json()
    assert (changed["title"], changed["enabled"], changed["source"]) == ("The desk", True, source)

    call(door, "POST", f"{path}/poll", 202)
    polled = wait_until(lambda: call(door, "GET", f"{path}/polls")["polls"], 40, f"it is polled; {door.stack.tail()}")
    assert (polled[-1]["result"], polled[-1]["fresh"]) == ("taken_in", 2)
    assert call(door, "DELETE", path, 204) is None
    for gone in (door.client.get(path), door.client.delete(path), door.client.get(f"{path}/polls")):
        assert is_problem(gone, 404, "unknown_feed")


def test_feeds_are_listed_in_pages_and_an_address_is_one_feed(door: HttpDoor) -> None:
    source = unique()
    urls = [f"https://{source}.example/{n}" for n in range(3)]
    for url in urls:
        call(door, "POST", "/v1/feeds", 201, json={"url": url, "source": source, "enabled": False})
    feeds = every(door, "/v1/feeds", "feeds", "after", source=source)
    assert [feed["url"] for feed in feeds] == urls

    moved = door.client.patch(f"/v1/feeds/{feeds[0]['id']}", json={"url": urls[1]})
    assert is_problem(moved, 409, "known_feed")
    wrong = {"url": "https://x.example/", "interval_min_s": 600, "interval_max_s": 60}
    assert is_problem(door.client.post("/v1/feeds", json=wrong), 422, "invalid_request")


def test_a_profile_is_tried_kept_used_and_forgotten(door: HttpDoor) -> None:
    name = unique()
    story = f"A headline for {name}\n\n{text(5)}\n\nTide tables for {name} are kept by the harbour.\n\n{text(6)}\n"
    profile = f'name = "{name}"\nrules = [{{ action = "drop", match = "prefix", text = "Tide tables" }}]\n'

    def tried(toml: str | None) -> Any:
        wanted = {"source": name, "toml": toml, "text": story}
        return call(door, "POST", "/v1/sources/test", json=wanted)["documents"][0]

    assert [len(tried(toml)["body"]) for toml in (None, profile)] == [3, 2]
    assert [piece["kind"] for piece in tried(profile)["removed"]] == ["dropped"]
    assert tried(None)["title"] == f"A headline for {name}"
    assert is_problem(door.client.get(f"/v1/sources/{name}"), 404, "unknown_source")
    for wrong in ("name = ", 'name = "another"\n', f'name = "{name}"\nno_such_key = 1\n'):
        assert is_problem(door.client.put(f"/v1/sources/{name}", json={"toml": wrong}), 422, "lexicon_error")

    kept = door.client.put(f"/v1/sources/{name}", json={"toml": profile})
    assert (kept.status_code, kept.json()["toml"]) == (200, profile)
    stale = door.client.put(f"/v1/sources/{name}", json={"toml": profile}, headers={"If-Match": '"another"'})
    assert is_problem(stale, 412, "changed_meanwhile")
    assert name in [source["name"] for source in every(door, "/v1/sources", "sources", "after")]
    switched = call(door, "PUT", f"/v1/sources/{name}/learning", json={"learns": False, "fewest_stories": 5})
    assert (switched["learns"], switched["fewest_stories"], switched["has_profile"]) == (False, 5, True)
    call(door, "DELETE", f"/v1/sources/{name}", 204)
    assert call(door, "GET", f"/v1/sources/{name}")["toml"] is None


def test_learnt_lines_are_listed_and_undone(door: HttpDoor) -> None:
    name = unique()
    with psycopg.connect(door.stack.database_url) as connection:
        for key, stories in (("aa", 9), ("bb", 9), ("cc", 4), ("dd", 1)):
            connection.execute(
                "insert into learnt_line (source, key, text, stories, at_edge, is_prose)"
                " values (%s, %s, %s, %s, %s, false)",
                (name, key, f"Line {key}", stories, stories),
            )
    lines = every(door, f"/v1/sources/{name}/lines", "lines", "after")
    assert [(line["key"], line["is_dropped"]) for line in lines] == [("aa", True), ("bb", True), ("cc", True)]

    undone = call(door, "PUT", f"/v1/sources/{name}/lines/bb", json={"is_undone": True})
    assert (undone["is_undone"], undone["is_dropped"]) == (True, False)
    assert call(door, "PUT", f"/v1/sources/{name}/lines/bb", json={"is_undone": False})["is_dropped"]
    unknown = door.client.put(f"/v1/sources/{name}/lines/zz", json={"is_undone": True})
    assert is_problem(unknown, 404, "unknown_line")


def test_dead_letters_are_listed_read_replayed_and_discarded(door: HttpDoor) -> None:
    source = unique()
    for n in range(3):
        item = door.post(
            BINARY + bytes([n]), {"Content-Type": "application/octet-stream"}, source=source, wait="stored"
        )
        assert item.json()["items"][0]["outcome"] == "rejected", item.text
    letters = every(door, "/v1/dead", "letters", "before", source=source)
    assert [letter["source"] for letter in letters] == [source] * 3
    path = f"/v1/dead/{letters[0]['id']}"
    read = door.client.get(path)
    assert read.json()["context"]["kind"] == "http"
    assert door.client.get(path, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    assert door.client.get(f"{path}/raw").content == BINARY + b"\x02"
    code = letters[0]["code"]
    assert code in [cause["code"] for cause in call(door, "GET", "/v1/dead/causes")["causes"]]

    assert is_problem(door.client.post("/v1/dead/replay", json={}), 422, "invalid_request")
    discarded = {"ids": [letters[1]["id"]], "reason": "of no use"}
    assert call(door, "POST", "/v1/dead/discard", json=discarded) == {"letters": 1}
    assert call(door, "POST", "/v1/dead/replay", 202, json={"source": source, "code": code}) == {"letters": 2}
    wait_until(lambda: call(door, "GET", path)["resolution"] == "replayed", 20, "it is carried again")
    assert call(door, "GET", f"/v1/dead/{letters[1]['id']}")["note"] == "of no use"
    assert is_problem(door.client.get("/v1/dead/999999999"), 404, "unknown_letter")


def test_outcomes_are_counted_by_hour_and_source(door: HttpDoor) -> None:
    source = unique()
    for number in (7, 7, 8):
        door.client.post(
            "/v1/documents", params={"source": source, "wait": "stored"}, json={"body": f"{source} {text(number)}"}
        )
    counts = every(door, "/v1/stats", "counts", "after", source=source)

    assert {row["outcome"]: row["items"] for row in counts} == {"stored": 2, "duplicate": 1}
    before = call(
        door,
        "GET",
        "/v1/stats",
        params={"source": source, "begin": "2026-01-01T00:00:00Z", "end": "2026-01-31T00:00:00Z"},
    )
    assert before["counts"] == []
    for query in ({"begin": "2020-01-01T00:00:00Z"}, {"after": "x"}, {"end": "2026-01-01"}, {"limit": 0}):
        assert is_problem(door.client.get("/v1/stats", params=query), 422, "invalid_request")


def test_a_body_that_is_too_large_is_refused(door: HttpDoor) -> None:
    answer = door.client.post("/v1/sources/test", json={"source": "a", "text": "x" * 2_000_000})

    assert is_problem(answer, 413, "too_large")
