"""How long a feed is left alone: bounds hold for every feed, and a steady one is learnt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.delivery.pace import KNOWN_HIGH, KNOWN_LOW, Bounds, learn, wait, wait_after
from copydesk.errors import AddressRefused, FetchError, FetchHard, FetchSoft, FetchTemporary

BOUNDS = Bounds(300.0, 86400.0)

seconds = st.floats(0, 1e9)
bounds = st.tuples(st.floats(1, 1e5), st.floats(1, 1e5)).map(lambda pair: Bounds(min(pair), max(pair)))
polls = st.integers(0, 500).flatmap(lambda items: st.tuples(st.just(items), st.integers(0, items)))


@given(seconds, polls, bounds)
def test_the_interval_stays_within_its_bounds(interval_s: float, poll: tuple[int, int], within: Bounds) -> None:
    items, fresh = poll

    assert within.min_s <= learn(interval_s, items=items, fresh=fresh, bounds=within) <= within.max_s


@given(st.floats(300, 86400), polls)
def test_it_is_left_where_a_third_to_two_thirds_are_known(interval_s: float, poll: tuple[int, int]) -> None:
    items, fresh = poll
    learnt = learn(interval_s, items=items, fresh=fresh, bounds=BOUNDS)
    known = 1 - fresh / items if items else 1.0

    if known > KNOWN_HIGH:
        assert learnt > interval_s or learnt == BOUNDS.max_s
    elif known < KNOWN_LOW:
        assert learnt < interval_s or learnt == BOUNDS.min_s
    else:
        assert learnt == interval_s


@given(st.floats(300, 86400), st.integers(1, 500), st.data())
def test_more_that_is_new_never_means_a_longer_interval(interval_s: float, items: int, data: st.DataObject) -> None:
    few = data.draw(st.integers(0, items))
    many = data.draw(st.integers(few, items))
    intervals = [learn(interval_s, items=items, fresh=fresh, bounds=BOUNDS) for fresh in (few, many)]

    assert intervals[0] >= intervals[1]


@given(st.floats(300, 86400), st.floats(1 / 600, 1 / 5), st.integers(20, 200))
def test_a_steady_feed_is_learnt(interval_s: float, items_a_second: float, length: int) -> None:
    """Of so many items a second and so many that stand in it: after some polls the share is as it should be."""
    for _ in range(60):
        fresh = min(length, round(interval_s * items_a_second))
        interval_s = learn(interval_s, items=length, fresh=fresh, bounds=BOUNDS)
    known = 1 - min(length, round(interval_s * items_a_second)) / length

    is_at_bound = interval_s in (BOUNDS.min_s, BOUNDS.max_s)
    assert is_at_bound or KNOWN_LOW - 1 / length <= known <= KNOWN_HIGH + 1 / length


@given(seconds, st.lists(seconds, max_size=4), bounds)
def test_what_is_asked_for_is_waited_for_within_bounds(interval_s: float, asked: list[float], within: Bounds) -> None:
    waited = wait(interval_s, asked, within)

    assert within.min_s <= waited <= within.max_s
    assert waited >= min(max([interval_s, *asked]), within.max_s)


@given(
    st.sampled_from([FetchTemporary, FetchSoft, FetchHard, AddressRefused]),
    st.integers(1, 10**6),
    seconds,
    seconds,
    bounds,
)
def test_a_failing_feed_is_never_given_up_and_never_hammered(
    kind: type[FetchError], failures: int, interval_s: float, retry_after_s: float, within: Bounds
) -> None:
    error = kind("feed", "why", retry_after_s)
    waits = [wait_after(error, failures=n, interval_s=interval_s, bounds=within) for n in (failures, failures + 1)]

    assert within.min_s <= waits[0] <= waits[1] <= within.max_s
    assert waits[0] >= min(retry_after_s, within.max_s)


@pytest.mark.parametrize(
    ("error", "minutes"),
    [
        (FetchTemporary("feed"), [30, 35, 40]),
        (FetchSoft("feed"), [30, 90, 150]),
        (FetchTemporary("feed", "429", 7200.0), [120, 120, 120]),
        (FetchHard("feed"), [1440, 1440, 1440]),
    ],
    ids=["temporary", "soft", "told when", "hard"],
)
def test_the_wait_grows_step_by_step_by_the_grade_of_the_error(error: FetchError, minutes: list[float]) -> None:
    waits = [wait_after(error, failures=n, interval_s=1800.0, bounds=BOUNDS) / 60 for n in (1, 2, 3)]

    assert waits == minutes
