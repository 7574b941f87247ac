"""The HTTP door of a whole stack: stored and told, sent again, killed, and while Redis or Postgres is away."""

from __future__ import annotations

import json
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from copydesk.storage import schema
from tests.http_door import NDJSON, TEXT, TO_THE_ROW, HttpDoor, http_door, is_problem, open_door
from tests.processes import ROOT
from tests.servers import OwnPostgres, OwnServer, Server
from tests.waiting import wait_until

SEED = ROOT / "seeds" / "inbox" / "en-ferry-strike.txt"

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><link>http://e.example/</link>
<item><guid>{n}-1</guid><title>Ferry {n} returns</title><description>{a}</description></item>
<item><guid>{n}-2</guid><title>Bridge {n} closes</title><description>{b}</description></item>
</channel></rss>"""


def story(name: str) -> bytes:
    """An article unlike the others."""
    words = [
        "the",
        "ferry",
        "crossed",
        "again",
        "as",
        "its",
        "harbour",
        "council",
        "voted",
        "to",
        "close",
        "an",
        "old",
        "bridge",
        "whose",
        "piers",
        "had",
        "cracks",
    ]
    said = " ".join(f"{word}{name}" for word in words)
    return f"Ferry{name} returns\n\n{said.capitalize()}.\n".encode()


def unique() -> str:
    return uuid.uuid4().hex[:8]


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """Every process of the way from the HTTP door to the row."""
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("http-door"), *TO_THE_ROW) as made:
        yield made


def test_wait_stored_answers_with_the_article_that_is_in_postgres(door: HttpDoor) -> None:
    answer = door.post(SEED.read_bytes(), TEXT, wait="stored", source="desk", url="https://e.example/ferries")
    item = answer.json()["items"][0]

    assert (answer.status_code, item["outcome"], item["revision"], item["code"]) == (200, "stored", 1, "")
    assert door.stack.rows("select id::text, source, url from article where id = %s", item["article"]) == [
        (item["article"], "desk", "https://e.example/ferries")
    ]
    assert door.client.get(item["status_url"]).json() == item


def test_each_document_of_many_gets_its_own_outcome(door: HttpDoor) -> None:
    name = unique()
    lines = [
        {"id": f"{name}-a", "body": story(f"{name}a").decode(), "meta": {"desk": "city"}},
        {"id": f"{name}-b", "body": story(f"{name}a").decode()},
        {"id": f"{name}-c", "body": "x\x01\x02\x03" * 50},
    ]
    answer = door.post("\n".join(map(json.dumps, lines)).encode(), NDJSON, wait="stored").json()

    assert [(i["id"], i["outcome"]) for i in answer["items"]] == [
        (f"{name}-a", "stored"), (f"{name}-b", "duplicate"), (f"{name}-c", "rejected")
    ]  # fmt: skip
    assert answer["items"][0]["article"] == answer["items"][1]["article"]
    assert door.stack.rows("select meta from article where id = %s", answer["items"][0]["article"]) == [
        ({"desk": "city"},)
    ]


def test_a_feed_is_one_document_of_several_articles(door: HttpDoor) -> None:
    name = unique()
    feed = FEED.format(n=name, a=story(f"{name}a").decode() * 3, b=story(f"{name}b").decode() * 3)
    answer = door.post(feed.encode(), {"Content-Type": "application/rss+xml"}, wait="stored").json()

    assert [a["outcome"] for a in answer["items"][0]["articles"]] == ["stored", "stored"]
    assert door.client.get(answer["items"][0]["status_url"]).json() == answer["items"][0]


def test_a_key_sent_again_after_a_restart_keeps_id_and_outcome_and_other_documents_conflict(door: HttpDoor) -> None:
    name = unique()
    key = {**TEXT, "Idempotency-Key": name}
    first = door.post(story(name), key, wait="stored").json()["items"][0]
    door.stack.kill("api", signal.SIGTERM)
    door.open()

    again = door.post(story(name), key, wait="stored").json()["items"][0]
    assert (again["id"], again["outcome"], again["article"]) == (name, "stored", first["article"])
    door.stack.kill("api", signal.SIGTERM)
    door.open()
    other = door.post(story(f"{name}other"), key, wait="stored").json()["items"][0]
    assert (other["id"], other["outcome"], other["code"]) == (name, "rejected", "item_conflict")
    assert door.item(name).json()["outcome"] == "stored"
    assert door.stack.rows("select count(*) from article where id = %s", first["article"]) == [(1,)]


def test_small_documents_of_many_clients_share_jobs_and_each_gets_its_own_answer(door: HttpDoor) -> None:
    name = unique()
    answers: dict[str, httpx.Response] = {}

    def send(client: int) -> None:
        with httpx.Client(base_url=door.client.base_url, timeout=60) as own:
            for n in range(10):
                body = story(f"{name}x{client}x{n}")
                params = {"filename": f"{client}-{n}", "source": name, "wait": "stored" if n == 9 else ""}
                answers[f"{client}-{n}"] = own.post(
                    "/v1/documents", content=body, headers=TEXT, params={k: v for k, v in params.items() if v}
                )

    threads = [threading.Thread(target=send, args=(client,)) for client in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert {a.status_code for a in answers.values()} == {200, 202}
    ids = {which: answer.json()["items"][0]["id"] for which, answer in answers.items()}
    assert len(set(ids.values())) == 80
    rows = door.stack.wait_for_rows(
        f"select r.item_id, a.name from receipt r join article a on a.id = r.article_id where r.source = '{name}'",  # noqa: S608 - our own name
        lambda found: len(found) == 80,
    )
    assert {name: item_id for item_id, name in rows} == ids


def test_an_unknown_item_is_404(door: HttpDoor) -> None:
    assert is_problem(door.item(unique()), 404, "unknown_item")
    known = door.post(story(unique()), TEXT).json()["items"][0]["id"]
    assert is_problem(door.item(known, source="another"), 404, "unknown_item")


def test_a_stopped_door_ends_its_waits_and_keeps_what_it_accepted(door: HttpDoor) -> None:
    door.stack.kill("ingest")
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=door.client.base_url, timeout=60) as own:
        waiting = threading.Thread(
            target=lambda: answers.append(own.post("/v1/documents?wait=stored", content=story(unique()), headers=TEXT))
        )
        before = set(door.spooled())
        waiting.start()
        spooled = wait_until(lambda: set(door.spooled()) - before, 10, "the document is on disk")
        door.stack.kill("api", signal.SIGTERM)
        waiting.join(30)

    assert is_problem(answers[0], 503, "stopping")
    assert "retry-after" in answers[0].headers
    item = answers[0].json()["items"][0]
    assert item["job"] in spooled
    door.open("ingest")
    assert door.settled(item["id"])["outcome"] == "stored"


def test_a_killed_door_loses_nothing_that_it_said_202_to(door: HttpDoor) -> None:
    door.stack.kill("ingest")
    name = unique()
    accepted = door.post(story(name), {**TEXT, "Idempotency-Key": name}).json()
    door.stack.kill("api", signal.SIGKILL)

    assert accepted["job"] in door.spooled()
    door.open("ingest")
    assert door.settled(name)["outcome"] == "stored"
    wait_until(lambda: accepted["job"] not in door.spooled(), 20, "the spool is cleared after the commit")


@pytest.fixture
def outage(tmp_path: Path, own_redis: OwnServer, own_postgres: OwnPostgres) -> Iterator[HttpDoor]:
    """A whole stack on servers to stop."""
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    with http_door(tmp_path, own_redis.url, own_postgres.url, overdue_s=2) as made:
        yield made.open(*TO_THE_ROW)


def test_documents_are_accepted_while_redis_is_down_and_stored_once_it_is_back(
    outage: HttpDoor, own_redis: OwnServer
) -> None:
    own_redis.stop()
    accepted = [outage.post(story(f"{n}{unique()}"), TEXT) for n in range(3)]

    assert {a.status_code for a in accepted} == {202}
    wait_until(lambda: outage.client.get("/readyz").json()["redis"] == "down", 20, "the door knows")
    assert outage.client.get("/readyz").status_code == 200
    own_redis.start()
    for answer in accepted:
        assert outage.settled(answer.json()["items"][0]["id"])["outcome"] == "stored"


def test_documents_are_accepted_while_postgres_is_down_and_told_of_as_far_as_the_spool_knows(
    outage: HttpDoor, own_postgres: OwnPostgres
) -> None:
    own_postgres.stop()
    accepted = outage.post(story(unique()), TEXT)
    item_id = accepted.json()["items"][0]["id"]

    assert accepted.status_code == 202
    assert outage.item(item_id).json()["state"] == "accepted"
    assert is_problem(outage.item("another"), 503, "database_unavailable")
    assert is_problem(outage.post(story(unique()), TEXT, wait="stored", timeout=1), 503, "not_stored_yet")
    own_postgres.start()
    assert outage.settled(item_id)["outcome"] == "stored"


def test_above_the_mark_of_the_stream_nothing_is_taken(tmp_path: Path, own_redis: OwnServer) -> None:
    import redis

    with (
        http_door(tmp_path, own_redis.url, "postgresql://x@127.0.0.1:1/x", stream_bytes_max=1024 * 1024) as door,
        redis.Redis.from_url(own_redis.url) as client,
    ):
        door.open()
        assert door.post(b"one", TEXT).status_code == 202
        for _ in range(4):
            client.xadd("articles", {"d": b"x" * 1024 * 1024})
        wait_until(lambda: door.post(b"two", TEXT).status_code == 429, 20, "the door is closed")
        refused = door.post(b"three", TEXT)
        assert is_problem(refused, 429, "too_much")
        assert "retry-after" in refused.headers
        client.delete("articles")
        wait_until(lambda: door.post(b"four", TEXT).status_code == 202, 20, "the door is open again")
