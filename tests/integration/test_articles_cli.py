"""Articles from a shell: listed, shown, searched, compared and exported."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from copydesk.cli import app
from copydesk.delivery import export as exporting
from copydesk.delivery.changes import number_changes
from copydesk.delivery.search_index import index_texts
from copydesk.errors import UsageError
from copydesk.settings import PREFIX
from copydesk.storage import connection as database
from copydesk.storage.reading import Filters
from tests.entries import article, close, job, text
from tests.integration.writing import Desk


def store(desk: Desk, job_id: str, seeds: list[int], **named: Any) -> list[str]:
    """Write articles, number and index them; their ids in order."""
    ref = job(job_id, minutes=int(job_id.strip("j")))
    desk.store([*(article(f"{job_id}-{n:03}", text(n), job=ref, **named) for n in seeds), close(ref, len(seeds))])
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        index_texts(connection)
    rows = desk.rows("select article_id::text from receipt where ingest_id = %s order by item_id", (job_id,))
    return [row[0] for row in rows]


def run(desk: Desk, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={f"{PREFIX}POSTGRES_URL": desk.database_url})


def answer(desk: Desk, *arguments: str) -> Any:
    result = run(desk, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def export(desk: Desk, target: Path, form: exporting.Format) -> exporting.Place:
    with database.connect(desk.database_url) as connection:
        return exporting.export(connection, target, form, Filters())


def test_articles_are_listed_shown_and_found(desk: Desk) -> None:
    first, second = store(desk, "j1", [1, 2], title="Bridge to close")

    assert [row["id"] for row in answer(desk, "articles", "list")] == sorted([first, second], reverse=True)
    assert answer(desk, "articles", "list", "--source", "nobody") == []
    assert answer(desk, "articles", "show", first)["body"] == [text(1)]
    assert [row["id"] for row in answer(desk, "articles", "search", "harbour2")] == [second]
    assert "Bridge to close" in run(desk, "articles", "show", first).output
    assert run(desk, "articles", "show", "00000000-0000-0000-0000-000000000001").exit_code == 1


def test_what_changed_between_two_revisions_is_shown(desk: Desk) -> None:
    (stored,) = store(desk, "j1", [1], document_id="a")
    ref = job("j2", minutes=2)
    changed = text(1) + " It rained."
    desk.store([article("j2-1", changed, job=ref, document_id="a"), close(ref, 1)])

    told = run(desk, "articles", "diff", stored, "--before", "1", "--after", "2").output

    assert [line[0] for line in told.splitlines() if line[:2] in ("- ", "+ ")] == ["-", "+"]
    assert "It rained." in told


def test_a_deleted_article_is_neither_shown_nor_found_nor_exported_and_is_accounted_for(
    desk: Desk, tmp_path: Path
) -> None:
    second, first = store(desk, "j1", [0, 1])
    assert run(desk, "articles", "delete", first, "--reason", " ").exit_code == 1
    told = run(desk, "articles", "delete", first, "--reason", "Ruling 12")
    assert told.exit_code == 0, told.output
    store(desk, "j2", [1])

    assert [row["id"] for row in answer(desk, "articles", "list")] == [second]
    assert answer(desk, "articles", "search", "harbour1") == []
    export(desk, tmp_path / "out.jsonl", "jsonl")
    assert read(tmp_path / "out.jsonl", "jsonl") == [second]
    places = answer(desk, "where", first)
    assert [place["where"] for place in places] == ["stored", "suppressed", "deleted"]
    assert "Ruling 12, by command line" in places[-1]["detail"]
    assert "1 articles deleted" in run(desk, "audit").output

    assert run(desk, "articles", "undelete", second).exit_code == 1
    assert run(desk, "articles", "undelete", first).exit_code == 0
    store(desk, "j3", [1])
    assert len(answer(desk, "articles", "list")) == 2


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_each_export_writes_what_changed_since_the_one_before(
    desk: Desk, tmp_path: Path, form: exporting.Format
) -> None:
    target = tmp_path / f"out.{form}"
    first = store(desk, "j1", list(range(60)))
    export(desk, target, form)
    export(desk, target, form)
    second = store(desk, "j2", [70, 71])
    export(desk, target, form)

    assert read(target, form) == [*first, *second]


def read(target: Path, form: exporting.Format) -> list[str]:
    """The ids in a target, after a look at one text."""
    if form == "jsonl":
        rows = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    elif form == "csv":
        with target.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    else:
        parts = sorted(target.glob("*.parquet"), key=lambda part: int(part.stem.split("-")[1]))
        rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    assert rows[0]["text"] == text(0)
    return [row["id"] for row in rows]


def test_a_page_half_written_by_an_interrupted_export_is_written_anew(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    first = store(desk, "j1", [1, 2])
    export(desk, target, "jsonl")
    with target.open("a", encoding="utf-8") as file:
        file.write('{"id": "half')
    second = store(desk, "j2", [3])

    export(desk, target, "jsonl")

    ids = [json.loads(line)["id"] for line in target.read_text(encoding="utf-8").splitlines()]
    assert ids == [*first, *second]


def test_a_target_that_is_not_what_the_last_export_left_is_refused(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    store(desk, "j1", [1])
    export(desk, target, "jsonl")
    target.write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="shorter"):
        export(desk, target, "jsonl")

    (tmp_path / "out.jsonl.position").write_text("nonsense", encoding="utf-8")
    with pytest.raises(UsageError, match="not a position"):
        export(desk, target, "jsonl")


def test_the_command_chooses_the_format_by_the_ending(desk: Desk, tmp_path: Path) -> None:
    ids = store(desk, "j1", [0])

    for name, form in (("a.jsonl", "jsonl"), ("b.csv", "csv"), ("c", "parquet")):
        result = run(desk, "export", str(tmp_path / name))
        assert result.exit_code == 0, result.output
        assert read(tmp_path / name, form) == ids  # type: ignore[arg-type]  # each is one
    assert run(desk, "export", str(tmp_path / "d"), "--format", "xml").exit_code != 0
