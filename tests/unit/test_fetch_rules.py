"""The pure parts of fetching: which addresses, what headers say, what comes out of a content coding."""

from __future__ import annotations

import gzip
import ipaddress
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.errors import AddressRefused, FetchSoft
from copydesk.fetching import headers
from copydesk.fetching.addresses import refusal
from copydesk.fetching.client import parsed
from copydesk.fetching.decoding import Body, zstd

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "by_default", "private_allowed"),
    [
        ("8.8.8.8", None, None),
        ("2606:4700:4700::1111", None, None),
        ("127.0.0.1", "loopback", None),
        ("127.255.1.2", "loopback", None),
        ("::1", "loopback", None),
        ("10.1.2.3", "private", None),
        ("172.31.0.1", "private", None),
        ("192.168.0.1", "private", None),
        ("100.64.0.1", "private", None),
        ("192.0.0.8", "private", None),
        ("198.18.0.1", "private", None),
        ("240.0.0.1", "private", None),
        ("fc00::1", "private", None),
        ("2001:db8::1", "private", None),
        ("::ffff:10.0.0.1", "private", None),
        ("::ffff:8.8.8.8", None, None),
        ("64:ff9b::10.0.0.1", "private", None),
        ("64:ff9b::8.8.8.8", None, None),
        ("2002:7f00:1::", "loopback", None),
        ("169.254.169.254", "link-local", "link-local"),
        ("::ffff:169.254.169.254", "link-local", "link-local"),
        ("64:ff9b::169.254.169.254", "link-local", "link-local"),
        ("fe80::1", "link-local", "link-local"),
        ("100.100.100.200", "a metadata service", "a metadata service"),
        ("168.63.129.16", "a metadata service", "a metadata service"),
        ("192.0.0.192", "a metadata service", "a metadata service"),
        ("fd00:ec2::254", "a metadata service", "a metadata service"),
        ("224.0.0.1", "multicast", "multicast"),
        ("ff02::1", "multicast", "multicast"),
        ("0.0.0.0", "unspecified", "unspecified"),
        ("0.1.2.3", "unspecified", "unspecified"),
        ("::", "unspecified", "unspecified"),
    ],
)
def test_which_addresses_may_be_connected_to(address: str, by_default: str | None, private_allowed: str | None) -> None:
    found = ipaddress.ip_address(address)

    assert refusal(found, allow_private=False) == by_default
    assert refusal(found, allow_private=True) == private_allowed


@given(st.ip_addresses())
def test_no_address_outside_the_public_internet_passes(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if refusal(address, allow_private=False) is None:
        assert not any((address.is_loopback, address.is_link_local, address.is_multicast, address.is_unspecified))
        assert address.is_global or address.version == 6


@pytest.mark.parametrize(
    ("url", "read"),
    [
        (" HTTP://Example.org ", "http://example.org"),
        ("https://example.org/ä b?q=ü#top", "https://example.org/%C3%A4%20b?q=%C3%BC"),
        ("https://bücher.example/feed", "https://xn--bcher-kva.example/feed"),
        ("http://[2001:db8::1]:8080/feed", "http://[2001:db8::1]:8080/feed"),
    ],
)
def test_an_address_is_read_as_it_is_requested(url: str, read: str) -> None:
    assert str(parsed(url)) == read


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/feed",
        "file:///etc/passwd",
        "javascript:1",
        "http://",
        "http://a:b@c/",
        "http://x:99999/",
        "http://a/" + "x" * 5000,
    ],
)
def test_what_is_no_address_of_a_feed_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        parsed(url)


@pytest.mark.parametrize(
    ("given_headers", "seconds"),
    [
        ({}, 0),
        ({"cache-control": "max-age=600"}, 600),
        ({"cache-control": "public, Max-Age=600", "age": "100"}, 500),
        ({"cache-control": "max-age=60", "age": "100"}, 0),
        ({"cache-control": "no-cache, max-age=600"}, 0),
        ({"cache-control": "no-store"}, 0),
        ({"cache-control": "s-maxage=600"}, 0),
        ({"cache-control": "max-age=99999999999"}, headers.SECONDS_MAX),
        ({"expires": "Mon, 02 Mar 2026 12:10:00 GMT"}, 600),
        ({"expires": "Mon, 02 Mar 2026 12:10:00 GMT", "date": "Mon, 02 Mar 2026 12:09:00 GMT"}, 60),
        ({"expires": "0"}, 0),
        ({"expires": "Mon, 02 Mar 1999 12:10:00 GMT"}, 0),
        ({"cache-control": "max-age=30", "expires": "Mon, 02 Mar 2026 12:10:00 GMT"}, 30),
    ],
)
def test_how_long_an_answer_is_fresh(given_headers: dict[str, str], seconds: float) -> None:
    assert headers.fresh_for_s(given_headers, NOON) == seconds


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Mon, 02 Mar 2026 12:01:00 GMT", 60),
        ("Mon, 02 Mar 1998 12:01:00 GMT", 0),
        ("-5", 0),
        ("²", 0),
        ("x", 0),
    ],
)
def test_when_to_come_back(value: str, seconds: float) -> None:
    assert headers.retry_after_s({"retry-after": value}, NOON) == seconds


@given(st.text(), st.text(), st.text())
def test_no_header_of_a_server_is_more_than_a_number(control: str, expires: str, retry: str) -> None:
    said = {"cache-control": control, "expires": expires, "age": retry, "retry-after": retry, "date": control}

    assert 0 <= headers.fresh_for_s(said, NOON) <= headers.SECONDS_MAX
    assert 0 <= headers.retry_after_s(said, NOON) <= headers.SECONDS_MAX
    headers.content_type(control)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, (None, None)),
        ("text/xml", ("text/xml", None)),
        ('Text/XML; charset="UTF-8"', ("text/xml", "utf-8")),
        ("garbage", (None, None)),
        ("application/rss+xml;charset=", ("application/rss+xml", None)),
    ],
)
def test_the_declared_type(value: str | None, read: tuple[str | None, str | None]) -> None:
    media_type, charset = headers.content_type(value)

    assert (media_type, charset or None) == read


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


@given(st.sampled_from(sorted(CODINGS)), st.binary(min_size=1, max_size=500), st.integers(1, 400), st.integers(1, 700))
def test_a_body_is_the_same_however_it_is_coded_and_cut(name: str, seed: bytes, times: int, cut: int) -> None:
    data = seed * times
    coded = CODINGS[name](data)
    body = Body("feed", name, max(len(data), len(coded)))
    for start in range(0, len(coded), cut):
        body.add(coded[start : start + cut])

    assert body.whole() == data


@given(st.sampled_from(sorted(CODINGS)), st.binary(max_size=300))
def test_garbage_in_any_coding_is_an_error_of_ours_or_a_body(name: str, data: bytes) -> None:
    body = Body("feed", name, 10_000)
    try:
        body.add(data)
        assert len(body.whole()) <= 10_000
    except FetchSoft:
        pass


def test_members_and_frames_follow_each_other_and_padding_does_not_count() -> None:
    for coding, coded in {
        "gzip": gzip.compress(b"one ") + gzip.compress(b"") * 5000 + gzip.compress(b"two") + b"\0" * 512,
        "zstd": zstd.compress(b"one ") + zstd.compress(b"") * 5000 + zstd.compress(b"two"),
    }.items():
        body = Body("feed", coding, 1_000_000)
        body.add(coded)

        assert body.whole() == b"one two"
