"""`copydesk where` and `copydesk audit`: an answer for every document, also while servers are away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.entries import story
from tests.processes import ROOT, Stack
from tests.waiting import wait_until


def run(stack: Stack, *arguments: str, **changes: str) -> tuple[int, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    environ |= {
        "COPYDESK_REDIS_URL": stack.redis_url,
        "COPYDESK_POSTGRES_URL": stack.database_url,
        "COPYDESK_INBOX_DIR": str(stack.inbox),
        "COPYDESK_SPOOL_DIR": str(stack.folder / "spool"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", *arguments],
        cwd=ROOT,
        env=environ | changes,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def places(stack: Stack, what: str, **changes: str) -> list[dict[str, Any]]:
    return list(json.loads(run(stack, "where", what, "--json", **changes)[1]))


@pytest.fixture(scope="module")
def stored(stack: Stack) -> Stack:
    stack.drop("pier/lantern.txt", story(1))
    stack.send({"id": "l-2", "body": story(2), "hints": {"url": "https://pier.example/two"}}, source="agency")
    stack.send({"id": "l-3", "body": story(1), "hints": {"url": "https://pier.example/copy"}}, source="agency")
    stack.settled("done/pier/*/lantern.txt")
    stack.wait_for_rows("select 1 from receipt where source = 'agency'", lambda rows: len(rows) == 2)
    return stack


@pytest.mark.parametrize(
    ("what", "outcome"),
    [
        ("lantern.txt", "stored"),
        ("l-2", "stored"),
        ("https://pier.example/two", "stored"),
        ("l-3", "duplicate"),
        ("https://pier.example/copy", "duplicate"),
    ],
)
def test_a_document_is_found_by_whatever_its_sender_knows(stored: Stack, what: str, outcome: str) -> None:
    assert [place["where"] for place in places(stored, what)] == [outcome]


def test_an_article_is_found_by_its_id(stored: Stack) -> None:
    ((article,),) = stored.rows("select id::text from article where name = 'lantern.txt'")

    assert article in [place["article_id"] for place in places(stored, article)]


def test_what_nobody_knows_is_said_to_be_unknown(stored: Stack) -> None:
    code, text = run(stored, "where", "nowhere.txt")

    assert (code, "nothing is known of nowhere.txt" in text) == (1, True)


def test_a_claimed_file_is_found_at_its_door_while_postgres_is_away(stored: Stack) -> None:
    stored.kill("ingest")
    try:
        stored.drop("pier/waiting.txt", story(9))
        wait_until(lambda: list((stored.inbox / ".work").glob("*/0")), 20, "the claim")
        away = {"COPYDESK_POSTGRES_URL": "postgresql://copydesk@127.0.0.1:1/none"}
        found = places(stored, "waiting.txt", **away)
        code, text = run(stored, "audit")

        assert [place["where"] for place in found] == ["inbox"]
        assert (code, "not settled" in text) == (1, True)
    finally:
        stored.start("ingest")
    stored.settled("done/pier/*/waiting.txt")


def test_the_audit_proves_that_nothing_is_in_between(stored: Stack) -> None:
    def is_settled() -> dict[str, Any] | None:
        code, text = run(stored, "audit", "--json")
        return dict(json.loads(text)) if code == 0 else None

    found = wait_until(is_settled, 30, "a settled audit", every_s=0.2)
    rows = stored.rows("select outcome, count(*) from receipt group by 1")

    assert found["totals"] == dict(rows)


def test_the_audit_says_what_it_could_not_look_into(stored: Stack, tmp_path: Path) -> None:
    code, text = run(stored, "audit", COPYDESK_REDIS_URL=f"unix://{tmp_path}/none.sock")

    assert (code, "problem:" in text) == (1, True)
