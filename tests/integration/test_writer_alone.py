"""An entry that ends its process: taken alone from its third delivery on, and dead after two such ends."""

from __future__ import annotations

import pytest
import redis

from copydesk.delivery.writer import ALONE_FROM
from copydesk.queue.entries import Outgoing
from copydesk.queue.streams import ARTICLES, GROUP
from copydesk.storage import attempts
from copydesk.storage import connection as database
from tests.entries import article, close, job, text
from tests.integration.writing import Desk


def _deliver(desk: Desk, stream_id: str, times: int, to: str = "me") -> None:
    """The next to read it sees that it is handed out for the time number `times`."""
    with redis.Redis.from_url(desk.redis_url) as client:
        client.xclaim(ARTICLES, GROUP, to, 0, [stream_id], retrycount=times - 1)


@pytest.mark.parametrize(("ended_alone", "outcome"), [(0, "stored"), (1, "stored"), (2, "dead")])
def test_an_entry_is_dead_when_it_ended_its_process_twice_while_alone(
    desk: Desk, ended_alone: int, outcome: str
) -> None:
    entry = article("a", text(1), job=job())
    desk.publish([Outgoing(entry, b"raw"), close(job(), 1)])
    poison, closing = desk.stream.read_new("me", 2, block_ms=100)
    _deliver(desk, poison.stream_id, ALONE_FROM + 5)
    with database.connect(desk.database_url) as connection:
        for tries in range(ended_alone):
            attempts.note(connection, poison.stream_id, tries + 1)
    desk.writer().step()

    assert desk.outcomes() == {"a": outcome}
    assert desk.closed() == {"job": (1, 1)}
    assert desk.stream.depth() == 0
    assert desk.rows("select * from attempt") == []
    assert desk.rows("select count(*) from raw") == [(1,)]
    letters = desk.rows("select payload from dead_letter")
    assert [bytes(p) for (p,) in letters] == ([poison.payload] if outcome == "dead" else [])
    assert closing.deliveries == 1


def test_an_entry_taken_alone_is_noted_before_it_is_tried(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends inside leaves the note behind; two of them, and the third does not try."""
    desk.publish([article("a", text(1), job=job())])
    (poison,) = desk.stream.read_new("me", 1, block_ms=100)

    def end_the_process(*_: object) -> list[str]:
        raise SystemExit(1)

    with monkeypatch.context() as patched:
        patched.setattr("copydesk.delivery.writer.commit", end_the_process)
        for tries in (1, 2):
            _deliver(desk, poison.stream_id, ALONE_FROM)
            with pytest.raises(SystemExit):
                desk.writer().step()
            assert desk.rows("select tries from attempt") == [(tries,)]
        _deliver(desk, poison.stream_id, ALONE_FROM)
        desk.writer().step()

    assert desk.outcomes() == {"a": "dead"}


@pytest.mark.parametrize("deliveries", [1, ALONE_FROM - 1])
def test_a_batch_is_not_taken_apart_for_one_or_two_deliveries(
    desk: Desk, deliveries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("copydesk.storage.attempts.note", lambda *_: pytest.fail("taken alone"))
    desk.publish([article("a", text(1), job=job())])
    (entry,) = desk.stream.read_new("me", 1, block_ms=100)
    _deliver(desk, entry.stream_id, deliveries)
    desk.writer().step()

    assert desk.outcomes() == {"a": "stored"}
