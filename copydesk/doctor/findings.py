"""What one check came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`do` says what to change; empty where nothing is to be."""

    check: str
    level: Level
    says: str
    do: str = ""


def ok(check: str, says: str) -> Finding:
    """Nothing to do."""
    return Finding(check, "ok", says)


def warn(check: str, says: str, do: str) -> Finding:
    """It works, and will hurt some day."""
    return Finding(check, "warn", says, do)


def fail(check: str, says: str, do: str) -> Finding:
    """It does not work, or loses or shows what it should not."""
    return Finding(check, "fail", says, do)
