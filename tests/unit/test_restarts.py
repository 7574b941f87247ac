"""When a supervised process is started again, and after how long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.supervisor import RestartPolicy
from copydesk.supervisor.restarts import count_crashes, is_hopeless, pause_before_restart

POLICY = RestartPolicy(step_s=0.5, cap_s=15, stable_s=10)


@pytest.mark.parametrize(
    ("crashes", "pause_s"),
    [(0, 0), (1, 0), (2, 0.5), (3, 1.0), (11, 5.0), (31, 15), (32, 15), (10_000, 15)],
)
def test_the_first_restart_is_at_once_and_each_further_one_a_step_later(crashes: int, pause_s: float) -> None:
    assert pause_before_restart(crashes, POLICY) == pause_s


@given(crashes=st.integers(min_value=0))
def test_the_pause_never_shrinks_and_never_passes_the_cap(crashes: int) -> None:
    pause_s = pause_before_restart(crashes, POLICY)

    assert pause_s <= pause_before_restart(crashes + 1, POLICY) <= POLICY.cap_s


@pytest.mark.parametrize(
    ("before", "ran_s", "crashes"),
    [(0, 0.1, 1), (4, 9.99, 5), (4, 10, 1), (4, 86_400, 1)],
)
def test_a_long_run_clears_the_record(before: int, ran_s: float, crashes: int) -> None:
    assert count_crashes(before, ran_s, POLICY) == crashes


@pytest.mark.parametrize(
    ("exit_status", "was_ready", "hopeless"),
    [
        (2, False, True),
        (78, False, True),
        (126, False, True),
        (127, False, True),
        (0, False, False),
        (1, False, False),
        (-9, False, False),
        (2, True, False),
        (127, True, False),
    ],
)
def test_only_what_never_ran_and_cannot_run_is_given_up(exit_status: int, was_ready: bool, hopeless: bool) -> None:
    assert is_hopeless(exit_status, was_ready) is hopeless
