"""The doctor in real surroundings: real servers, folders and processes, and its command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import redis

from copydesk.queue import server, streams
from copydesk.queue.streams import ArticleStream
from tests import servers
from tests.processes import ROOT, Stack
from tests.roles import urls_of_roles
from tests.waiting import wait_until


def run(environ: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code and findings by check."""
    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", "doctor", "--json"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)
    return done.returncode, {finding["check"]: finding for finding in found}


def test_a_whole_stack_is_well_but_for_what_its_test_servers_are(
    redis_url: str, postgres_server: servers.Server, database_url: str, tmp_path: Path
) -> None:
    roles: dict[str, Any] = urls_of_roles(postgres_server, database_url)
    with redis.Redis.from_url(redis_url) as client, Stack(tmp_path, redis_url, database_url, **roles) as stack:
        client.config_set("maxmemory", "0")
        stack.start("inbox")
        wait_until(lambda: stack.ask("inbox", "/livez")[0] == 200, 60, "the inbox answers")

        code, found = run(stack.environment())

    bad = {check for check, finding in found.items() if finding["level"] != "ok"}
    # No limit of memory, no fsync (for speed), and one process of six.
    assert bad <= {"redis maxmemory", "postgres fsync", "processes"}
    assert code == int("postgres fsync" in bad)
    assert {"redis version", "postgres version", "migrations", "article stream", "process inbox", "redis clock"} <= set(
        found
    )
    assert {f"role of {name.split('_')[1]}" for name in roles} <= set(found)


def test_what_is_missing_is_found_and_told(redis_url: str, empty_database_url: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "inbox").write_text("a file where the folder should be")
    environ = {
        "COPYDESK_REDIS_URL": redis_url,
        "COPYDESK_POSTGRES_URL": empty_database_url,
        "COPYDESK_DATA_DIR": str(tmp_path / "data"),
        "COPYDESK_HTTP_HOST": "0.0.0.0",
    }

    code, found = run(environ)

    assert code == 1
    failed = {check: finding["do"] for check, finding in found.items() if finding["level"] == "fail"}
    assert {"migrations", "article stream", "inbox folder"} <= set(failed)
    # In a container it is a warning: whoever publishes its port decides.
    assert found["http keys"]["level"] in {"warn", "fail"}
    assert failed["migrations"] == failed["article stream"] == "copydesk migrate"


def test_servers_that_are_away_are_told_and_the_rest_is_checked(tmp_path: Path) -> None:
    environ = {"COPYDESK_REDIS_URL": "redis://127.0.0.1:9/0", "COPYDESK_POSTGRES_URL": "postgresql://u@127.0.0.1:9/d"}

    code, found = run(environ | {"COPYDESK_DATA_DIR": str(tmp_path)})

    assert code == 1
    assert {found[name]["level"] for name in ("redis", "postgres")} == {"fail"}
    assert found["inbox folder"]["level"] == "ok"


@pytest.mark.parametrize("setting", ["noeviction", "allkeys-lru"])
def test_what_redis_says_of_itself_is_read(own_redis: servers.OwnServer, setting: str) -> None:
    with streams.connect(own_redis.url) as client:
        client.config_set("maxmemory-policy", setting)
        before = server.look(client)
        ArticleStream(client).create_group()
        found = server.look(client)

    assert (before.has_group, found.has_group) == (False, True)
    assert found.settings["maxmemory-policy"] == setting
    assert found.settings["appendonly"] == "yes"
    assert found.version >= (8,)
    assert abs(found.ahead_s) < 2
