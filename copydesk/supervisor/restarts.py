"""What to do when a supervised process has ended. Pure: it knows figures, no processes."""

from __future__ import annotations

from dataclasses import dataclass

_FINAL = frozenset({2, 78, 126, 127})
"""Wrong usage, wrong configuration (EX_CONFIG), not executable, not found: the same again however often it is tried."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """Times in seconds. A process that ran for `stable_s` starts with a clean record."""

    step_s: float = 0.5
    cap_s: float = 15.0
    stable_s: float = 10.0


def count_crashes(before: int, ran_s: float, policy: RestartPolicy) -> int:
    """How many times in a row it has ended soon, this end included, after `before` such ends."""
    return 1 if ran_s >= policy.stable_s else before + 1


def pause_before_restart(crashes: int, policy: RestartPolicy) -> float:
    """Seconds to wait. The first restart is at once; each further crash in a row adds one step, up to the cap."""
    return min(policy.cap_s, policy.step_s * max(0, crashes - 1))


def is_hopeless(exit_status: int, was_ready: bool) -> bool:
    """Whether a restart cannot help. What was ready once has shown that it can run, and is never given up."""
    return not was_ready and exit_status in _FINAL
