"""What the README shows is done here as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.feed_server import Answer, feed_server, rss
from tests.http_door import is_open
from tests.processes import ROOT, Stack
from tests.waiting import wait_until

README = (ROOT / "README.md").read_text(encoding="utf-8")

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, flags=re.DOTALL)

SESSIONS = "".join(text for language, text in BLOCKS if language == "console")

CLEAN_COMMANDS = [
    line.split("#")[0].removeprefix("$ .venv/bin/copydesk ")
    for line in SESSIONS.splitlines()
    if "copydesk clean" in line
]

# Of the console blocks, with the lines that a backslash continues.
COMMANDS = [
    command.replace("\\\n", " ") for command in re.findall(r"^\$ ((?:.*\\\n)*.*)$", SESSIONS, flags=re.MULTILINE)
]

CURLS = re.findall(
    r"^curl .*$",
    "\n".join([*COMMANDS, *re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "http.md").read_text(), flags=re.DOTALL)]),
    flags=re.MULTILINE,
)

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


def test_the_program_with_the_client_stores_reads_and_follows(stack: Stack) -> None:
    stack.start("api", "scheduler")
    wait_until(lambda: is_open(stack.http_port), 30, f"the door is open; {stack.tail()}")
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "http.md").read_text(), flags=re.DOTALL)
    program = program.replace("127.0.0.1:8040", f"127.0.0.1:{stack.http_port}")

    def said() -> str:
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert said().startswith("stored Lantern relit")
    wait_until(lambda: re.search(r"^\d+ Lantern relit$", said(), flags=re.MULTILINE), 20, "the change is numbered")


def shown(beginning: str) -> list[str]:
    """The README's commands that start like this; there is one at least."""
    found = [command for command in COMMANDS if command.startswith(beginning)]
    assert found
    return found


def run(stack: Stack, command: str, folder: Path = ROOT) -> str:
    """Run a command in a shell as it is shown, on this stack instead of the one of `make up`."""
    command = command.replace(".venv/bin/copydesk", f"{shlex.quote(sys.executable)} -m copydesk.cli")
    command = command.replace("data/inbox", shlex.quote(str(stack.inbox)))
    command = re.sub(r"\b(localhost|127\.0\.0\.1):8040\b", f"127.0.0.1:{stack.http_port}", command)
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=stack.environment(COLUMNS="200"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_a_file_dropped_as_shown_ends_as_shown(stack: Stack) -> None:
    for command in shown("mkdir -p data/inbox/reuters"):
        run(stack, command)
    stack.settled("done/reuters/*/en-ferry-strike.txt")
    (listing,) = shown("ls data/inbox/done/reuters")
    said = re.search(r"^en-ferry-strike\.txt .*$", SESSIONS, flags=re.MULTILINE)

    assert said
    names = wait_until(lambda: (found := run(stack, listing).split()) and len(found) > 1 and found, 10, "the outcome")
    assert sorted(said[0].split()) == sorted(names)


@pytest.mark.parametrize("command", CURLS)
def test_a_request_is_answered_and_stored(stack: Stack, tmp_path: Path, command: str) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl")
    stack.start("api")
    wait_until(lambda: is_open(stack.http_port), 30, f"the door is open; {stack.tail()}")
    (tmp_path / "seeds").symlink_to(ROOT / "seeds")
    for name in ("story.txt", "a.html", "b.txt"):
        shutil.copy(ROOT / "seeds" / "inbox" / "en-ferry-strike.txt", tmp_path / name)
    (tmp_path / "many.ndjson").write_text('{"body": "Ferry\\n\\nThe ferry crossed again on Monday, they said."}\n')
    before = stack.rows("select count(*) from receipt")[0][0]
    answer = run(stack, command.replace("curl ", "curl -sS --fail-with-body "), tmp_path)

    assert '"items"' in answer
    stack.wait_for_rows("select count(*) from receipt", lambda rows: rows[0][0] > before)


def test_every_request_was_found() -> None:
    assert len(CURLS) == 4


def test_a_feed_added_as_shown_is_polled_and_listed(stack: Stack) -> None:
    stack.start("fetch", "scheduler")
    with feed_server() as server:
        url = server.put("/rss", Answer(rss(("one", "The harbour was closed on Monday, the board said."))))
        for command in shown(".venv/bin/copydesk feeds"):
            said = run(stack, command.replace("https://example.org/rss", url))
        stack.wait_for_rows("select 1 from article where source = 'example'", lambda rows: len(rows) == 1)

    assert url in said
    assert "lake-courier.xml" in said


def test_where_and_audit_answer(stack: Stack) -> None:
    (where,), (audit,) = shown(".venv/bin/copydesk where"), shown(".venv/bin/copydesk audit")
    run(stack, "mkdir -p data/inbox/desk && cp seeds/inbox/en-ferry-strike.txt data/inbox/desk/")
    stack.settled("*/desk/*/en-ferry-strike.txt")

    assert " desk " in run(stack, where)
    assert "claims of the inbox" in run(stack, f"{audit} || test $? = 1")


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_runs(stack: Stack, query: str) -> None:
    stack.rows(query.replace("'…'", "'00000000-0000-0000-0000-000000000000'").replace("%", "%%"))


def test_every_query_was_found() -> None:
    assert len(QUERIES) == SESSIONS.count("=> ")


def test_every_file_it_names_is_there() -> None:
    linked = re.findall(r"\]\(([^)#:]+)\)", README)

    assert linked
    assert [name for name in linked if not (ROOT / name).exists()] == []
