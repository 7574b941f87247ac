"""Kills, withheld items and embargoes on a real database: what a reader of the view `article` sees, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from copydesk.dedupe.identity import guid_key
from copydesk.models import Outcome, Withdrawal
from copydesk.queue.entries import ArticleEntry, OutcomeEntry
from tests.entries import article, close, ending, job, text
from tests.integration.writing import Desk

FIRST, SECOND = text(1), text(1) + " and one sentence more"


def story(number: int, body: str, *, version: str | None = None, guid: str = "g", **changes: Any) -> ArticleEntry:
    """The item `i<number>`, received `number` minutes after noon."""
    said = {"version": version, "guid": guid} | changes
    return article(f"i{number}", body, job=job(f"j{number}", minutes=number), guid=guid, changes=said)


def order(number: int, *, is_final: bool = True, version: str | None = None, guid: str = "g") -> OutcomeEntry:
    keys = (guid_key("wire", guid),)
    said = Withdrawal(keys=keys, is_final=is_final, version=version, reason="its sender says so")
    ref = job(f"j{number}", minutes=number)
    return ending(
        f"i{number}", Outcome.WITHDRAWN, job=ref, code="", reason="its sender says so", stage="parse", withdrawal=said
    )


def settle(desk: Desk, *batches: list[Any]) -> list[str]:
    """Each batch in a transaction of its own; the outcomes in the order of the items' names."""
    for batch in batches:
        desk.publish([*batch, *(close(entry.job, 1) for entry in batch)])
        desk.drain(desk.writer())
    desk.check()
    return [outcome for _, outcome in sorted(desk.outcomes().items())]


def seen(desk: Desk) -> list[str]:
    return [row[0] for row in desk.rows("select text from article")]


def events(desk: Desk) -> list[str]:
    return [row[0] for row in desk.rows("select event from outbox order by id")]


def test_a_kill_takes_the_article_out_of_sight_and_later_versions_with_it(desk: Desk) -> None:
    outcomes = settle(desk, [story(1, FIRST, version="1")], [order(2, version="2")], [story(3, SECOND, version="3")])

    assert outcomes == ["stored", "withdrawn", "withdrawn"]
    assert seen(desk) == []
    assert events(desk) == ["stored", "withdrawn"]
    assert desk.rows("select withdrawn_reason from article_head") == [("its sender says so",)]
    assert desk.rows("select count(distinct article_id) from receipt") == [(1,)]


def test_a_kill_that_comes_first_is_remembered(desk: Desk) -> None:
    assert settle(desk, [order(1)], [story(2, FIRST)]) == ["withdrawn", "withdrawn"]
    assert seen(desk) == []
    assert desk.rows("select count(*) from article_head") == [(0,)]
    assert desk.rows("select count(*) from identity_key") == [(0,)]


@pytest.mark.parametrize("first", [0, 1])
def test_an_article_and_its_kill_in_one_batch_end_out_of_sight(desk: Desk, first: int) -> None:
    batch: list[Any] = [story(1, FIRST), order(2)]
    settle(desk, batch if first == 0 else batch[::-1])

    assert seen(desk) == []


def test_the_text_of_a_killed_article_stays_away_under_another_name(desk: Desk) -> None:
    outcomes = settle(desk, [story(1, FIRST)], [order(2)], [story(3, FIRST, guid="another")])

    assert outcomes == ["stored", "withdrawn", "withdrawn"]
    assert seen(desk) == []


def test_a_withheld_article_comes_back_with_a_higher_version(desk: Desk) -> None:
    withheld = order(2, is_final=False, version="2")
    settle(desk, [story(1, FIRST, version="1")], [withheld])
    assert seen(desk) == []
    outcomes = settle(desk, [story(3, FIRST, version="2")], [story(4, SECOND, version="3")])

    assert outcomes == ["stored", "withdrawn", "withdrawn", "revised"]
    assert seen(desk) == [SECOND]
    assert events(desk) == ["stored", "withdrawn", "revised"]


def test_a_withheld_article_comes_back_with_its_old_text(desk: Desk) -> None:
    withheld = order(2, is_final=False, version="2")
    outcomes = settle(desk, [story(1, FIRST, version="1")], [withheld], [story(3, FIRST, version="3")])

    assert outcomes == ["stored", "withdrawn", "revised"]
    assert seen(desk) == [FIRST]


def test_an_order_about_an_older_version_leaves_the_newer_in_sight(desk: Desk) -> None:
    withheld = order(2, is_final=False, version="2")

    assert settle(desk, [story(1, FIRST, version="3")], [withheld]) == ["stored", "withdrawn"]
    assert seen(desk) == [FIRST]
    assert events(desk) == ["stored"]


def test_versions_are_put_in_order_by_their_numbers(desk: Desk) -> None:
    outcomes = settle(desk, [story(1, SECOND, version="10")], [story(2, FIRST, version="9")])

    assert outcomes == ["stored", "revised"]
    assert seen(desk) == [SECOND]
    assert desk.rows("select count(*) from revision") == [(2,)]


def test_an_order_delivered_again_changes_nothing(desk: Desk) -> None:
    settle(desk, [story(1, FIRST)], [order(2)])
    before = desk.shape()
    settle(desk, [order(2)], [story(1, FIRST)])

    assert desk.shape() == before
    assert events(desk) == ["stored", "withdrawn"]


def test_an_embargoed_article_is_seen_and_told_only_when_the_embargo_ends(desk: Desk) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    outcomes = settle(desk, [story(1, FIRST, embargo_until=end)])

    assert outcomes == ["stored"]
    assert seen(desk) == []
    assert desk.rows("select due_at from outbox") == desk.rows("select changed_at from article_head") == [(end,)]

    with psycopg.connect(desk.database_url) as connection:
        connection.execute("update revision set embargo_until = now() - interval '1 second'")

    assert seen(desk) == [FIRST]


def test_an_embargo_that_is_over_hides_nothing(desk: Desk) -> None:
    settle(desk, [story(1, FIRST, embargo_until=datetime(2026, 1, 1, tzinfo=UTC))])

    assert seen(desk) == [FIRST]
    assert desk.rows("select due_at <= now(), changed_at <= now() from outbox, article_head") == [(True, True)]


def test_what_the_sender_states_beside_the_text_is_in_the_row(desk: Desk) -> None:
    settle(desk, [story(1, FIRST, version="4", details={"slugline": ("port-strike",), "urgency": ("3",)})])

    stated = {"slugline": ["port-strike"], "urgency": ["3"]}
    assert desk.rows("select version, details from article") == [("4", stated)]
