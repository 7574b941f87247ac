"""How long a feed is left alone: learnt from what its polls bring, bounded by what it and its server ask for. Pure.

The aim is that a third to two thirds of the items of a poll are known already: fewer, and items may have left the feed
between two polls; more, and the poll brought little for its price.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from copydesk.errors import FetchError, FetchHard, FetchTemporary

KNOWN_LOW, KNOWN_HIGH = 1 / 3, 2 / 3
_KNOWN_AIM = 0.5

# One poll is little evidence: no step is larger. Slower to grow than to shrink, since what a feed drops is lost.
_STEP_UP, _STEP_DOWN = 1.5, 2.0

# What each failure after the first adds to the wait.
TEMPORARY_STEP_S = 300.0
SOFT_STEP_S = 3600.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of every wait, in seconds."""

    min_s: float
    max_s: float

    def clip(self, seconds: float) -> float:
        """The nearest wait within bounds."""
        return min(max(seconds, self.min_s), self.max_s)


def learn(interval_s: float, *, items: int, fresh: int, bounds: Bounds) -> float:
    """The interval after a poll that brought `items`, `fresh` of them new; a poll without a new body has none."""
    known = 1 - fresh / items if items else 1.0
    if KNOWN_LOW <= known <= KNOWN_HIGH:
        return bounds.clip(interval_s)
    # Were the feed steady, so many times the interval would bring it to the aim.
    factor = (1 - _KNOWN_AIM) / (1 - known) if known < 1 else _STEP_UP
    return bounds.clip(interval_s * min(max(factor, 1 / _STEP_DOWN), _STEP_UP))


def wait(interval_s: float, asked_s: Iterable[float], bounds: Bounds) -> float:
    """Seconds to the next poll: the interval, or the longest of what was asked for, never over the bound."""
    return bounds.clip(max((interval_s, *asked_s)))


def wait_after(error: FetchError, *, failures: int, interval_s: float, bounds: Bounds) -> float:
    """Seconds to the next try after `failures` in a row, this one included. Never without end.

    Grows by a step each time, short or long by the error's grade; what is gone is at the bound at once.
    """
    if isinstance(error, FetchHard):
        return bounds.max_s
    step = TEMPORARY_STEP_S if isinstance(error, FetchTemporary) else SOFT_STEP_S
    return wait(interval_s + step * (failures - 1), (error.retry_after_s,), bounds)
