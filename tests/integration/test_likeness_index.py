"""One contract for the index in memory and the one in Redis; then what only the one in Redis has to keep."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import redis

from copydesk.dedupe.memory import MemoryIndex
from copydesk.dedupe.sketch import Sketch, pack, sketch
from copydesk.embedded import ValkeyServer
from copydesk.errors import IndexIncomplete, QueueFull
from copydesk.queue import streams
from copydesk.queue.entries import Outgoing
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import ARTICLES, LIKENESS, ArticleStream, job_key
from tests.entries import article, job

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(days=28)

Add = Callable[[str, Sketch, datetime], tuple[int, list[str]]]
"""(document, sketch, moment) -> (number, candidates)."""


def document(n: int) -> str:
    return str(uuid.UUID(int=n))


def words(seed: int, count: int = 300) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(f"w{rng.randrange(10**6)}" for _ in range(count))]


def keyed(n: int, drawn: Sketch, moment: datetime = NOON) -> Keyed:
    return Keyed(Record(document(n), moment, pack(drawn)), drawn.keys)


def index_on(client: redis.Redis, *, bytes_max: int = 1 << 30) -> LikenessIndex:
    """An index that is complete and empty."""
    index = LikenessIndex(client, window_s=WINDOW.total_seconds(), bytes_max=bytes_max)
    index.begin(NOON, expected=0)
    open_to_all(index, 0)
    return index


def open_to_all(index: LikenessIndex, number: int) -> None:
    """What the one who holds the lock does when all is loaded."""
    assert index.lock("test")
    assert index.finish("test", index.state().server_run, number)
    index.unlock("test")


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with streams.connect(redis_url) as found:
        yield found


@pytest.fixture(params=["memory", "redis"])
def add(request: pytest.FixtureRequest) -> Add:
    if request.param == "memory":
        memory = MemoryIndex()

        def in_memory(name: str, drawn: Sketch, moment: datetime) -> tuple[int, list[str]]:
            number, found = memory.add(name, drawn, moment)
            return number, [candidate.document for candidate in found]

        return in_memory
    index = index_on(request.getfixturevalue("client"))

    def in_redis(name: str, drawn: Sketch, moment: datetime) -> tuple[int, list[str]]:
        record = Record(name, moment, pack(drawn))
        (answer,) = index.add(f"job of {name}", [Keyed(record, drawn.keys)], moment)
        return answer.number, [candidate.document for candidate in answer.candidates]

    return in_redis


def test_a_text_finds_the_one_before_it_that_shares_a_part_and_no_other(add: Add) -> None:
    story = words(1)
    cut = [" ".join(story[0].split()[:100])]
    assert add(document(1), sketch(None, story), NOON) == (1, [])
    assert add(document(2), sketch(None, words(2)), NOON) == (2, [])

    assert add(document(3), sketch(None, cut), NOON) == (3, [document(1)])


def test_asked_again_it_gives_the_answer_of_the_first_time(add: Add) -> None:
    story = sketch(None, words(1))
    add(document(1), story, NOON)
    first = add(document(2), sketch(None, [*words(1), *words(2, 40)]), NOON)
    add(document(3), story, NOON)

    assert add(document(2), sketch(None, [*words(1), *words(2, 40)]), NOON) == first == (2, [document(1)])
    assert add(document(1), story, NOON) == (1, [])


def test_the_newest_that_has_a_key_is_found_and_those_that_share_more_come_first(add: Add) -> None:
    story = words(1)[0]
    add(document(1), sketch(None, [story]), NOON)
    add(document(2), sketch(None, [f"{story} and a little more at its end"]), NOON)
    _, found = add(document(3), sketch(None, [f"{story} and a little more at its end, with a turn"]), NOON)

    assert found[0] == document(2)


def test_a_text_is_found_for_the_window_and_forgotten_some_time_after(add: Add) -> None:
    add(document(1), sketch(None, words(1)), NOON)
    add(document(2), sketch(None, words(2)), NOON)

    within = add(document(3), sketch(None, [*words(1), "more"]), NOON + WINDOW - timedelta(minutes=1))
    after = add(document(4), sketch(None, [*words(2), "more"]), NOON + 3 * WINDOW)
    assert within[1] == [document(1)]
    assert after[1] == []


def test_both_find_the_same_in_a_stream_of_versions(client: redis.Redis) -> None:
    rng = random.Random(7)
    memory, index = MemoryIndex(), index_on(client)
    for n in range(400):
        body = words(rng.randrange(60))[0].split()
        del body[rng.randrange(300) : rng.randrange(300)]
        body.insert(0, f"n{n}")
        drawn = sketch(None, [" ".join(body)])
        number, found = memory.add(document(n), drawn, NOON)
        (answer,) = index.add(f"job-{n // 10}", [keyed(n, drawn)], NOON)

        assert (answer.number, answer.is_indexed) == (number, True)
        assert {c.document for c in answer.candidates} == {c.document for c in found}


# --- only in Redis ----------------------------------------------------------------------------------------------


def test_what_comes_back_is_what_was_put_in(client: redis.Redis) -> None:
    index = index_on(client)
    moment = NOON + timedelta(seconds=1.5)
    record = Record(document(2**127 + 1), moment, pack(sketch("T", words(1))))
    index.add("a", [Keyed(record, [1, 2**64 - 1])], NOON)
    (answer,) = index.add("b", [keyed(2, sketch(None, words(2)))._replace(keys=[2**64 - 1])], NOON)

    (found,) = answer.candidates
    assert (found.document, found.received_at, found.sketch) == (
        record.document,
        moment.replace(microsecond=0),
        record.sketch,
    )


def test_items_of_one_job_see_each_other_in_order(client: redis.Redis) -> None:
    same = sketch(None, words(1))
    longer = sketch(None, [*words(1), "more"])
    answers = index_on(client).add("job", [keyed(1, same), keyed(2, longer), keyed(3, sketch(None, words(3)))], NOON)

    assert [[c.document for c in a.candidates] for a in answers] == [[], [document(1)], []]


def test_the_very_same_text_does_not_stand_there_twice(client: redis.Redis) -> None:
    index = index_on(client)
    drawn = sketch(None, words(1))
    index.add("a", [keyed(1, drawn)], NOON)
    near = index.add("b", [keyed(2, sketch(None, [*words(1), "more"]))], NOON)
    before = client.dbsize()
    polls = [index.add(f"poll {n}", [keyed(10 + n, drawn)], NOON)[0] for n in range(20)]

    assert near[0].is_indexed
    assert {(a.is_indexed, document(1) in [c.document for c in a.candidates]) for a in polls} == {(False, True)}
    assert client.dbsize() - before == 20, "the answers of twenty jobs, and nothing else"


def test_of_racing_copies_exactly_one_sees_none(redis_url: str, client: redis.Redis) -> None:
    index_on(client)
    barrier = threading.Barrier(4)

    def worker(which: int) -> list[tuple[int, list[str]]]:
        with streams.connect(redis_url) as own:
            index = LikenessIndex(own, window_s=WINDOW.total_seconds(), bytes_max=1 << 30)
            seen = []
            for group in range(60):
                barrier.wait()
                drawn = sketch(None, [*words(group), f"copy {which}"])
                (answer,) = index.add(f"{group}-{which}", [keyed(group * 4 + which, drawn)], NOON)
                seen.append((answer.number, [c.document for c in answer.candidates]))
        return seen

    with ThreadPoolExecutor(4) as pool:
        workers = list(pool.map(worker, range(4)))

    for copies in zip(*workers, strict=True):
        in_order = [found for _, found in sorted(copies)]
        assert in_order[0] == []
        assert all(in_order[1:]), "each later one sees an earlier one"


def test_twelve_thousand_documents_stay_packed_and_are_all_found(client: redis.Redis) -> None:
    rng = np.random.default_rng(1)
    index = index_on(client)
    keys = rng.integers(0, 1 << 63, (12_000, 16), dtype=np.uint64).tolist()
    for start in range(0, len(keys), 500):
        some = [Keyed(Record(document(n), NOON, b"%d" % n), keys[n]) for n in range(start, start + 500)]
        index.add(f"in-{start}", some, NOON)

    probes = [Keyed(Record(document(10**6 + n), NOON, b"p%d" % n), [keys[n][n % 16]]) for n in range(12_000)]
    found = [index.add(f"out-{s}", probes[s : s + 500], NOON) for s in range(0, len(probes), 500)]
    assert [a.candidates[0].document for some in found for a in some] == [document(n) for n in range(12_000)]
    buckets = [
        key for key in client.scan_iter(f"{LIKENESS}:*:*", count=5000) if b":r" not in key and b":job:" not in key
    ]
    assert len(buckets) > 4096, "buckets were split"
    assert {client.object("encoding", key) for key in buckets} == {b"listpack"}


def test_above_its_share_it_forgets_the_oldest_and_frees_their_memory(client: redis.Redis) -> None:
    index = index_on(client, bytes_max=300_000)
    drawn = [sketch(None, words(n)) for n in range(600)]
    for n, each in enumerate(drawn):
        index.add("job", [keyed(n, each)], NOON)
        while index.tidy():
            pass
    client.delete(job_key("job"))

    assert index.state().size_bytes <= 300_000
    assert sum(1 for _ in client.scan_iter(f"{LIKENESS}:*:r*", count=1000)) < 300
    again = [index.add(f"probe {n}", [keyed(1000 + n, drawn[n])], NOON)[0] for n in (0, 599)]
    assert [bool(a.candidates) for a in again] == [False, True]


def test_it_refuses_until_it_is_loaded_and_after_a_flush(client: redis.Redis) -> None:
    index = LikenessIndex(client, window_s=WINDOW.total_seconds(), bytes_max=1 << 30)
    one = [keyed(1, sketch(None, words(1)))]
    with pytest.raises(IndexIncomplete):
        index.add("job", one, NOON)
    index.begin(NOON, expected=1)
    with pytest.raises(IndexIncomplete):
        index.add("job", one, NOON)
    open_to_all(index, 41)
    assert index.add("job", one, NOON)[0].number == 42
    client.flushdb()
    with pytest.raises(IndexIncomplete):
        index.add("job", one, NOON)


def test_it_refuses_after_a_restart_since_the_end_may_be_lost(own_redis: ValkeyServer) -> None:
    with streams.connect(own_redis.url) as client:
        index = index_on(client)
        index.add("a", [keyed(1, sketch(None, words(1)))], NOON)
        own_redis.stop()
        own_redis.start()
        with pytest.raises(IndexIncomplete):
            index.add("b", [keyed(2, sketch(None, words(1)))], NOON)

        state = index.state()
        assert (state.is_complete, state.number) == (False, 1)
        open_to_all(index, state.number)
        assert index.add("b", [keyed(2, sketch(None, words(1)))], NOON)[0].candidates


def test_loaded_in_any_order_and_twice_it_is_as_it_was(client: redis.Redis) -> None:
    documents = [keyed(n, sketch(None, [*words(n % 20), f"version {n}"])) for n in range(60)]
    index = index_on(client)
    index.add("live", documents, NOON)
    probes = [keyed(100 + n, sketch(None, [*words(n), "probe"])) for n in range(20)]

    def ask(job_id: str) -> list[set[str]]:
        return [{c.document for c in index.add(f"{job_id}{n}", [p], NOON)[0].candidates} for n, p in enumerate(probes)]

    live = ask("live")
    client.flushdb()
    index.begin(NOON, expected=60)
    numbered = [(n + 1, each) for n, each in enumerate(documents)]
    random.Random(3).shuffle(numbered)
    index.load(numbered, NOON)
    index.load(numbered[:10], NOON)
    open_to_all(index, 60)

    assert ask("loaded") == live


def test_a_full_redis_refuses_the_whole_of_it_and_can_still_be_tidied(
    client: redis.Redis, own_redis: ValkeyServer
) -> None:
    with streams.connect(own_redis.url) as full:
        index = index_on(full, bytes_max=1000)
        index.add("a", [keyed(n, sketch(None, words(n))) for n in range(20)], NOON)
        full.config_set("maxmemory", 1)
        with pytest.raises(QueueFull):
            index.add("b", [keyed(30, sketch(None, words(30)))], NOON)
        assert index.state().number == 20
        index.tidy()


def test_an_article_is_published_once_within_its_job(client: redis.Redis) -> None:
    index, stream = index_on(client), ArticleStream(client)
    entry = article("a", "text", job=job("job"))
    asked: list[Any] = [keyed(1, sketch(None, words(1)))]
    index.add("job", asked, NOON)
    for _ in range(3):
        stream.publish([Outgoing(entry, b"raw", b"sketch", document(1))])

    assert client.xlen(ARTICLES) == 1
    assert index.add("job", asked, NOON)[0].number == 0
    stream.create_group()
    (read,) = stream.read_new("me", 10, block_ms=1)
    assert (read.sketch, read.decode()) == (b"sketch", entry)
