"""What the README shows is done here as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from tests.processes import ROOT, Stack

README = (ROOT / "README.md").read_text(encoding="utf-8")

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)

SESSIONS = "".join(text for language, text in BLOCKS if language == "console")

CLEAN_COMMANDS = [
    line.split("#")[0].removeprefix("$ .venv/bin/copydesk ")
    for line in SESSIONS.splitlines()
    if "copydesk clean" in line
]

QUERIES = [re.sub(r"\s+", " ", query) for query in re.findall(r"^=> (.*?);$", SESSIONS, flags=re.DOTALL | re.MULTILINE)]


@pytest.mark.parametrize("command", CLEAN_COMMANDS)
def test_a_clean_command_prints_the_article(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", *shlex.split(command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Ferry crews on Loch Arden" in done.stdout


def test_the_three_ways_of_cleaning_are_shown() -> None:
    assert len(CLEAN_COMMANDS) == 3


def test_the_program_sends_a_job_that_is_stored(stack: Stack) -> None:
    (program,) = [text for language, text in BLOCKS if language == "python"]
    subprocess.run(
        [sys.executable, "-c", program.replace("redis://127.0.0.1:6379/0", stack.redis_url)], cwd=ROOT, check=True
    )
    rows = stack.wait_for_rows("select title, text from article where source = 'partner'", lambda rows: len(rows) == 1)

    assert rows == [("Headline", "The story, as it came.")]


def test_a_file_dropped_as_shown_ends_as_shown(stack: Stack) -> None:
    stack.drop("reuters/en-ferry-strike.txt", (ROOT / "seeds" / "inbox" / "en-ferry-strike.txt").read_bytes())
    place = stack.settled("done/reuters/*/en-ferry-strike.txt")
    shown = re.search(r"^en-ferry-strike\.txt .*$", SESSIONS, flags=re.MULTILINE)

    assert shown
    assert sorted(shown[0].split()) == sorted(path.name for path in place.parent.iterdir())


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_runs(stack: Stack, query: str) -> None:
    stack.rows(query.replace("'…'", "'00000000-0000-0000-0000-000000000000'").replace("%", "%%"))


def test_every_query_was_found() -> None:
    assert len(QUERIES) == SESSIONS.count("=> ")


def test_every_file_it_names_is_there() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", README)

    assert linked
    assert [name for name in linked if not (ROOT / name).exists()] == []
