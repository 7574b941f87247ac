"""Dates of feeds and metadata: read where they mean one thing, refused where they do not."""

from __future__ import annotations

import pytest

from copydesk.formats.dates import read_date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Sat, 25 May 2024 15:23:00 +0800", "2024-05-25T15:23:00+08:00"),
        ("Sat, 25 May 2024 15:23:00 GMT", "2024-05-25T15:23:00+00:00"),
        ("25 May 24 15:23 EST", "2024-05-25T15:23:00-05:00"),
        ("Sat,25 May 2024 15:23:00 Z", "2024-05-25T15:23:00+00:00"),
        ("Sat, 25 May 2024 15:23:60 GMT", "2024-05-25T15:23:59+00:00"),
        ("Sat, 25 May 2024 15:23:00 GMT+0800 (China Standard Time)", "2024-05-25T15:23:00+08:00"),
        ("Sat, 25 May 2024 15:23:00", "2024-05-25T15:23:00"),
        ("Mon, 25 Mar 2019", "2019-03-25"),
        ("2024-05-25T15:23:00Z", "2024-05-25T15:23:00+00:00"),
        ("2024-05-25T15:23:00.123+08:00", "2024-05-25T15:23:00+08:00"),
        ("2024-05-25T15:23+0530", "2024-05-25T15:23:00+05:30"),
        ("2024-05-25T24:00:00Z", "2024-05-26T00:00:00+00:00"),
        ("2024-05-25 15:23", "2024-05-25T15:23:00"),
        ("2024/05/25 3:05 pm", "2024-05-25T15:05:00"),
        ("20240525T152300Z", "2024-05-25T15:23:00+00:00"),
        ("2024-05-25", "2024-05-25"),
        ("2024年05月25日 15:23", "2024-05-25T15:23:00"),
        ("2024年5月25日15时23分", "2024-05-25T15:23:00"),
        ("2024년 5월 25일 15:23", "2024-05-25T15:23:00"),
        ("15:23, May 25, 2024", "2024-05-25T15:23:00"),
        ("May 25, 2024", "2024-05-25"),
        ("March 3 2021 at 10:00 am EST", "2021-03-03T10:00:00-05:00"),
        ("Sat May 25 15:23:00 2024", "2024-05-25T15:23:00"),
    ],
)
def test_dates_that_mean_one_thing_are_read(text: str, iso: str) -> None:
    assert read_date(text) == iso


@pytest.mark.parametrize("zone", ["CST", "IST", "BST", "XYZ", "+9900"])
def test_a_zone_that_means_several_things_or_nothing_gives_no_offset(zone: str) -> None:
    assert read_date(f"Sat, 25 May 2024 15:23:00 {zone}") in {"2024-05-25T15:23:00", None}


def test_cst_keeps_the_clock_time() -> None:
    assert read_date("Sat, 25 May 2024 15:23:00 CST") == "2024-05-25T15:23:00"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "yesterday 15:23",
        "05/25/2024 15:23",
        "04/05/2024",
        "2024",
        "2024-05",
        "2024-13-01",
        "Sat, 31 Feb 2024 10:00:00 GMT",
        "Sat, 25 May 2024 25:23:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 +0000",
        "0001-01-01T00:00:00Z",
        "9999-12-31T24:00:00Z",
        "1" * 100_000,
        "25 Mayor 2024",
    ],
)
def test_what_could_mean_several_days_or_none_is_refused(text: str) -> None:
    assert read_date(text) is None
