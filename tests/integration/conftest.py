"""What several modules here begin with: a stream with its database, and a web server on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.feed_server import FeedServer, feed_server
from tests.integration.writing import Desk, desk_on


@pytest.fixture
def desk(redis_url: str, database_url: str) -> Iterator[Desk]:
    with desk_on(redis_url, database_url) as found:
        yield found


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as running:
        yield running
