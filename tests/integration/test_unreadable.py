"""What lies on a queue and is no message is recorded, with its bytes."""

from __future__ import annotations

import redis

from copydesk.delivery.unreadable import Unreadable
from copydesk.queue.custody import UNREADABLE
from copydesk.storage import connection as database
from tests.integration.writing import Desk

MESSAGES = (b"\xff no message", b"[]", b"")


def test_what_was_set_aside_is_rejected_with_its_bytes_once(desk: Desk) -> None:
    chore = Unreadable(desk.redis_url)
    with database.connect(desk.database_url) as connection, redis.Redis.from_url(desk.redis_url) as client:
        for _ in range(2):  # a crash before the message was forgotten, or the same bytes again
            client.lpush(UNREADABLE, *MESSAGES)
            chore.turn(connection)
        left = client.llen(UNREADABLE)
    desk.drain(desk.writer())

    assert left == 0
    assert desk.rows("select count(*) from receipt where outcome = 'rejected'") == [(3,)]
    assert desk.rows("select distinct code, outcome from dead_letter") == [("unreadable_message", "rejected")]
    assert desk.rows("select count(*) from dead_letter join raw on raw.sha256 = raw_sha256") == [(3,)]
    assert desk.rows("select count(*) from ingest where closed_at is null") == [(0,)]
