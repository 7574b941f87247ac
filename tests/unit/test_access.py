"""Which path needs what, and how a rate is kept."""

from __future__ import annotations

import pytest

from services.api.access import Bucket, scope_of


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/livez", None),
        ("GET", "/openapi.json", None),
        ("POST", "/v1/documents", "ingest"),
        ("GET", "/v1/items/a/b", "ingest"),
        ("GET", "/v1/articles", "read"),
        ("GET", "/v1/articles/1/raw", "read"),
        ("DELETE", "/v1/articles/1", "admin"),
        ("get", "/v1/articles/1", "admin"),
        ("GET", "/v1/search", "read"),
        ("GET", "/v1/anything-new", "admin"),
        ("GET", "/", "admin"),
    ],
)
def test_what_is_not_named_and_what_changes_needs_an_administrator(method: str, path: str, scope: str | None) -> None:
    assert scope_of(method, path) == scope


def test_a_rate_lets_a_quarter_of_a_minute_through_at_once_and_then_its_share() -> None:
    bucket = Bucket(per_minute=60, filled=15, at=0.0)

    at_once = [bucket.take(0.0) for _ in range(16)]

    assert at_once[:15] == [0.0] * 15
    assert at_once[15] == pytest.approx(1.0)
    assert bucket.take(1.0) == 0.0
    assert bucket.take(1.0) > 0
    assert sum(bucket.take(1000.0) == 0 for _ in range(100)) == 15
