"""The HTTP door of a test: its process, an httpx client, and raw sockets for what no client sends."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import redis

from copydesk.delivery import spool
from copydesk.embedded import ports
from copydesk.storage import schema
from tests import servers
from tests.processes import Stack
from tests.roles import urls_of_roles
from tests.servers import Server
from tests.waiting import wait_until

TEXT = {"Content-Type": "text/plain"}
NDJSON = {"Content-Type": "application/x-ndjson"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}

# Every process between the door and the row; the scheduler numbers and indexes what was stored.
TO_THE_ROW = ("ingest", "storage", "scheduler")


def free_port(folder: Path) -> int:
    return next(filter(ports.is_free, ports.candidates(f"{folder}/http/{os.getpid()}")))


def is_open(port: object) -> bool:
    """Whether a door answers there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    except httpx.TransportError:
        return False


class HttpDoor:
    """A stack with an `api` process, and a client for it."""

    def __init__(self, folder: Path, redis_url: str, database_url: str, **settings: object) -> None:
        self.port = free_port(folder)
        self.stack = Stack(folder, redis_url, database_url, http_port=self.port, **settings)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60)

    def open(self, *others: str) -> HttpDoor:
        """Start the door and other processes; returns when it answers."""
        self.stack.start("api", *others)
        wait_until(lambda: is_open(self.port), 30, f"the door is open; {self.stack.tail()}")
        return self

    def post(self, content: object, headers: dict[str, str], **query: object) -> httpx.Response:
        return self.client.post("/v1/documents", content=content, headers=headers, params=query)  # type: ignore[arg-type]  # httpx checks

    def item(self, item_id: str, source: str = "http") -> httpx.Response:
        return self.client.get(f"/v1/items/{item_id}", params={"source": source})

    def settled(self, item_id: str, source: str = "http", deadline_s: float = 40) -> dict[str, object]:
        """Wait for an item's outcome."""

        def ask() -> dict[str, object] | None:
            answer = self.item(item_id, source)
            found: dict[str, object] = answer.json()
            return found if answer.status_code == 200 and found["state"] == "settled" else None

        return wait_until(ask, deadline_s, f"{item_id} settled; {self.stack.tail()}", every_s=0.1)

    def spooled(self) -> list[str]:
        return spool.ids(self.stack.spool)

    def unfinished(self) -> list[str]:
        return [p.name for p in self.stack.spool.glob("*.writing") if not p.name.startswith("probe-")]

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def close(self) -> None:
        self.client.close()
        self.stack.stop()


@contextmanager
def http_door(folder: Path, redis_url: str, database_url: str, **settings: object) -> Iterator[HttpDoor]:
    door = HttpDoor(folder, redis_url, database_url, **settings)
    try:
        yield door
    finally:
        door.close()


@contextmanager
def open_door(
    redis_server: Server, postgres_server: Server, folder: Path, *others: str, **settings: object
) -> Iterator[HttpDoor]:
    """A door that answers, and `others` behind it, on an empty Redis and a new database of these servers."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushdb()
    with servers.fresh_database(postgres_server.url) as url:
        with psycopg.connect(url) as connection:
            schema.install(connection)
        roles = urls_of_roles(postgres_server, url)
        with http_door(folder, redis_server.url, url, **roles, **settings) as door:
            yield door.open(*others)


def is_problem(answer: httpx.Response, status: int, code: str) -> bool:
    """Whether an answer is this RFC 9457 problem; the difference is in the failure's message."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found = answer.json()
    assert (answer.status_code, found["status"], found["code"]) == (status, status, code), answer.text
    assert found["type"] == f"urn:copydesk:problem:{code}"
    return bool(found["title"] and found["detail"])
