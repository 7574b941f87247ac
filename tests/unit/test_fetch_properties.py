"""What must hold for whatever a server sends: headers, robots files, pages and feeds looked at in passing."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from copydesk.errors import CopydeskError
from copydesk.fetching import headers
from copydesk.fetching.client import parsed
from copydesk.fetching.discovery import candidates, sitemap_candidates
from copydesk.formats import feed_pace, lists, opml

NOW = datetime(2026, 11, 25, tzinfo=UTC)
PIECES = st.lists(
    st.sampled_from(
        [
            "<link rel=alternate type='application/rss+xml' href='", "//[", "/feed", "'>", "<a href=", ">",
            "&#xD800;", "Sitemap: ", "http://[", "https://a.example/x", "User-agent: *", "Disallow: ", "*$",
            "\r\n", "\n", "%zz", "%", "<ttl>", "99999999", "</ttl>", "<skipHours><hour>", "24",
            "</hour></skipHours>", "max-age=", "no-store", ",", "Thu, 01 Jan 1970 00:00:00 GMT", "-1", "é", "\x00",
            '"', "W/", ";charset=", "<opml><body><outline xmlUrl='x'",
        ]
    ),
    max_size=20,
).map("".join)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=200), PIECES)


@given(TEXTS, st.sampled_from(["https://a.example/b", "http://[::1]/", "http://a.example"]))
def test_addresses_found_in_any_page_or_robots_file_can_be_fetched(text: str, url: str) -> None:
    for found in (*candidates(text, url), *sitemap_candidates(text, url)):
        assert str(parsed(found.url)) == found.url


@given(TEXTS)
def test_any_header_gives_seconds_or_none(value: str) -> None:
    named = {"cache-control": value, "expires": value, "date": value, "age": value, "retry-after": value}

    assert headers.fresh_for_s(named, NOW) >= 0
    assert headers.retry_after_s(named, NOW) >= 0
    headers.validator(value)
    headers.content_type(value)


@given(TEXTS)
def test_any_body_asks_for_seconds(text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")

    assert feed_pace.asked_interval_s(data) >= 0
    assert 0 <= feed_pace.skipped_s(data, NOW) <= 8 * 86400
    try:
        opml.read(data)
    except CopydeskError:
        return


@given(
    st.lists(
        st.sampled_from([b'{"a":1}\n', b"a,b\n", b'a,"', b"From x\n", b"\n\n", b"\r\n", b"\x00", b"x" * 50]),
        max_size=20,
    ),
    st.sampled_from(["records", "table", "mailbox"]),
)
def test_runs_of_any_list_cover_it_in_order(pieces: list[bytes], kind: str) -> None:
    data = b"".join(pieces)
    at = 0
    for run in lists.cut(kind, io.BytesIO(data), 40):
        assert at <= run.start <= run.end <= len(data)
        at = run.end
