"""Which jobs a door offers again, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from copydesk.delivery.offers import Offers
from tests.entries import NOON


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def _offers(**received_and_offered: tuple[float, float | None]) -> Offers:
    offers = Offers(overdue_s=15)
    for job_id, (received, offered) in received_and_offered.items():
        offers.add(job_id, _at(received))
        if offered is not None:
            offers.offered(job_id, offered)
    return offers


@pytest.mark.parametrize(
    ("offered", "newest_closed", "is_idle", "is_overdue"),
    [
        pytest.param(0, 10, False, True, id="a later one is done"),
        pytest.param(0, None, True, True, id="nothing is queued any more"),
        pytest.param(0, None, False, False, id="the queue is at work and nothing is done"),
        pytest.param(0, -10, False, False, id="only earlier ones are done"),
        pytest.param(0, 0, False, False, id="one of the same moment is done"),
        pytest.param(86, 10, False, False, id="offered a moment ago"),
        pytest.param(98, None, True, False, id="offered a moment ago and not yet seen in the queue"),
        pytest.param(97, None, True, True, id="nothing is queued, and it was not offered just now"),
        pytest.param(85, 10, False, True, id="offered just long enough ago"),
    ],
)
def test_a_job_is_offered_again_when_it_was_overtaken(
    offered: float, newest_closed: float | None, is_idle: bool, is_overdue: bool
) -> None:
    newest = None if newest_closed is None else _at(newest_closed)
    found = _offers(job=(0, offered)).overdue(now=100, newest_closed=newest, is_idle=is_idle)

    assert found == (["job"] if is_overdue else [])


def test_only_the_overtaken_ones_are_named() -> None:
    offers = _offers(old=(0, 1), new=(50, 51), just_offered=(0, 99), never_offered=(0, None))

    assert offers.overdue(now=100, newest_closed=_at(20), is_idle=False) == ["old"]


def test_each_offer_doubles_the_wait_for_the_next() -> None:
    offers = _offers(job=(0, 0))
    waits = []
    now = 0.0
    for _ in range(9):
        wait = next(s for s in range(1, 2000) if offers.overdue(now=now + s, newest_closed=None, is_idle=True))
        waits.append(wait)
        now += wait
        offers.offered("job", now)

    assert waits == [3, 6, 12, 24, 48, 96, 192, 192, 192]


def test_jobs_that_were_never_offered_come_oldest_first() -> None:
    offers = _offers(second=(2, None), offered=(0, 1), first=(1, None))

    assert offers.unsent() == ["first", "second"]


def test_a_settled_job_is_forgotten_and_an_added_one_not_reset() -> None:
    offers = _offers(job=(0, 0))
    offers.add("job", _at(0))

    assert offers.unsent() == []
    offers.forget("job")
    assert (list(offers), len(offers)) == ([], 0)
