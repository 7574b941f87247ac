"""Keys of the HTTP door: scopes, rates, rotation without a restart, and Postgres away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from copydesk.cli import app
from copydesk.settings import PREFIX
from tests.http_door import TEXT, HttpDoor, http_door, is_problem, open_door
from tests.servers import Server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """A door that asks for keys."""
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("keys"), http_keys="required") as made:
        yield made


def run(door: HttpDoor, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["keys", *arguments], env={f"{PREFIX}POSTGRES_URL": door.stack.database_url})
    assert result.exit_code == 0, result.output
    return result.output.strip()


def ask(door: HttpDoor, path: str, key: str | None) -> httpx.Response:
    return door.client.get(path, headers={b"Authorization": f"Bearer {key}".encode()} if key else {})


def test_a_key_opens_what_its_scopes_say_without_a_restart_until_it_is_revoked(door: HttpDoor) -> None:
    reader, sender, chief = (run(door, "add", name, "--scope", name) for name in ("read", "ingest", "admin"))
    wait_until(lambda: ask(door, "/v1/articles", reader).status_code == 200, 20, "the new key is known")

    post = {**TEXT, "Authorization": f"bearer {sender}"}
    assert door.client.post("/v1/documents", content=b"Text", headers=post).status_code == 202
    assert is_problem(ask(door, "/v1/articles", sender), 403, "wrong_scope")
    assert is_problem(ask(door, "/v1/items/x", reader), 403, "wrong_scope")
    assert is_problem(ask(door, "/v1/nothing", reader), 403, "wrong_scope")
    assert ask(door, "/v1/articles", chief).status_code == 200
    assert is_problem(ask(door, "/v1/nothing", chief), 404, "not_found")

    run(door, "revoke", reader.split(".")[0])
    wait_until(lambda: ask(door, "/v1/articles", reader).status_code == 401, 20, "the key is forgotten")
    listed = json.loads(run(door, "list", "--json"))
    assert [bool(key["revoked_at"]) for key in listed if key["name"] == "read"] == [True]
    assert "secret" not in run(door, "list", "--json")


@pytest.mark.parametrize("key", [None, "", "cd_00000000.x", "x", ".", "cd_1.é"])
def test_without_a_valid_key_nothing_is_open_but_health_and_the_description(door: HttpDoor, key: str | None) -> None:
    assert is_problem(ask(door, "/v1/articles", key), 401, "no_valid_key")
    assert is_problem(door.post(b"Text", TEXT), 401, "no_valid_key")
    assert ask(door, "/livez", key).status_code == 200
    assert ask(door, "/openapi.json", key).status_code == 200


def test_a_key_with_a_rate_is_told_when_to_come_back(door: HttpDoor) -> None:
    key = run(door, "add", "slow", "--scope", "read", "--per-minute", "8")
    wait_until(lambda: ask(door, "/v1/articles", key).status_code == 200, 20, "the new key is known")

    answers = [ask(door, "/v1/articles", key) for _ in range(4)]

    assert answers[-1].headers["retry-after"].isdigit()
    assert is_problem(answers[-1], 429, "too_often")


def test_a_door_that_never_reached_postgres_opens_to_nobody(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tests.processes.ArticleStream.create_group", lambda self: None
        )  # there is no Redis to make it in
        nowhere = ("redis://127.0.0.1:1/0", "postgresql://copydesk@127.0.0.1:1/copydesk")
        with http_door(tmp_path, *nowhere, http_keys="required") as door:
            door.open()
            assert is_problem(ask(door, "/v1/articles", "cd_1.x"), 503, "keys_unknown")
