"""The commands as a whole: JSON everywhere, docs that name what there is, completion, and what `config` tells."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from copydesk import cli_output
from copydesk.cli import app
from tests import published
from tests.processes import ROOT

COMMANDS = dict(published.commands())

# Nothing to print, or nothing but JSON or a file; `up` and `demo` run until they are stopped.
WITHOUT_JSON = {
    *("dead show", "webhooks calls"),
    *("keys revoke", "sources remove", "sources learning"),
    *("webhooks disable", "webhooks enable", "webhooks remove", "webhooks replay"),
    *("demo", "up"),
}


def options(name: str) -> set[str]:
    return {option for parameter in COMMANDS[name].params for option in (*parameter.opts, *parameter.secondary_opts)}


def test_every_command_that_prints_takes_json() -> None:
    without = {name.removeprefix("copydesk ") for name in COMMANDS if "--json" not in options(name)}

    assert without == WITHOUT_JSON


def test_every_command_and_option_says_what_it_is_for() -> None:
    silent = {name for name, command in COMMANDS.items() if not command.help}
    silent |= {f"{name} {p.name}" for name, command in COMMANDS.items() for p in command.params if not p.help}  # type: ignore[attr-defined]  # typer's own parameters have it

    assert silent == set()


def shown_commands() -> Iterator[tuple[str, str]]:
    """(place, command line) of what the docs and the README show in a console or in running text."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        if path.name == "cli.md":
            continue
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), start=1):
            for found in re.finditer(r"(?:^\$ .*?|`)\bcopydesk ((?:[a-z]+ ?)+[^`#|]*)", line):
                if not found[1].startswith("copydesk"):
                    yield f"{path.name}:{number}", found[1].strip()


def unknown_in(line: str) -> list[str]:
    """What a command line names that there is not."""
    words = shlex.split(re.sub(r" [<>] .*|[…']", "", line)) or [""]
    groups = {name.split()[1] for name in COMMANDS if len(name.split()) == 3}
    if words[0] in groups and len(words) == 1:
        return []
    name = " ".join(["copydesk", *words[: 2 if words[0] in groups else 1]])
    # `sources show|undo`: each of them.
    names = [f"{name.rpartition(' ')[0]} {each}" for each in name.rpartition(" ")[2].split("|")]
    unknown = [each for each in names if each not in COMMANDS]
    if unknown:
        return unknown
    given = {option for word in words for option in re.findall(r"--[a-z-]+", word)}
    return sorted(given - set.union(*(options(each) for each in names)))


def test_the_docs_show_only_commands_and_options_that_there_are() -> None:
    shown = list(shown_commands())

    assert len(shown) > 40
    assert [(place, unknown) for place, line in shown if (unknown := unknown_in(line))] == []


def test_commands_are_completed_in_a_shell() -> None:
    asked = {"_COPYDESK_COMPLETE": "complete_bash", "COMP_WORDS": "copydesk feeds d", "COMP_CWORD": "2"}

    result = CliRunner().invoke(app, [], prog_name="copydesk", env=asked)

    assert result.output.split() == ["discover"]


def test_config_tells_where_each_value_is_from(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://me:hidden@db/copydesk")
    given = {"COPYDESK_BATCH_SIZE": "7", "COPYDESK_POSTGRES_URL_FILE": str(secret)}

    result = CliRunner().invoke(app, ["config", "--json"], env=given)
    rows = {row["setting"]: (row["value"], row["from"]) for row in json.loads(result.output)}

    assert rows["COPYDESK_BATCH_SIZE"] == (7, "environment")
    assert rows["COPYDESK_POSTGRES_URL"] == ("****", str(secret))
    assert rows["COPYDESK_CLAIM_IDLE_S"] == (15.0, "default")
    assert "hidden" not in result.output


def test_without_a_terminal_long_work_tells_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_output, "TOLD_EVERY_S", 0.0)
    with cli_output.progress("ingest", 4) as tell:
        tell(1, "50 documents")

    assert capsys.readouterr().err == "ingest: 25%, 50 documents\n"
