"""The likeness index is made good from Postgres, whatever Redis forgot, and nothing is judged by half of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis

from copydesk.dedupe.sketch import Sketch, pack, sketch
from copydesk.delivery import restoring
from copydesk.delivery.judging import Judging
from copydesk.delivery.restoring import NUMBERS_SKIPPED
from copydesk.delivery.settlement import id_from
from copydesk.embedded import ValkeyServer
from copydesk.errors import IndexIncomplete
from copydesk.queue import streams
from copydesk.queue.entries import ArticleEntry, Incoming, Outgoing
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import ARTICLES, ArticleStream
from copydesk.storage import connection as database
from copydesk.storage import sketches
from tests.entries import article, close, job, text
from tests.integration.writing import desk_on

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(days=28)


def drawn(n: int) -> Sketch:
    return sketch(None, [text(n, 200)])


def document(n: int, *, days: float = 0) -> str:
    """An id as of an article that was received so many days ago."""
    return str(uuid.UUID(int=uuid.UUID(id_from(NOW - timedelta(days=days))).int + n))


def remember(database_url: str, *numbers: int, days: float = 0, above: int = 0) -> None:
    rows = [
        {
            "document_id": document(n, days=days),
            "number": above + n,
            "source": "wire",
            "received_at": (NOW - timedelta(days=days)).isoformat(),
            "data": pack(drawn(n)).hex(),
        }
        for n in numbers
    ]
    with database.connect(database_url) as connection:
        sketches.add(connection, rows)


def index_on(client: redis.Redis) -> LikenessIndex:
    return LikenessIndex(client, window_s=WINDOW.total_seconds(), bytes_max=1 << 30)


def ensure(client: redis.Redis, database_url: str) -> int:
    return restoring.ensure(index_on(client), ArticleStream(client), database_url, now=NOW, window=WINDOW)


def found(index: LikenessIndex, n: int) -> tuple[int, list[str]]:
    """What a copy of document `n` finds."""
    longer = sketch(None, [f"{text(n, 200)} and{n} a{n} word{n} more{n}"])
    name = str(uuid.uuid4())
    (answer,) = index.add(name, [Keyed(Record(name, NOW, pack(longer)), longer.keys)], NOW)
    return answer.number, [candidate.document for candidate in answer.candidates]


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with streams.connect(redis_url) as own:
        yield own


def test_an_empty_index_is_loaded_once_with_the_window_and_counts_on(client: redis.Redis, database_url: str) -> None:
    remember(database_url, 5, 6)
    remember(database_url, 4, days=20)
    remember(database_url, 3, days=40)
    index = index_on(client)

    assert ensure(client, database_url) == 3
    assert ensure(client, database_url) == 0
    assert found(index, 5) == (NUMBERS_SKIPPED + 7, [document(5)])
    assert found(index, 4) == (NUMBERS_SKIPPED + 8, [document(4, days=20)])
    assert found(index, 3) == (NUMBERS_SKIPPED + 9, [])


def test_a_flushed_redis_is_loaded_again(client: redis.Redis, database_url: str) -> None:
    remember(database_url, 1)
    index = index_on(client)
    ensure(client, database_url)
    client.flushdb()
    with pytest.raises(IndexIncomplete):
        found(index, 1)

    assert ensure(client, database_url) == 1
    assert found(index, 1) == (2 * NUMBERS_SKIPPED + 2, [document(1)]), "the lost index may have given some"


def test_after_a_restart_only_what_was_lost_is_loaded(own_redis: ValkeyServer, database_url: str) -> None:
    with streams.connect(own_redis.url) as client:
        index = index_on(client)
        remember(database_url, *range(1, 11))
        ensure(client, database_url)
        remember(database_url, 11, 12, above=NUMBERS_SKIPPED)  # settled in the second that Redis lost
        own_redis.stop()
        own_redis.start()
        with pytest.raises(IndexIncomplete):
            found(index, 1)

        assert ensure(client, database_url) == 2
        assert found(index, 11) == (2 * NUMBERS_SKIPPED + 13, [document(11)])
        assert found(index, 2) == (2 * NUMBERS_SKIPPED + 14, [document(2)])


def test_an_index_of_another_database_is_not_trusted(client: redis.Redis, database_url: str) -> None:
    index = index_on(client)
    index.begin(NOW, expected=1)
    other = drawn(9)
    index.load([(7, Keyed(Record(document(9), NOW, pack(other)), other.keys))], NOW)
    assert index.lock("test")
    assert index.finish("test", index.state().server_run, 7)
    index.unlock("test")
    remember(database_url, 1)

    assert ensure(client, database_url) == 1
    assert found(index, 9)[1] == []
    assert found(index, 1)[1] == [document(1)]


def test_while_one_loads_the_others_wait(client: redis.Redis, database_url: str) -> None:
    remember(database_url, 1)
    index = index_on(client)
    assert index.lock("somebody else")
    with pytest.raises(IndexIncomplete, match="another"):
        ensure(client, database_url)
    index.unlock("somebody else")

    assert ensure(client, database_url) == 1


# --- what was numbered by an index that is gone ------------------------------------------------------------------


def judged(client: redis.Redis, n: int) -> Outgoing:
    """Document `n` as a worker that has judged it publishes it."""
    index = index_on(client)
    (found,) = Judging(index, lambda: None).judged(
        [Outgoing(article(f"item {n}", text(n, 200), job=job(f"job {n}")))], NOW
    )
    return found


def name(outgoing: Outgoing) -> list[str]:
    assert outgoing.document
    return [outgoing.document]


def rebuild_anew(client: redis.Redis, database_url: str) -> None:
    with database.connect(database_url) as connection:
        restoring.rebuild(index_on(client), ArticleStream(client), connection, now=NOW, window=WINDOW, anew=True)


def test_what_is_on_its_way_when_the_index_is_made_anew_is_loaded_too(client: redis.Redis, database_url: str) -> None:
    ensure(client, database_url)
    stream = ArticleStream(client)
    stream.create_group()
    waiting, in_hand = judged(client, 1), judged(client, 2)
    stream.publish([waiting, in_hand])
    stream.read_new("me", 1, block_ms=1)
    rebuild_anew(client, database_url)

    assert found(index_on(client), 1)[1] == name(waiting)
    assert found(index_on(client), 2)[1] == name(in_hand)


def test_what_was_judged_by_an_index_that_is_gone_is_not_published_until_it_stands_in_the_new_one(
    client: redis.Redis, database_url: str
) -> None:
    ensure(client, database_url)
    stream = ArticleStream(client)
    late = judged(client, 1)
    rebuild_anew(client, database_url)
    with pytest.raises(IndexIncomplete):
        stream.publish([late])
    again = judged(client, 1)
    stream.publish([again])

    assert isinstance(again.entry, ArticleEntry)
    assert isinstance(late.entry, ArticleEntry)
    assert again.entry.number == late.entry.number, "the answer is kept"
    assert client.xlen(ARTICLES) == 1
    assert found(index_on(client), 1)[1] == name(late)


def test_what_a_writer_stores_after_the_index_was_loaded_without_it_is_entered_then(
    own_redis: ValkeyServer, database_url: str
) -> None:
    with streams.connect(own_redis.url) as client:
        ensure(client, database_url)
        stream = ArticleStream(client)
        stream.create_group()
        held = judged(client, 1)
        stream.publish([held])
        (in_hand,) = stream.read_new("me", 1, block_ms=1)
        client.flushall()  # Redis lost all of it, and was loaded while the writer waited for Postgres
        ensure(client, database_url)
        assert index_on(client).state().documents == 0

        assert restoring.enter_late(index_on(client), [in_hand], NOW) == 1
        assert restoring.enter_late(index_on(client), [in_hand], NOW) == 1, "once more after a kill"
        assert index_on(client).state().documents == 1
        assert found(index_on(client), 1)[1] == name(held)
        (current,) = judged_and_read(client, 3)
        assert restoring.enter_late(index_on(client), [current], NOW) == 0


def test_a_redis_too_full_for_the_index_keeps_no_writer_from_settling(
    own_redis: ValkeyServer, database_url: str
) -> None:
    with streams.connect(own_redis.url) as client, desk_on(own_redis.url, database_url) as desk:
        ensure(client, database_url)
        held = judged(client, 1)
        desk.publish([held, close(held.entry.job, 1)])
        rebuild_anew(client, database_url)
        client.config_set("maxmemory", 1)
        desk.writer().step()

        assert desk.stream.depth() == 0
        assert desk.outcomes() == {"item 1": "stored"}


def judged_and_read(client: redis.Redis, n: int) -> list[Incoming]:
    stream = ArticleStream(client)
    stream.create_group()
    stream.publish([judged(client, n)])
    return stream.read_new("me", 1, block_ms=1)


class LateIndex(LikenessIndex):
    """Finds the index missing, and gets the lock only after another has loaded it and entered a document."""

    def lock(self, token: str) -> bool:
        if self.overtaken_by:
            client, database_url = self.overtaken_by.pop()
            ensure(client, database_url)
            found(index_on(client), 1)
        return super().lock(token)

    overtaken_by: list[tuple[redis.Redis, str]]


def test_who_comes_late_does_not_begin_anew_what_another_has_made(client: redis.Redis, database_url: str) -> None:
    remember(database_url, 1)
    late = LateIndex(client, window_s=WINDOW.total_seconds(), bytes_max=1 << 30)
    late.overtaken_by = [(client, database_url)]

    assert restoring.ensure(late, ArticleStream(client), database_url, now=NOW, window=WINDOW) == 0
    assert found(late, 1)[1] != [document(1)], "the document that is on its way is still in the index"


def test_who_lost_the_lock_does_not_open_the_index(client: redis.Redis) -> None:
    index = index_on(client)
    index.begin(NOW, expected=1)
    assert index.lock("second")
    assert not index.finish("first", index.state().server_run, 7)
    assert not index.state().is_complete
