"""Secrets go in by settings, addresses, headers and commands, and come out nowhere: logs, metrics, answers, files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest
import redis

from copydesk.storage import schema
from tests import servers
from tests.http_door import TEXT, HttpDoor, http_door
from tests.processes import MODULES, ROOT
from tests.roles import PASSWORD, urls_of_roles
from tests.servers import OwnPostgres, OwnServer
from tests.waiting import wait_until

REDIS_PASSWORD = "redis-hunter2/+"
GUESS = "cd_guess.hunter2-of-a-stranger"


class Guarded(NamedTuple):
    """A whole stack whose every server asks for a password, and what nobody may find out."""

    door: HttpDoor
    redis: OwnServer
    postgres: OwnPostgres
    secrets: dict[str, str]


@pytest.fixture
def guarded(tmp_path: Path, own_redis: OwnServer, own_postgres: OwnPostgres) -> Iterator[Guarded]:
    with redis.Redis.from_url(own_redis.url) as client:
        client.execute_command("ACL", "SETUSER", "guard", "on", f">{REDIS_PASSWORD}", "~*", "&*", "+@all")
    with psycopg.connect(own_postgres.url) as connection:
        schema.install(connection)
    host = urlsplit(own_redis.url).netloc
    redis_url = own_redis.url.replace(host, f"guard:{servers.quoted(REDIS_PASSWORD)}@{host}")
    settings = {"http_keys": "required", "log_level": "debug", "fetch_allow_private": True, "stuck_after_s": 60}
    roles = urls_of_roles(own_postgres, own_postgres.url)
    with http_door(tmp_path, redis_url, own_postgres.url, **settings, **roles) as door:
        secrets = {"redis": REDIS_PASSWORD, "postgres": PASSWORD, "a stranger's": GUESS.partition(".")[2]}
        yield Guarded(door, own_redis, own_postgres, secrets)


def _run(guarded: Guarded, *arguments: str) -> str:
    """A command as its operator runs it; what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", *arguments],
        cwd=ROOT,
        env=guarded.door.stack.environment(COLUMNS="300"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _metrics(guarded: Guarded, name: str) -> str:
    folder = guarded.door.stack.folder / "run"
    try:
        return httpx.get(f"http://127.0.0.1:{_port(folder / f'{name}.json')}/metrics", timeout=10).text
    except (httpx.TransportError, FileNotFoundError) as error:
        raise AssertionError(f"{name} serves no metrics") from error


def _port(path: Path) -> int:
    return int(json.loads(path.read_text(encoding="utf-8"))["port"])


def _lose_both_servers(guarded: Guarded) -> None:
    """Both change their passwords and cut who is connected, so that each process says what it tried."""
    with redis.Redis.from_url(guarded.redis.url) as client:
        client.execute_command("ACL", "SETUSER", "guard", "resetpass", ">another")
        client.client_kill_filter(_type="normal", skipme=True)
    with psycopg.connect(guarded.postgres.admin_url, autocommit=True) as connection:
        for kind in MODULES:
            connection.execute(f"alter role copydesk_{kind} password 'another'".encode())
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'copydesk\\_%'")


def test_no_secret_is_in_any_log_metric_answer_or_file(guarded: Guarded, tmp_path: Path) -> None:
    door, secrets = guarded.door, guarded.secrets
    key = _run(guarded, "keys", "add", "desk", "--scope", "ingest").strip()
    secrets["key"] = key.partition(".")[2]
    told = _run(guarded, "webhooks", "add", "http://127.0.0.1:9/hook")
    with psycopg.connect(guarded.postgres.url) as connection:
        row = connection.execute("select secret from webhook").fetchone()
    assert row is not None
    assert row[0] in told, "it is shown once, to whoever added it"
    secrets["webhook"] = row[0]
    said = [_run(guarded, "feeds", "add", "http://reader:hunter2-of-a-feed@127.0.0.1:9/feed", "--source", "s")]
    secrets["feed"] = "hunter2-of-a-feed"
    door.open("storage", "ingest", "inbox", "scheduler", "fetch")

    wait_until(
        lambda: (
            door.client.post(
                "/v1/documents", content=b"A story.", headers=TEXT | {"Authorization": f"Bearer {key}"}
            ).status_code
            == 202
        ),
        30,
        "the key is known",
    )
    answers = [
        door.client.get("/v1/articles", headers={"Authorization": f"Bearer {given}"})
        for given in (GUESS, key, "hunter2")
    ]
    wait_until(lambda: door.stack.rows("select 1 from webhook where failures > 0"), 60, "the webhook was tried")
    _lose_both_servers(guarded)
    for name in MODULES:
        if name != "api":
            wait_until(lambda name=name: door.stack.ask(name, "/readyz")[0] == 503, 60, f"{name} has lost a server")
            answers.append(httpx.Response(503, text=str(door.stack.ask(name, "/readyz"))))
    wait_until(lambda: door.client.get("/readyz").json()["redis"] == "down", 30, "the door has lost Redis")
    said += [
        _run(guarded, *arguments.split())
        for arguments in ("config", "audit", "keys list", "webhooks list", "feeds list")
    ]

    shown = {
        **{f"log of {name}": door.stack.log(name) for name in MODULES},
        **{f"metrics of {name}": _metrics(guarded, name) for name in MODULES},
        **{f"answer {n}": answer.text for n, answer in enumerate(answers)},
        **{f"command {n}": text for n, text in enumerate(said)},
        **{f"file {path.name}": path.read_text(errors="replace") for path in (tmp_path / "run").glob("*")},
    }
    assert all(shown.values()), "each said something"
    found = [
        f"{whose} in {where}"
        for where, text in shown.items()
        for whose, secret in secrets.items()
        if secret in text or servers.quoted(secret) in text
    ]
    assert found == []
