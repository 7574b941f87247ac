"""Which dead letters are carried again by themselves, and how often."""

from __future__ import annotations

from typing import Any

import psycopg

from copydesk.delivery.replays import PASSING_AFTER_S, ask_passing
from copydesk.models import Outcome
from copydesk.queue.entries import Outgoing
from copydesk.storage import connection as database
from copydesk.storage import dead_letters
from tests.entries import close, ending, job, sha256
from tests.integration.writing import Desk

LETTERS: dict[str, dict[str, Any]] = {
    "killed": {"code": "processing_error", "outcome": Outcome.DEAD},
    "limited": {"code": "limit_exceeded"},
    "ours": {"code": "processing_error", "outcome": Outcome.DEAD, "trace": "Traceback"},
    "empty": {"code": "empty_input"},
}


def letter(item: str, **given: Any) -> Outgoing:
    return Outgoing(ending(item, raw_sha256=sha256(item), **given), item.encode())


def asked(desk: Desk) -> set[str]:
    return {item for (item,) in desk.rows("select item_id from dead_letter where resolution = 'asked'")}


def age(desk: Desk) -> None:
    with psycopg.connect(desk.database_url) as connection:
        connection.execute(
            "update dead_letter set recorded_at = recorded_at - make_interval(secs => %s)", (PASSING_AFTER_S,)
        )


def test_what_a_busy_machine_may_have_caused_is_carried_again_once_and_later(desk: Desk) -> None:
    ref, again = job(), job("again")
    desk.store([*(letter(item, job=ref, **given) for item, given in LETTERS.items()), close(ref, len(LETTERS))])
    with database.connect(desk.database_url) as connection:
        ask_passing(connection)
        assert asked(desk) == set()
        age(desk)
        ask_passing(connection)
        assert asked(desk) == {"killed", "limited"}
        ((number,),) = desk.rows("select id from dead_letter where item_id = 'limited'")
        with connection.transaction():
            dead_letters.replayed(connection, number, again.id)
        desk.store([letter("limited", job=again, **LETTERS["limited"]), close(again, 1)])
        age(desk)
        ask_passing(connection)

    assert asked(desk) == {"killed"}
