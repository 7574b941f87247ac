"""The hours and days in which a feed asks not to be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from copydesk.formats.feed_pace import skipped_s

# A Wednesday.
NOON = datetime(2026, 3, 4, 12, 30, tzinfo=UTC)


def head(*, hours: str = "", days: str = "") -> bytes:
    told = "".join(f"<hour>{hour}</hour>" for hour in hours.split())
    named = "".join(f"<day>{day}</day>" for day in days.split())
    return f"<rss><channel><skipHours>{told}</skipHours><skipDays>{named}</skipDays></channel></rss>".encode()


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        pytest.param(b"", 0.0, id="no feed"),
        pytest.param(head(), 0.0, id="empty"),
        pytest.param(head(hours="11 13"), 0.0, id="other hours"),
        pytest.param(head(hours="12"), 30 * 60.0, id="this hour"),
        pytest.param(head(hours=" ".join(str(n) for n in range(12, 25))), 12.5 * 3600, id="24 is midnight"),
        pytest.param(head(days="Wednesday"), 11.5 * 3600, id="this day"),
        pytest.param(head(days="Wednesday", hours="0 1"), 13.5 * 3600, id="this day and the hours behind it"),
        pytest.param(head(days="wednesday thursday Friday"), 59.5 * 3600, id="days in a row"),
        pytest.param(head(hours=" ".join(str(n) for n in range(24))), 0.0, id="every hour: never to be read"),
        pytest.param(head(hours="99 noon -1"), 0.0, id="no hours"),
    ],
)
def test_a_feed_is_left_alone_until_it_may_be_read(data: bytes, seconds: float) -> None:
    assert skipped_s(data, NOON) == seconds


def test_the_hours_are_those_of_utc() -> None:
    local = NOON.astimezone(timezone(timedelta(hours=9)))

    assert skipped_s(head(hours="12"), local) == skipped_s(head(hours="12"), NOON) == 1800.0
