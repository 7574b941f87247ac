"""Learnt lines and kept profiles, from stored stories to the rules that a worker cleans by."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules
from copydesk.cli import app
from copydesk.delivery.changes import number_changes
from copydesk.delivery.knowledge import Knowledge
from copydesk.delivery.learning import forget_lines, learn_lines
from copydesk.models import Document, Hints, RawItem
from copydesk.settings import PREFIX
from copydesk.storage import connection as database
from tests.entries import article, close, job, text
from tests.integration.writing import Desk

FURNITURE = "Harbour Gazette is printed on paper from the island"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def files() -> Rules:
    return load_rules()


def raw(seed: int, source: str) -> RawItem:
    """A story with the source's furniture at its foot."""
    data = f"Village {seed} opens its library\n\n{text(seed).capitalize()}.\n\n{text(seed + 9)}.\n\n{FURNITURE}\n"
    return RawItem(data.encode(), source, NOON, Hints())


def cleaned(rules: Rules, seed: int, source: str = "gazette") -> Document:
    (processed,) = pipeline.process(raw(seed, source), rules)
    assert processed.document
    return processed.document


def store(desk: Desk, rules: Rules, seeds: list[int], source: str = "gazette") -> None:
    """Store stories as the rules clean them, and let the scheduler's chores learn from them."""
    ref = job(f"job-{source}-{seeds[0]}", source=source)
    entries: list[Any] = []
    for seed in seeds:
        entry = article(f"{source}-{seed}", text(seed), job=ref)
        entries.append(entry.model_copy(update={"document": cleaned(rules, seed, source)}))
    desk.store([*entries, close(ref, len(entries))])
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        learn_lines(connection)
        forget_lines(connection)


def run(desk: Desk, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["sources", *arguments], env={f"{PREFIX}POSTGRES_URL": desk.database_url})


def learnt(desk: Desk, source: str = "gazette") -> dict[str, bool]:
    """Repeated line -> whether it is dropped."""
    result = run(desk, "learnt", source, "--json")
    assert result.exit_code == 0, result.output
    return {row["text"]: row["is_dropped"] for row in json.loads(result.output)}


def test_a_line_that_two_stories_of_a_source_showed_is_dropped_from_the_third(desk: Desk, files: Rules) -> None:
    store(desk, files, [10])
    assert FURNITURE in cleaned(Knowledge(files, desk.database_url).rules(), 30).body
    store(desk, files, [20])
    rules = Knowledge(files, desk.database_url).rules()
    third = cleaned(rules, 30)

    assert learnt(desk) == {FURNITURE: True}
    assert FURNITURE not in third.body
    assert [p.text for p in third.pieces if p.rule == "learnt/line"] == [FURNITURE]
    assert third.rules_version != cleaned(files, 30).rules_version
    assert FURNITURE in cleaned(rules, 30, "another").body


def test_a_story_told_again_teaches_nothing(desk: Desk, files: Rules) -> None:
    store(desk, files, [10], "one")
    again = cleaned(files, 10, "one")
    ref = job("again", source="one", minutes=5)
    changed = again.model_copy(update={"keys": (), "item_sha256": "0" * 64})
    desk.store([article("again", text(1), job=ref).model_copy(update={"document": changed}), close(ref, 1)])
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        learn_lines(connection)

    assert learnt(desk, "one") == {}


def test_an_undone_line_is_kept_until_the_undo_is_taken_back(desk: Desk, files: Rules) -> None:
    store(desk, files, [10, 20])
    key = json.loads(run(desk, "learnt", "gazette", "--json").output)[0]["key"]

    assert run(desk, "undo", "gazette", key[:12]).exit_code == 0
    assert FURNITURE in cleaned(Knowledge(files, desk.database_url).rules(), 30).body
    assert run(desk, "redo", "gazette", key[:12]).exit_code == 0
    assert FURNITURE not in cleaned(Knowledge(files, desk.database_url).rules(), 30).body
    assert run(desk, "undo", "gazette", "ffff-none").exit_code != 0


def test_a_source_that_does_not_learn_keeps_its_lines_and_has_its_own_floor(desk: Desk, files: Rules) -> None:
    store(desk, files, [10, 20])

    assert run(desk, "learning", "gazette", "off").exit_code == 0
    assert FURNITURE in cleaned(Knowledge(files, desk.database_url).rules(), 30).body
    assert run(desk, "learning", "gazette", "on", "--fewest", "3").exit_code == 0
    assert learnt(desk) == {FURNITURE: False}
    store(desk, files, [40])
    assert learnt(desk) == {FURNITURE: True}


def test_a_kept_profile_stands_over_the_files_until_it_is_removed(desk: Desk, files: Rules, tmp_path: Path) -> None:
    profile = tmp_path / "gazette.toml"
    rule = 'rules = [{action = "drop", match = "prefix", text = "Harbour Gazette"}]'
    profile.write_text(f'name = "gazette"\nrights = ["© Harbour Gazette"]\n{rule}\n', encoding="utf-8")

    assert run(desk, "check", str(tmp_path)).exit_code == 0
    assert run(desk, "import", str(profile)).exit_code == 0
    found = cleaned(Knowledge(files, desk.database_url).rules(), 30)
    assert (FURNITURE in found.body, found.rights) == (False, ("© Harbour Gazette",))
    assert run(desk, "export", str(tmp_path / "out")).exit_code == 0
    assert (tmp_path / "out" / "gazette.toml").read_text() == profile.read_text()
    assert json.loads(run(desk, "list", "--json").output)[0]["has_profile"] is True
    assert run(desk, "remove", "gazette").exit_code == 0
    assert FURNITURE in cleaned(Knowledge(files, desk.database_url).rules(), 30).body


@pytest.mark.parametrize("written", ["nonsense", "name = 1", 'name = "a"\nunknown = 1', '[[sources]]\nname = "a"'])
def test_a_wrong_profile_is_refused(desk: Desk, tmp_path: Path, written: str) -> None:
    (tmp_path / "a.toml").write_text(written, encoding="utf-8")

    assert run(desk, "import", str(tmp_path / "a.toml")).exit_code != 0
    assert json.loads(run(desk, "list", "--json").output) == []


def test_the_last_known_rules_hold_while_postgres_is_away(desk: Desk, files: Rules) -> None:
    away = Knowledge(files, "postgresql://copydesk@127.0.0.1:1/none")

    assert away.rules() is files
