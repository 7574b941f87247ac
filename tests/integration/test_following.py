"""Followers and their leaders in any order, lost, dead or turned into something else: one article a story."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from copydesk.delivery.settlement import article_id
from copydesk.delivery.transaction import give_up_leaders
from copydesk.models import Likened
from copydesk.queue.entries import ArticleEntry, Outgoing
from copydesk.storage import connection as database
from tests.entries import article, close, job, text
from tests.integration.writing import Desk

REFUSED = {"title": "Postgres takes no \x00 in a text"}


def document(
    name: str, number: int, like: ArticleEntry | None = None, relation: str = "near", words: str = "", **names: Any
) -> ArticleEntry:
    """A document of its own job, as the ingest worker publishes it once it is judged."""
    entry = article(name, words or text(number), job=job(f"job {name}", minutes=number), **names)
    likened = like and Likened.model_validate(
        {"relation": relation, "document": article_id(like), "scores": {"jaccard": 0.75}, "reason": f"{relation}: 0.75"}
    )
    return entry.model_copy(update={"number": number, "is_indexed": True, "likeness": likened})


def settle(desk: Desk, *entries: ArticleEntry) -> None:
    """Each in a transaction of its own, in this order."""
    writer = desk.writer(batch_size=2)
    for entry in entries:
        desk.publish([Outgoing(entry, sketch=b"sketch"), close(entry.job, 1)])
        desk.drain(writer)
    writer.close()
    desk.check()


def versions() -> dict[str, ArticleEntry]:
    """A story, what is like it, and what is like that."""
    first = document("first", 1)
    near = document("near", 2, first)
    return {
        "first": first,
        "near": near,
        "cut": document("cut", 3, near, "contained-in"),
        "long": document("long", 4, first, "contains"),
        "other": document("other", 5),
    }


def test_versions_are_sightings_and_a_longer_one_is_an_article_of_the_same_story(desk: Desk) -> None:
    entries = versions()
    settle(desk, *entries.values())

    ids = {name: article_id(entry) for name, entry in entries.items()}
    assert desk.outcomes() == {
        "first": "stored",
        "near": "duplicate",
        "cut": "duplicate",
        "long": "stored",
        "other": "stored",
    }
    assert desk.rows("select item_id, relation, article_id::text, scores from sighting order by 1") == [
        ("cut", "contained-in", ids["first"], {"jaccard": 0.75}),
        ("near", "near", ids["first"], {"jaccard": 0.75}),
    ]
    assert dict(desk.rows("select id::text, cluster_id::text from article")) == {
        ids["first"]: ids["first"],
        ids["long"]: ids["first"],
        ids["other"]: ids["other"],
    }


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_arrival_changes_nothing(desk: Desk, seed: int) -> None:
    entries = versions()
    shuffled = random.Random(seed).sample(list(entries.values()), len(entries))
    settle(desk, *shuffled, *shuffled[:2])

    first = article_id(entries["first"])
    assert desk.outcomes()["near"] == desk.outcomes()["cut"] == "duplicate"
    assert {a for (a,) in desk.rows("select article_id::text from sighting")} == {first}
    assert {a for (a,) in desk.rows("select article_id::text from receipt where outcome = 'duplicate'")} == {first}
    assert {a for (a,) in desk.rows("select article_id::text from outbox where event = 'duplicate'")} == {first}
    assert desk.rows("select count(*) from article where cluster_id::text = %s", (first,)) == [(2,)]
    assert desk.rows("select count(*) from follower") == [(0,)]


def test_followers_go_where_their_leader_went(desk: Desk) -> None:
    stored = document("stored", 1, url="https://news.example/1")
    revision = document("revision", 2, url="https://news.example/1")
    copy = document("copy", 3, words=text(1))
    settle(desk, document("early", 4, revision), document("longer", 5, revision, "contains"), document("late", 6, copy))
    settle(desk, stored, revision, copy)
    settle(desk, document("last", 7, revision))

    place = article_id(stored)
    assert desk.outcomes() == {
        "stored": "stored",
        "revision": "revised",
        "copy": "duplicate",
        "early": "duplicate",
        "late": "duplicate",
        "last": "duplicate",
        "longer": "stored",
    }
    assert {a for (a,) in desk.rows("select article_id::text from sighting")} == {place}
    assert {c for (c,) in desk.rows("select cluster_id::text from article")} == {place}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (1, 0, 2, 3), (1, 2, 0, 3), (3, 2, 1, 0)], ids=str)
def test_a_dead_leader_leaves_one_article_of_its_story(desk: Desk, order: Sequence[int]) -> None:
    leader = document("leader", 1, changes=REFUSED)
    followers = [document(f"follower {n}", n, leader) for n in (2, 3, 4)]
    entries = [leader, *followers]
    settle(desk, *(entries[n] for n in order))

    outcomes = desk.outcomes()
    assert outcomes.pop("leader") == "dead"
    assert sorted(outcomes.values()) == ["duplicate", "duplicate", "stored"]
    (stored,) = desk.rows("select id::text, cluster_id::text from article")
    assert stored[0] == stored[1]
    assert {a for (a,) in desk.rows("select article_id::text from sighting")} == {stored[0]}
    assert set(desk.closed().values()) == {(1, 1)}
    assert desk.rows("select count(*) from follower") == [(0,)]


def test_a_leader_that_never_comes_is_given_up_and_is_a_copy_when_it_comes_after_all(desk: Desk) -> None:
    leader = document("leader", 1)
    settle(desk, document("a", 2, leader), document("b", 3, leader))
    with database.connect(desk.database_url) as connection:
        with connection.transaction():
            assert give_up_leaders(connection, after_s=3600) == 0
        with connection.transaction():
            assert give_up_leaders(connection, after_s=0) == 1
    assert desk.outcomes() == {"a": "stored", "b": "duplicate"}
    settle(desk, leader, document("c", 4, leader))

    assert desk.outcomes() == {"a": "stored", "b": "duplicate", "leader": "duplicate", "c": "duplicate"}
    assert desk.rows("select count(*), count(distinct article_id) from sighting") == [(3, 1)]


def test_two_that_name_each_other_are_not_both_copies(desk: Desk) -> None:
    one = document("one", 1)
    other = document("other", 2, one)
    settle(desk, document("one", 1, other), other)

    assert desk.rows("select count(*) from article") == [(1,)]
    assert sorted(desk.outcomes().values()) == ["duplicate", "stored"]


def test_writers_that_race_agree(desk: Desk) -> None:
    rng, entries = random.Random(5), []
    for group in range(30):
        leader = document(f"{group}-0", group * 5)
        copies = [document(f"{group}-{n}", group * 5 + n, leader) for n in range(1, 5)]
        entries += [leader, *copies]
    for entry in rng.sample(entries, len(entries)):
        desk.publish([Outgoing(entry, sketch=b"sketch"), close(entry.job, 1)])
    stop = threading.Event()

    def run(name: str) -> None:
        writer = desk.writer(name, batch_size=7, stop=stop)
        desk.drain(writer)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, ("a", "b", "c")))

    desk.check()
    assert desk.rows("select outcome, count(*) from receipt group by 1 order by 1") == [
        ("duplicate", 120),
        ("stored", 30),
    ]
    assert desk.rows("select count(*) from sighting s join article a on a.id = s.article_id") == [(120,)]
    assert desk.rows("select count(*) from follower") == [(0,)]
