"""Wait for something to become true, with a deadline, and say what did not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def wait_until(predicate: Callable[[], Value], deadline_s: float, what: str, *, every_s: float = 0.02) -> Value:
    """Call `predicate` until it returns something true, and return that.

    Raises AssertionError naming `what` and the last value once `deadline_s` is over. An exception in `predicate` is
    not caught: where "not there yet" raises, the predicate says so itself.
    """
    give_up = time.monotonic() + deadline_s
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > give_up:
            raise AssertionError(f"not reached within {deadline_s:g} s: {what}; the last value was {value!r}")
        time.sleep(every_s)
