"""Dead letters through a whole stack: listed, replayed once their cause is gone, discarded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from copydesk.settings import PREFIX
from tests.http_door import TEXT, TO_THE_ROW, HttpDoor, open_door
from tests.servers import Server
from tests.waiting import wait_until

STORY = "Ferry {0} returns\n\nThe {0} ferry crossed again on Monday, the board of {0} said to reporters there.\n"

# What the database refuses in this test: a cause that can go away.
REFUSE = "alter table revision add constraint no_walrus check (title is null or title not like '%walrus%')"
PERMIT = "alter table revision drop constraint no_walrus"


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """Every process of the way from the HTTP door to the row, and the scheduler."""
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("dead"), *TO_THE_ROW) as made:
        yield made


def run(door: HttpDoor, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["dead", *arguments], env={f"{PREFIX}POSTGRES_URL": door.stack.database_url})
    assert result.exit_code == 0, result.output
    return result.output


def letters(door: HttpDoor, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(door, "list", "--json", *arguments))
    return found


def execute(door: HttpDoor, statement: str) -> None:
    with psycopg.connect(door.stack.database_url) as connection:
        connection.execute(statement.encode())


def post(door: HttpDoor, text: str, **query: object) -> dict[str, Any]:
    answer = door.post(text.encode(), TEXT, wait="stored", **query)
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json()["items"][0]
    return item


def test_a_dead_item_is_stored_once_its_cause_is_gone_and_it_is_replayed(door: HttpDoor) -> None:
    execute(door, REFUSE)
    dead = post(door, STORY.format("walrus"), source="zoo", url="https://e.example/walrus")
    assert dead["outcome"] == "dead"
    (letter,) = letters(door, "--source", "zoo")
    assert json.loads(run(door, "causes", "--json"))[0]["code"] == letter["code"]

    run(door, "replay", str(letter["id"]))
    second = wait_until(lambda: letters(door, "--source", "zoo"), 20, "the replay is dead too", every_s=0.2)
    execute(door, PERMIT)
    run(door, "replay", "--code", second[0]["code"])
    found = wait_until(
        lambda: door.client.get("/v1/articles", params={"source": "zoo"}).json()["articles"], 20, "it is stored"
    )

    assert [(a["title"], a["url"]) for a in found] == [("Ferry walrus returns", "https://e.example/walrus")]
    assert letters(door, "--source", "zoo") == []
    assert {row["resolution"] for row in letters(door, "--source", "zoo", "--resolved")} == {"replayed"}
    assert run(door, "show", str(letter["id"]), "--raw", "-") == STORY.format("walrus")


def test_a_rejected_input_is_kept_shown_and_discarded_with_a_reason(door: HttpDoor) -> None:
    rejected = post(door, "© 2026 The Herald. All rights reserved.\n", source="notices")
    assert rejected["outcome"] == "rejected"
    (letter,) = letters(door, "--source", "notices")
    assert letter["context"]["hints"] == {"media_type": "text/plain"}

    run(door, "discard", str(letter["id"]), "--reason", "a notice")

    assert letters(door, "--source", "notices") == []
    shown = json.loads(run(door, "show", str(letter["id"])))
    assert (shown["resolution"], shown["note"]) == ("discarded", "a notice")


@pytest.mark.parametrize(
    "arguments", [["replay"], ["replay", "999999"], ["show", "999999"], ["discard", "--reason", "x"]]
)
def test_a_command_that_names_nothing_is_refused(door: HttpDoor, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["dead", *arguments], env={f"{PREFIX}POSTGRES_URL": door.stack.database_url})

    assert result.exit_code != 0


def test_an_item_whose_input_is_not_kept_cannot_be_replayed(door: HttpDoor) -> None:
    post(door, STORY.format("otter") + "\x00", source="lost")
    post(door, "© 2026 The Gazette. All rights reserved.\n", source="lost")
    execute(door, "delete from raw where sha256 in (select raw_sha256 from dead_letter where source = 'lost')")

    run(door, "replay", "--source", "lost")

    def resolutions() -> set[tuple[str, str]]:
        return {(row["resolution"], row["note"]) for row in letters(door, "--source", "lost", "--resolved")}

    wait_until(lambda: resolutions() == {("impossible", "its input is not kept")}, 20, "dealt with", every_s=0.2)
