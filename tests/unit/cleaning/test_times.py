"""Dates and clock times in the lines of the press, and what they are not."""

from __future__ import annotations

from datetime import date

import pytest

from copydesk.cleaning.calendars import from_hijri, from_jalali
from copydesk.cleaning.times import find_moments, format_moment
from copydesk.cleaning.view import fold_for
from tests.golden.text_cases import rules


def read(language: str, text: str, zone: str | None = None) -> str | None:
    lexis = rules().lexis(language)
    moments = find_moments(fold_for(lexis, text), lexis)
    return format_moment(moments[0], zone) if moments else None


@pytest.mark.parametrize(
    ("language", "text", "stamp"),
    [
        ("en", "June 4, 2024", "2024-06-04"),
        ("en", "4 June 2024", "2024-06-04"),
        ("en", "Tues., Jun. 4th 2024", "2024-06-04"),
        ("en", "2024-06-04T15:23:00+08:00", "2024-06-04T15:23:00+08:00"),
        ("en", "June 4, 2024 2:07 PM UTC", "2024-06-04T14:07:00+00:00"),
        ("en", "15:23, May 25, 2024", "2024-05-25T15:23:00"),
        ("en", "4 June 2024, 12:05 a.m. EDT", "2024-06-04T00:05:00-04:00"),
        ("en", "6/4/2024 09:00 GMT+7", "2024-06-04T09:00:00+07:00"),
        ("en", "25/6/2024", "2024-06-25"),
        ("en", "04-06-2024 at 07:05 IST", "2024-06-04T07:05:00+05:30"),
        ("en", "20240604", "2024-06-04"),
        ("zh", "2024年6月4日 下午3:05", "2024-06-04T15:05:00"),
        ("zh", "二〇二四年六月十四日", "2024-06-14"),
        ("zh", "民國113年6月4日", "2024-06-04"),
        ("zh", "2024/06/04 15:23:00", "2024-06-04T15:23:00"),
        ("en", "February 30, 2024", None),
        ("en", "It rose 6.2% by 1230", None),
        ("en", "three hours ago", None),
        ("en", "June 4", None),
    ],
)
def test_a_date_is_read_as_it_stands(language: str, text: str, stamp: str | None) -> None:
    assert read(language, text) == stamp


def test_a_zone_of_the_publisher_counts_only_where_the_text_gives_none() -> None:
    assert read("en", "June 4, 2024 15:00", "Asia/Shanghai") == "2024-06-04T15:00:00+08:00"
    assert read("en", "June 4, 2024 15:00 UTC", "Asia/Shanghai") == "2024-06-04T15:00:00+00:00"
    assert read("en", "July 4, 2024 15:00", "Europe/London") == "2024-07-04T15:00:00+01:00"
    assert read("en", "June 4, 2024", "Asia/Shanghai") == "2024-06-04"


@pytest.mark.parametrize(
    ("jalali", "gregorian"),
    [((1403, 1, 1), date(2024, 3, 20)), ((1402, 12, 29), date(2024, 3, 19)), ((1400, 7, 15), date(2021, 10, 7))],
)
def test_jalali_days(jalali: tuple[int, int, int], gregorian: date) -> None:
    assert from_jalali(*jalali) == gregorian


def test_hijri_days() -> None:
    assert from_hijri(1445, 9, 1) == date(2024, 3, 11)
    with pytest.raises(ValueError, match="Hijri"):
        from_hijri(1445, 13, 1)
