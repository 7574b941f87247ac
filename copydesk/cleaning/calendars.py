"""Converts Hijri and Jalali dates to the Gregorian calendar.

Hijri follows the tabular (civil) calendar, which can be a day off the sighted one; Jalali the 33-year arithmetic of
Borkowski's algorithm, exact for the years 1178 to 1633. Both are for years that newspapers print.
"""

from __future__ import annotations

from datetime import date, timedelta

_HIJRI_EPOCH = date(622, 7, 19)
_BUDDHIST_OFFSET = 543
_JALALI_FIRST = date(622, 3, 21)
# Years of the 33-year cycle that are leap, as remainders (Borkowski 1996).
_JALALI_LEAP = frozenset((1, 5, 9, 13, 17, 22, 26, 30))


def from_hijri(year: int, month: int, day: int) -> date:
    """The Gregorian day of a Hijri date; ValueError where there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 30 and 1 <= year <= 1700):
        raise ValueError("no such Hijri date")
    days = (year - 1) * 354 + (3 + 11 * year) // 30 + 29 * (month - 1) + month // 2 + day - 1
    return _HIJRI_EPOCH + timedelta(days=days)


def from_jalali(year: int, month: int, day: int) -> date:
    """The Gregorian day of a Jalali date; ValueError where there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= (31 if month <= 6 else 30) and 1 <= year <= 1700):
        raise ValueError("no such Jalali date")
    leaps = (year - 1) // 33 * 8 + sum(r <= (year - 1) % 33 for r in _JALALI_LEAP)
    before = 31 * (month - 1) if month <= 7 else 186 + 30 * (month - 7)
    return _JALALI_FIRST + timedelta(days=365 * (year - 1) + leaps + before + day - 1)


def from_buddhist(year: int) -> int:
    """The Gregorian year of a Buddhist one."""
    return year - _BUDDHIST_OFFSET
