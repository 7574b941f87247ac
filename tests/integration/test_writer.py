"""The storage writer on real servers: every entry once, whatever is repeated, refused, raced or cut."""

from __future__ import annotations

import random
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
import structlog

from copydesk.delivery.writer import by_bytes
from copydesk.models import Outcome
from copydesk.queue.entries import Incoming, Outgoing
from copydesk.queue.streams import ARTICLES
from copydesk.storage import connection as database
from copydesk.storage import raws
from tests.entries import article, close, ending, job, sha256, text
from tests.integration.writing import Desk


def _batch(job_id: str, count: int) -> list[Any]:
    """Articles of one job with its closing entry; every fifth repeats a text, every seventh was rejected."""
    ref = job(job_id)
    entries: list[Any] = []
    for n in range(count):
        if n % 7 == 6:
            entries.append(ending(f"{job_id}/{n}", job=ref))
        else:
            seed = n - 1 if n % 5 == 4 else n
            entries.append(article(f"{job_id}/{n}", text(seed), job=ref, name=f"{n}.txt", item_key=f"{job_id}/{n}"))
    return [*entries, close(ref, count)]


def test_a_batch_is_rows_receipts_and_a_closed_job_before_it_is_settled(desk: Desk) -> None:
    raw = b"as it came " * 50
    entry = article("a", text(1), job=job(), name="a.txt", meta={"mine": ["\u0000", 1.0, "x"]}, raw=raw.decode())
    desk.publish([Outgoing(entry, raw), ending("b", job=job()), close(job(), 2)])
    assert desk.writer().step() == 3

    assert desk.stream.depth() == 0
    assert desk.outcomes() == {"a": "stored", "b": "rejected"}
    assert desk.closed() == {"job": (2, 2)}
    assert desk.rows("select name, text, meta, revision from article") == [
        ("a.txt", text(1), {"mine": ["\u0000", 1.0, "x"]}, 1)
    ]
    assert desk.rows("select event from outbox") == [("stored",)]
    with database.connect(desk.database_url) as connection:
        assert raws.load(connection, sha256(raw)) == raw
    assert desk.stream.closed_since("0-0", block_ms=1)[1] == ["job"]
    desk.check()


def test_everything_delivered_again_and_again_in_any_order_changes_nothing(desk: Desk) -> None:
    entries = [*_batch("one", 40), *_batch("two", 40)]
    writer = desk.writer()
    desk.publish(entries)
    desk.drain(writer)
    before = desk.shape()

    for seed in (1, 2):
        desk.publish(entries)
        shuffled = random.Random(seed).sample(entries, len(entries))
        desk.publish(shuffled)
        desk.drain(writer)

    assert desk.shape() == before
    assert desk.closed() == {"one": (40, 40), "two": (40, 40)}
    assert desk.rows("select count(*) from outbox where event = 'stored'") == desk.rows("select count(*) from article")
    desk.check()


def test_a_closing_entry_may_come_before_its_items(desk: Desk) -> None:
    ref, writer = job(), desk.writer()
    desk.publish([close(ref, 2)])
    writer.step()
    assert desk.closed() == {}
    desk.publish([article("a", text(1), job=ref)])
    writer.step()
    assert desk.closed() == {}
    desk.publish([article("b", text(2), job=ref)])
    writer.step()

    assert desk.closed() == {"job": (2, 2)}


def test_a_job_of_nothing_is_closed(desk: Desk) -> None:
    desk.publish([close(job(), 0)])
    desk.writer().step()

    assert desk.closed() == {"job": (0, 0)}


# What Postgres refuses in a row: found by trying, all of them in one batch.
REFUSED: dict[str, dict[str, Any]] = {
    "NUL in a title": {"title": "a\x00b"},
    "NUL in a body": {"body": ("a\x00b",)},
    "NUL in a credit": {"credits": {"editors": ("a\x00",)}},
    "NUL in the file's name": {"name": "a\x00.txt"},
}


def test_what_postgres_refuses_is_dead_with_its_bytes_and_the_others_are_stored(desk: Desk) -> None:
    ref = job()
    changes = list(REFUSED.values())
    bad = {7: changes[0], 8: changes[1], 23: changes[2], 49: changes[3]}
    entries = []
    for n in range(50):
        entry = article(f"{n}", text(n), job=ref, changes={k: v for k, v in bad.get(n, {}).items() if k != "name"})
        entries.append(Outgoing(entry.model_copy(update={"name": bad.get(n, {}).get("name", "x")}), b"raw %d" % n))
    desk.publish([*entries, close(ref, 50)])
    assert desk.writer().step() == 51

    outcomes = desk.outcomes()
    assert {int(item) for item, outcome in outcomes.items() if outcome == "dead"} == set(bad)
    assert sum(outcome == "stored" for outcome in outcomes.values()) == 46
    letters = desk.rows("select item_id, code, stage, payload, raw_sha256 from dead_letter")
    assert {(i, code, stage) for i, code, stage, _, _ in letters} == {(str(n), "row_refused", "store") for n in bad}
    for item_id, _, _, payload, raw_sha256 in letters:
        assert bytes(payload) == entries[int(item_id)].entry.model_dump_json().encode()
        assert raw_sha256 == entries[int(item_id)].entry.raw_sha256
    assert desk.closed() == {"job": (50, 50)}
    assert desk.stream.depth() == 0
    desk.check()


@pytest.mark.parametrize(
    ("published_at", "stands_for"),
    [
        ("2024-05-25T15:23:00+08:00", "2024-05-25 07:23:00+00"),
        ("2024-05-25T15:23:00+23:59", "2024-05-24 15:24:00+00"),
        ("2024-W21-6T15:23:00Z", "2024-05-25 15:23:00+00"),
        ("2024-05-25T15:23:00", None),
        ("2024-05-25", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
    ],
)
def test_a_time_is_an_instant_only_where_it_is_one(desk: Desk, published_at: str, stands_for: str | None) -> None:
    desk.publish([article("a", text(1), job=job(), changes={"published_at": published_at}), close(job(), 1)])
    desk.writer().step()

    assert desk.rows("select published_text, (published_at at time zone 'UTC')::text || '+00' from article") == [
        (published_at, stands_for)
    ]


def test_names_longer_than_an_index_takes_stop_nobody(desk: Desk) -> None:
    """Postgres refuses them with an error that otherwise speaks of the server; retried for ever, all would wait."""
    rng = random.Random(1)
    noise = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(9000))
    ref = job()
    first = article("a", text(1), job=ref, url=f"https://a.example/?{noise}", guid=noise)
    # Past what `identity_keys` makes: the writer must not depend on it.
    key = first.document.keys[0].model_copy(update={"value": noise})
    second = article("b", text(2), job=ref, changes={"keys": (key,)})
    desk.publish([first, second, article("c", text(3), job=ref), close(ref, 3)])
    desk.writer().step()

    assert desk.outcomes() == {"a": "stored", "b": "dead", "c": "stored"}
    assert desk.closed() == {"job": (3, 3)}


def test_what_cannot_be_read_is_kept_and_its_job_closes_where_it_names_one(desk: Desk) -> None:
    good = article("a", text(1), job=job())
    unknown = good.model_dump_json().replace('"item_id":"a"', '"item_id":"b","later":"field"')
    with redis.Redis.from_url(desk.redis_url) as client:
        client.xadd(ARTICLES, {"d": b"\xff\x00 not JSON"})
        client.xadd(ARTICLES, {"other": "fields"})
        client.xadd(ARTICLES, {"d": unknown, "raw": zlib.compress(b"its bytes")})
    desk.publish([good, close(job(), 2)])
    desk.writer().step()

    assert desk.outcomes() == {"a": "stored", "b": "dead"}
    assert desk.closed() == {"job": (2, 2)}
    letters = {bytes(p): (i, r) for i, r, p in desk.rows("select ingest_id, raw_sha256, payload from dead_letter")}
    assert letters == {
        b"\xff\x00 not JSON": ("unreadable", None),
        b"": ("unreadable", None),
        unknown.encode(): ("job", sha256("its bytes")),
    }
    assert desk.rows("select count(*) from raw where sha256 = %s", [sha256("its bytes")]) == [(1,)]


@pytest.mark.parametrize(
    "hostile",
    [
        b'"job":{"id":"a\\u0000"',
        b'"job":{"id":""',
        b'"received_at":"9999-12-31T23:59:59-23:59"',
        b'"origin":"\\u0000"',
    ],
)
def test_a_job_that_postgres_would_refuse_stops_nobody(desk: Desk, hostile: bytes) -> None:
    """The row of a job cannot be cut out by bisection: such a job must not get that far."""
    name = hostile.partition(b":")[0]
    ref = close(job("bad"), 1).model_dump_json().encode()
    old = {b'"job"': b'"job":{"id":"bad"', b'"received_at"': b'"received_at":"2026-03-01T12:00:00Z"'}.get(
        name, b'"origin":null'
    )
    assert old in ref
    with redis.Redis.from_url(desk.redis_url) as client:
        client.xadd(ARTICLES, {"d": ref.replace(old, hostile)})
    desk.publish([article("a", text(1), job=job()), close(job(), 1)])
    desk.writer().step()

    assert desk.outcomes() == {"a": "stored"}
    assert desk.closed() == {"job": (1, 1)}
    assert desk.stream.depth() == 0


def test_a_container_read_again_after_it_was_settled_away_has_no_second_ending(desk: Desk) -> None:
    ref, writer = job(kind="file"), desk.writer()
    desk.publish([article(f"f#{n}", text(n), job=ref, parent_id="f") for n in range(3)] + [close(ref, 3)])
    writer.step()
    before = desk.shape()
    desk.publish([ending("f", job=ref, code="missing_input"), close(ref, 1)])
    writer.step()

    assert desk.shape() == before


def test_an_input_that_was_never_there_is_told(desk: Desk) -> None:
    desk.publish([ending("f", job=job(), code="missing_input"), close(job(), 1)])
    desk.writer().step()

    assert desk.outcomes() == {"f": "rejected"}


def _work_together(desk: Desk, *, batch_size: int) -> None:
    """Two writers, each until it finds nothing."""

    def work(name: str) -> None:
        writer = desk.writer(name, batch_size=batch_size)
        while writer.step():
            pass
        writer.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, ("one", "two")))


def test_two_writers_on_the_same_keys_lose_and_double_nothing(desk: Desk) -> None:
    """2,400 entries, a third of them delivered twice, on 150 texts, 60 names and 40 guids, in two threads."""
    rng = random.Random(5)
    entries: list[Any] = []
    for j in range(24):
        ref = job(f"job{j}", minutes=j)
        own = []
        for n in range(100):
            seed = rng.randrange(150)
            names = {"name": f"{seed % 60}.txt"}
            if rng.random() < 0.5:
                names["guid"] = f"g{seed % 40}"
            raw = b"raw %d" % (seed % 20)
            own.append(Outgoing(article(f"{j}/{n}", text(seed), job=ref, raw=f"{seed}", **names), raw))
        own += [Outgoing(e.entry) for e in rng.sample(own, 33)]
        rng.shuffle(own)
        entries += [*own, Outgoing(close(ref, 100))]
    rng.shuffle(entries)
    desk.publish(entries)
    with structlog.testing.capture_logs() as logs:
        _work_together(desk, batch_size=60)

    assert logs == []  # a deadlock would be retried, and said so
    assert desk.stream.depth() == 0
    assert len(desk.closed()) == 24
    assert set(desk.closed().values()) == {(100, 100)}
    assert desk.rows("select count(*) from receipt") == [(2400,)]
    assert desk.rows("select count(*) from dead_letter") == [(0,)]
    desk.check()


def test_two_writers_that_meet_the_same_new_texts_store_each_once(desk: Desk) -> None:
    """Each pair of batches has the same inputs and keys, none of them known before, in opposite orders."""
    for turn in range(5):
        seeds = range(turn * 180, turn * 180 + 180)
        for job_id, order in ((f"a{turn}", seeds), (f"b{turn}", seeds[::-1])):
            own = [Outgoing(article(f"{job_id}/{n}", text(n), job=job(job_id), raw=str(n)), b"raw") for n in order]
            desk.publish([*own, close(job(job_id), 180)])
    with structlog.testing.capture_logs() as logs:
        _work_together(desk, batch_size=181)

    assert logs == []
    assert set(desk.closed().values()) == {(180, 180)}
    assert sorted(desk.rows("select outcome, count(*) from receipt group by 1")) == [
        ("duplicate", 900),
        ("stored", 900),
    ]
    desk.check()


def test_two_versions_of_one_article_met_under_different_keys_at_once(desk: Desk) -> None:
    """Both are revisions of it: their numbers must differ, and the younger is shown."""
    first = article("a", text(1), job=job("1"), guid="g", document_id="d")
    desk.publish([first, close(job("1"), 1)])
    desk.writer().step()
    by_guid = article("b", text(2), job=job("2", minutes=1), guid="g")
    by_document = article("c", text(3), job=job("3", minutes=2), document_id="d")
    one, two = desk.writer("one", batch_size=2), desk.writer("two", batch_size=2)
    desk.publish([by_guid, close(job("2"), 1), by_document, close(job("3"), 1)])
    start = threading.Barrier(2)

    def work(writer: Any) -> None:
        start.wait(timeout=10)
        writer.step()

    threads = [threading.Thread(target=work, args=(w,)) for w in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert desk.outcomes() == {"a": "stored", "b": "revised", "c": "revised"}
    assert desk.rows("select text from article") == [(text(3),)]
    assert sorted(desk.rows("select number from revision")) == [(1,), (2,), (3,)]
    desk.check()


def test_what_another_writer_left_is_taken_over(desk: Desk) -> None:
    desk.publish([article("a", text(1), job=job()), close(job(), 1)])
    desk.stream.read_new("dead", 2, block_ms=100)
    desk.drain(desk.writer(claim_idle_s=0.001))

    assert desk.closed() == {"job": (1, 1)}


@pytest.mark.parametrize(
    ("sizes", "runs"), [([], []), ([5], [1]), ([5, 5, 1], [2, 1]), ([20, 1, 20], [1, 1, 1]), ([1] * 10, [10])]
)
def test_a_batch_is_cut_by_bytes(sizes: list[int], runs: list[int]) -> None:
    batch = [Incoming(f"{n}-0", b"x" * (size - size // 2), b"y" * (size // 2)) for n, size in enumerate(sizes)]
    cut = by_bytes(batch, 10)

    assert [len(run) for run in cut] == runs
    assert [entry for run in cut for entry in run] == batch


def test_every_outcome_that_ingest_knows_can_be_recorded(desk: Desk) -> None:
    ref = job()
    desk.publish([ending(str(o), o, job=ref) for o in Outcome] + [close(ref, len(Outcome))])
    desk.writer().step()

    assert desk.outcomes() == {str(o): str(o) for o in Outcome}
