"""Tells a stuck process from one that is idle, waits or works. Pure: no clock, no thread, no process.

A process makes progress when something finished, when it backs off from a named dependency that is away, and when a
mark pauses it. It is stuck only when work waits for it, or is in its hand, and none of these happened for a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What counts as progress."""

    STARTED = "started"
    FINISHED = "finished"
    BACKED_OFF = "backed off"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class Beat:
    """One sign of progress. `what` finished, or is the dependency that is away, or the mark; `at` is monotonic."""

    kind: Kind
    what: str
    at: float


@dataclass(frozen=True, slots=True)
class InHand:
    """Something that was begun at `since` (monotonic) and has not ended.

    With a limit of its own it may take that long without any progress, and not a moment longer.
    """

    what: str
    since: float
    limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a process. Times are monotonic.

    `waits_since`: since when work has waited for it without a break; `due_at`: when its next look is due, for a
    process that looks by itself every so often. None: nothing waits; it is not resting.
    """

    last: Beat
    in_hand: tuple[InHand, ...] = ()
    waits_since: float | None = None
    due_at: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a process lives, and why, in words for a person."""

    is_stuck: bool
    why: str


def judge(seen: Seen, *, now: float, stuck_after_s: float) -> Verdict:
    """Whether a process that is seen like this at `now` is stuck."""
    quiet_s = now - seen.last.at
    last = f"last {seen.last.kind.value} {seen.last.what} {quiet_s:.0f} s ago"
    for held in seen.in_hand:
        if held.limit_s is not None and now - held.since > held.limit_s:
            return Verdict(True, f"{held.what} takes longer than its limit of {held.limit_s:g} s; {last}")
    if quiet_s <= stuck_after_s:
        return Verdict(False, last)
    for held in seen.in_hand:
        if held.limit_s is not None:
            return Verdict(False, f"{held.what} is in hand, within its limit of {held.limit_s:g} s")
    waiting = [(f"{held.what} is in hand", held.since) for held in seen.in_hand]
    waiting += [("work waits", seen.waits_since)] if seen.waits_since is not None else []
    waiting += [("its next look is overdue", seen.due_at)] if seen.due_at is not None else []
    for what, since in waiting:
        if now - since > stuck_after_s:
            return Verdict(True, f"{what} and nothing happens; {last}")
    return Verdict(False, f"idle; {last}")
