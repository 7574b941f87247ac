"""Changes told to others: by webhooks to a real server, and on the Redis stream."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from typer.testing import CliRunner

from copydesk.cli import app
from copydesk.queue.events import EVENTS
from copydesk.settings import PREFIX
from tests.entries import story
from tests.http_door import TEXT, TO_THE_ROW, HttpDoor, open_door
from tests.servers import Server
from tests.waiting import wait_until

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


@dataclass
class Receiver:
    """A server that takes webhooks, or refuses as many as it is told to."""

    url: str = ""
    refuse: int = 0
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        self.calls.append((headers, body))
        self.may_answer.wait(60)
        if self.refuse:
            self.refuse -= 1
            return 503
        self.taken += json.loads(body)["events"]
        return 204


@contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(made.answer({k.lower(): v for k, v in self.headers.items()}, body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/hook"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """Every process that has to do with events."""
    with open_door(
        redis_server, postgres_server, tmp_path_factory.mktemp("events"), *TO_THE_ROW, "fetch", fetch_allow_private=True
    ) as made:
        yield made


def run(door: HttpDoor, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["webhooks", *arguments], env={f"{PREFIX}POSTGRES_URL": door.stack.database_url})
    assert result.exit_code == 0, result.output
    return result.output


def add(door: HttpDoor, url: str, *arguments: str) -> str:
    return run(door, "add", url, "--secret", SECRET, *arguments).split()[1]


def store(door: HttpDoor, source: str, name: str) -> str:
    answer = door.post(story(int(name, 16)).encode(), TEXT, wait="stored", source=source).json()
    article: str = answer["items"][0]["article"]
    return article


def unique() -> str:
    return uuid.uuid4().hex[:8]


def test_a_webhook_is_told_of_every_change_in_order_and_signed(door: HttpDoor) -> None:
    source = unique()
    with receiver() as hook:
        number = add(door, hook.url, "--source", source)
        articles = [store(door, source, unique()) for _ in range(3)]
        store(door, unique(), unique())
        wait_until(lambda: len(hook.taken) == 3, 30, "told of three")

        assert [event["article"] for event in hook.taken] == articles
        assert {event["event"] for event in hook.taken} == {"stored"}
        assert [e["position"] for e in hook.taken] == sorted(e["position"] for e in hook.taken)
        for headers, body in hook.calls:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            expected = base64.b64encode(hmac.digest(b"k" * 32, signed, hashlib.sha256)).decode()
            assert headers["webhook-signature"] == f"v1,{expected}"
        assert [call["status"] for call in json.loads(run(door, "calls", number))] == [204] * len(hook.calls)


def test_a_webhook_that_fails_is_told_again_and_the_calls_are_recorded(door: HttpDoor) -> None:
    source = unique()
    with receiver() as hook:
        hook.refuse = 1
        number = add(door, hook.url, "--source", source)
        article = store(door, source, unique())
        wait_until(lambda: hook.calls, 30, "called once")
        wait_until(lambda: json.loads(run(door, "list", "--json"))[-1]["failures"] == 1, 20, "the failure is recorded")
        run(door, "enable", number)  # tries at once
        wait_until(lambda: hook.taken, 30, "told")

        assert [event["article"] for event in hook.taken] == [article]
        assert hook.calls[0][0]["webhook-id"] == hook.calls[1][0]["webhook-id"]
        wait_until(
            lambda: [c["status"] for c in json.loads(run(door, "calls", number))] == [204, 503], 20, "both are recorded"
        )


def test_what_a_webhook_was_told_is_told_again_on_demand(door: HttpDoor) -> None:
    source = unique()
    with receiver() as hook:
        number = add(door, hook.url, "--source", source)
        store(door, source, unique())
        wait_until(lambda: len(hook.taken) == 1, 30, "told")

        run(door, "replay", number, "--since", "0")
        wait_until(lambda: len(hook.taken) == 2, 30, "told again")
        run(door, "disable", number)
        store(door, source, unique())
        again = json.loads(run(door, "list", "--json"))[-1]

        assert hook.taken[0] == hook.taken[1]
        assert again["enabled"] is False
        run(door, "remove", number)
        assert number not in {str(row["id"]) for row in json.loads(run(door, "list", "--json"))}


def test_a_webhook_misses_nothing_when_those_who_tell_it_are_killed_amid_a_call(door: HttpDoor) -> None:
    """Told at least once, within seconds, and what is told for the first time comes in order."""
    source = unique()
    with receiver() as hook:
        add(door, hook.url, "--source", source)
        articles = []
        for killed in ("fetch", "scheduler", "fetch"):
            hook.may_answer.clear()
            calls = len(hook.calls)
            articles += [store(door, source, unique()) for _ in range(2)]
            wait_until(lambda calls=calls: len(hook.calls) > calls, 30, f"a call; {door.stack.tail()}")  # type: ignore[misc]  # mypy#12557: default binds the loop's value
            door.stack.kill(killed)
            hook.may_answer.set()
            door.stack.start(killed)
        wait_until(lambda: {e["article"] for e in hook.taken} >= set(articles), 60, f"told of all; {door.stack.tail()}")

    assert list(dict.fromkeys(event["article"] for event in hook.taken)) == articles


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "ftp://e.example/"],
        ["add", "http://u:p@e.example/"],
        ["add", "http://e.example/", "--event", "nonsense"],
        ["add", "http://e.example/", "--secret", "short"],
        ["replay", "99999", "--since", "0"],
        ["remove", "99999"],
    ],
)
def test_a_wrong_webhook_is_refused(door: HttpDoor, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["webhooks", *arguments], env={f"{PREFIX}POSTGRES_URL": door.stack.database_url})

    assert result.exit_code != 0


def test_every_change_is_on_the_stream_under_its_position(door: HttpDoor) -> None:
    source = unique()
    articles = [store(door, source, unique()) for _ in range(2)]
    twice = unique()
    store(door, source, twice)
    store(door, source, twice)

    def told() -> list[tuple[str, dict[str, Any]]]:
        with redis.Redis.from_url(door.stack.redis_url, decode_responses=True) as client:
            entries: Any = client.xrange(EVENTS)
        events = [(entry_id, json.loads(fields["d"])) for entry_id, fields in entries]
        return [(entry_id, event) for entry_id, event in events if event["source"] == source]

    found = wait_until(lambda: told() if len(told()) == 4 else None, 20, "told of four")

    assert [event["event"] for _, event in found] == ["stored", "stored", "stored", "duplicate"]
    assert [event["article"] for _, event in found][:2] == articles
    assert [entry_id for entry_id, _ in found] == [f"{event['position']}-0" for _, event in found]
