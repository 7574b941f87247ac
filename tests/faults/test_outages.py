"""Redis or Postgres stops for a while amid documents from all four doors: everything is stored, once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from kombu.exceptions import OperationalError

from copydesk.storage import schema
from tests.entries import story
from tests.feed_server import Answer, feed_server, rss
from tests.http_door import TEXT, HttpDoor, http_door
from tests.processes import ROOT
from tests.servers import OwnPostgres, OwnServer
from tests.waiting import wait_until

OUTAGE_S = 20

# Through each door: half before the server stops, half while it is away. A thousand in all.
EACH = 250

PROCESSES = ("storage", "storage-2", "ingest", "inbox", "scheduler", "fetch")

# An outage is no standstill, however long: it lasts twice as long as one may.
STUCK_AFTER_S = OUTAGE_S / 2

SETTINGS = {
    "stuck_after_s": STUCK_AFTER_S,
    "database_deadline_s": 5,
    "overdue_s": 5,
    "fetch_allow_private": True,
    "feeds_look_every_s": 0.5,
    "claim_idle_s": 5,
}


class FourDoors:
    """Numbers documents and hands them in; remembers what a door did not take, as a careful sender does."""

    def __init__(self, door: HttpDoor) -> None:
        self._door = door
        self._unsent: list[int] = []

    def send(self, numbers: range) -> None:
        for n in numbers:
            self._door.stack.drop(f"wire/story-{n}.txt", story(n))
            answer = self._door.post(story(1_000_000 + n).encode(), TEXT, source="web", filename=f"h{n}.txt")
            assert answer.status_code == 202, answer.text
        self._unsent += numbers
        self.send_jobs()

    def send_jobs(self) -> None:
        """What Redis does not take now is kept, and sent again under the same ids."""
        while self._unsent:
            chunk = self._unsent[:25]
            items = [{"id": f"c{n}", "body": story(2_000_000 + n)} for n in chunk]
            try:
                self._door.stack.send(*items, source="agency")
            except OperationalError:
                return
            del self._unsent[:25]


def feed_items(numbers: range) -> bytes:
    return rss(*((f"f{n}", story(3_000_000 + n)) for n in numbers))


def add_feed(door: HttpDoor, url: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "copydesk.cli", "feeds", "add", url, "--source", "feed"],
        cwd=ROOT,
        env={
            "COPYDESK_POSTGRES_URL": door.stack.database_url,
            # The links of the feed lead nowhere.
            "COPYDESK_FEED_FULL_TEXT": "never",
            "PATH": "",
        },
        check=True,
        capture_output=True,
    )


@pytest.fixture
def door(own_redis: OwnServer, own_postgres: OwnPostgres, tmp_path: Path) -> Iterator[HttpDoor]:
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    with http_door(tmp_path / "stack", own_redis.url, own_postgres.url, **SETTINGS) as made:
        yield made.open(*PROCESSES)


@pytest.mark.parametrize("stopped", ["redis", "postgres"])
def test_an_outage_amid_all_doors_loses_and_doubles_nothing(
    door: HttpDoor, own_redis: OwnServer, own_postgres: OwnPostgres, stopped: str
) -> None:
    server = own_redis if stopped == "redis" else own_postgres
    stack, doors = door.stack, FourDoors(door)
    pids = {name: stack.pid(name) for name in ("api", *PROCESSES)}
    wait_until(lambda: door.client.get("/readyz").json()[stopped] == "up", 10, f"/readyz to find {stopped}")
    with feed_server() as feeds:
        add_feed(door, feeds.put("/before", Answer(feed_items(range(EACH // 2)))))
        doors.send(range(EACH // 2))
        server.stop(how=signal.SIGINT if stopped == "postgres" else None)
        away_since = time.monotonic()
        doors.send(range(EACH // 2, EACH))
        waiting = door.post(story(9_000_000).encode(), TEXT, source="web", wait="stored", timeout="1")
        assert waiting.status_code == 503
        assert int(waiting.headers["Retry-After"]) > 0
        wait_until(lambda: door.client.get("/readyz").json()[stopped] == "down", 10, f"/readyz to tell of {stopped}")
        wait_until(lambda: time.monotonic() - away_since >= OUTAGE_S, OUTAGE_S + 5, "the end of the outage")
        assert {name: stack.ask(name, "/livez")[0] for name in pids} == dict.fromkeys(pids, 200)
        assert stack.ask("scheduler", "/readyz")[0] == 503
        server.start()
        doors.send_jobs()
        add_feed(door, feeds.put("/after", Answer(feed_items(range(EACH // 2, EACH)))))
        total = 4 * EACH + 1
        stack.wait_for_rows("select count(*) from receipt", lambda rows: rows[0][0] >= total, deadline_s=120)

    assert stack.rows("select outcome, count(*) from receipt group by 1") == [("stored", total)]
    assert stack.rows("select source, count(*) from article group by 1 order by 1") == [
        ("agency", EACH),
        ("feed", EACH),
        ("web", EACH + 1),
        ("wire", EACH),
    ]
    wait_until(lambda: sum(1 for _ in stack.ended()) == EACH, 30, f"every file settled; {stack.tail()}")
    wait_until(lambda: not door.spooled(), 30, f"an empty spool; {stack.tail()}")
    assert {name: stack.pid(name) for name in pids if stack.is_running(name)} == pids
