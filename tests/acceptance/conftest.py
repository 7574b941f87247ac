"""A whole stack for a module of tests: every process, on servers of its own database, each with its own role there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from copydesk.storage import schema
from tests import servers
from tests.http_door import free_port
from tests.processes import Stack
from tests.roles import urls_of_roles


@pytest.fixture(scope="module")
def stack(redis_server: Any, postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Inbox, one ingest and two storage processes, running."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushdb()
    with servers.fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            schema.install(connection)
        folder: Path = tmp_path_factory.mktemp("stack")
        settings = {"http_port": free_port(folder), "fetch_allow_private": True, "feeds_look_every_s": 0.1}
        settings |= urls_of_roles(postgres_server, url)
        with Stack(folder, redis_server.url, url, **settings) as running:
            yield running.start("storage", "storage-2", "ingest", "inbox")
