"""`copydesk ingest`: folders and lists through running workers, stopped by SIGKILL and gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT, Stack
from tests.waiting import wait_until

ARTICLES = "select count(*), count(distinct title) from article"


@pytest.fixture
def stack(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Stack]:
    with Stack(tmp_path / "stack", redis_url, database_url, bulk_jobs_max=8) as running:
        yield running


def start(stack: Stack, *arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "copydesk.cli", "ingest", *map(str, arguments), "--json"]
    return subprocess.Popen(command, cwd=ROOT, env=stack.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(stack: Stack, *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    out, err = (process := start(stack, *arguments)).communicate(timeout=120)
    assert out, err.decode()
    return process.returncode, json.loads(out)


def story(number: int) -> str:
    name = f"{number * 7919 % 9973}-{number}"
    return (
        f"The library of village {name} opened on Monday with {number} books and lamp {name}.\n\n"
        f"A second room, {name}, will follow in spring {number}, when the roof of {name} is dry again.\n"
    )


def lines(count: int) -> str:
    return "".join(
        json.dumps({"title": f"Village {n} opens its library", "text": story(n)}) + "\n" for n in range(count)
    )


def test_files_lists_and_folders_are_taken_in_and_counted(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number}.txt").write_text(f"Village {number} opens its library\n\n{story(number)}")
    (folder / "broken.txt").write_bytes(b"\0" * 40)
    (tmp_path / "list.jsonl").write_text(lines(80))
    stack.start("ingest", "storage")

    code, told = run(stack, folder, tmp_path / "list.jsonl", "--source", "archive", "--wait")

    assert code == 3, "one document was rejected"
    assert told["outcomes"] == {"stored": 80, "rejected": 1, "duplicate": 60}
    assert (told["inputs"], told["documents"]) == (62, 141)
    assert stack.rows("select distinct source from article") == [("archive",)]
    assert len(list(folder.iterdir())) == 61, "the files stay where they are"
    assert list(stack.spool.iterdir()) == []


def test_stopped_killed_and_begun_again_nothing_is_missing_or_doubled(stack: Stack, tmp_path: Path) -> None:
    target = tmp_path / "list.jsonl"
    target.write_text(lines(600))
    command = (target, "--bulk", "--wait")

    # Nobody takes the jobs: it waits at the bound, and is the only one at this run.
    first = start(stack, *command)
    wait_until(lambda: len(list(stack.spool.glob("*.job"))) == 8, 30, "as many jobs accepted as may be")
    second = start(stack, *command)
    _, err = second.communicate(timeout=30)
    assert (second.returncode, b"another process is at this run" in err) == (1, True)
    assert len(list(stack.spool.glob("*.job"))) == 8
    first.send_signal(signal.SIGTERM)
    out, _ = first.communicate(timeout=30)
    told = json.loads(out)
    assert (first.returncode, told["is_over"], told["documents"]) == (130, False, 400)

    stack.start("ingest", "storage")
    third = start(stack, *command)
    # More than the first one handed over.
    stack.wait_for_rows(ARTICLES, lambda rows: rows[0][0] > 400, 90)
    third.send_signal(signal.SIGKILL)
    third.communicate(timeout=30)

    code, told = run(stack, *command)

    assert (code, told["is_resumed"], told["is_over"]) == (0, True, True)
    assert told["outcomes"] == {"stored": 600}
    assert stack.rows(ARTICLES) == [(600, 600)]
