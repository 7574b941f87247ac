"""Whose requests the HTTP door takes from a browser."""

from __future__ import annotations

import pytest
from starlette.datastructures import Headers

from services.api.origins import refusal

NEAR = "127.0.0.1:8040"


@pytest.mark.parametrize(
    ("method", "headers", "near_only", "code"),
    [
        ("POST", {"host": NEAR}, True, None),
        ("GET", {"host": "localhost:8040"}, True, None),
        ("GET", {"host": "[::1]:8040"}, True, None),
        ("GET", {"host": "LOCALHOST"}, True, None),
        ("GET", {}, True, None),
        ("POST", {"host": NEAR, "origin": "http://127.0.0.1:8040", "sec-fetch-site": "same-origin"}, True, None),
        ("GET", {"host": NEAR, "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, True, None),
        ("GET", {"host": NEAR, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True, None),
        ("POST", {"host": "api:8040"}, False, None),
        ("GET", {"host": "news.example"}, False, None),
        # A page elsewhere that sends text to this machine.
        ("POST", {"host": NEAR, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, True, "other_origin"),
        ("POST", {"host": NEAR, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True, "other_origin"),
        ("POST", {"host": "news.example", "sec-fetch-site": "same-site"}, False, "other_origin"),
        ("POST", {"host": NEAR, "origin": "https://evil.example"}, True, "other_origin"),
        ("POST", {"host": NEAR, "origin": "null"}, True, "other_origin"),
        ("POST", {"host": NEAR, "origin": "http://127.0.0.1:3000"}, True, "other_origin"),
        # A name of theirs that points to this machine.
        ("GET", {"host": "evil.example:8040", "sec-fetch-site": "same-origin"}, True, "other_host"),
        ("GET", {"host": "127.0.0.1.evil.example:8040"}, True, "other_host"),
        ("GET", {"host": ":8040"}, True, "other_host"),
    ],
)
def test_a_browser_asks_for_its_own_pages_only(
    method: str, headers: dict[str, str], near_only: bool, code: str | None
) -> None:
    found = refusal(method, Headers(headers), near_only=near_only)

    assert (found.code if found else None) == code
