"""What strangers put into names, titles, texts and questions, on its way through the doors and out again."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.entries import story
from tests.http_door import NDJSON, TEXT, TO_THE_ROW, HttpDoor, open_door
from tests.processes import ROOT
from tests.servers import Server
from tests.waiting import wait_until

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
TITLE = f"=HYPERLINK(1) {ESCAPES}{SCRIPT} [/closing]"
UPWARDS = "../../../../../../../../tmp/copydesk-was-here"


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("hostile"), *TO_THE_ROW) as made:
        yield made


@pytest.fixture(scope="module")
def article(door: HttpDoor) -> str:
    """The id of an article all of whose parts are hostile."""
    record = {"title": TITLE, "text": story(7) + "\n\n" + SCRIPT, "url": "javascript:alert(3)", "id": UPWARDS}
    document = {
        "id": UPWARDS,
        "body": json.dumps(record),
        "hints": {
            "filename": f"{UPWARDS}\x1b[2J.jsonl",
            "media_type": "application/x-ndjson",
            "url": "javascript:alert(4)",
        },
        "meta": {"note": ESCAPES},
    }
    # What is no address or name is refused at the door; the rest comes in.
    refused = door.post(json.dumps(document).encode(), NDJSON, wait="stored", source=UPWARDS)
    assert refused.status_code == 422, refused.text
    document["hints"] = {"filename": f"{UPWARDS}.jsonl", "media_type": NDJSON["Content-Type"]}
    answer = door.post(json.dumps(document).encode(), NDJSON, wait="stored", source=UPWARDS)
    (item,) = answer.json()["items"]
    (row,) = door.stack.rows("select article_id::text from receipt where article_id is not null")
    assert item["outcome"] == "stored", item
    assert (
        door.post(
            f"{story(8)} The guards wrote 5 < 6 & 7 > 2 {SCRIPT} on it.".encode(), TEXT, wait="stored"
        ).status_code
        == 200
    )
    wait_until(lambda: len(door.stack.rows("select 1 from article_text")) == 2, 30, "both can be found")
    return str(row[0])


def test_no_name_leads_out_of_the_folders(door: HttpDoor, article: str) -> None:
    assert not list(Path("/tmp").glob("copydesk-was-here*"))  # noqa: S108 - where it would have been
    assert {path.parent.name for path in door.stack.folder.rglob("*was-here*")} <= {"done"}


def test_a_status_address_leads_to_the_item_and_nowhere_else(door: HttpDoor, article: str) -> None:
    answer = door.post(story(9).encode(), TEXT | {"Idempotency-Key": f"{UPWARDS}/.."}, source=UPWARDS).json()
    (item,) = answer["items"]

    assert ".." not in item["status_url"].partition("?")[0].split("/")
    assert door.client.get(item["status_url"]).json()["id"] == item["id"] == f"{UPWARDS}/.."


def test_an_answer_is_json_and_a_snippet_is_escaped(door: HttpDoor, article: str) -> None:
    read = door.client.get(f"/v1/articles/{article}")
    found = door.client.get("/v1/search", params={"q": "guards"})
    raw = door.client.get(f"/v1/articles/{article}/raw")

    assert {answer.headers["content-type"] for answer in (read, found)} == {"application/json"}
    assert raw.headers["content-type"] == "application/octet-stream"
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert raw.headers["content-disposition"] == "attachment"
    (hit,) = found.json()["articles"]
    assert "5 &lt; 6 &amp; 7 &gt; 2" in "".join(hit["snippets"])
    assert "<script" not in "".join(hit["snippets"])
    assert not (read.json()["url"] or "").startswith("javascript:")


@pytest.mark.parametrize(
    "question",
    [
        "'; drop table revision; --",
        "' or '1'='1",
        "\\",
        "a & | ! ( :*",
        "%_",
        "$1",
        "{}",
        "\u202e",
        '"unclosed',
        "x' \x00",
    ],
)
def test_a_question_is_never_a_statement(door: HttpDoor, article: str, question: str) -> None:
    for path, name in (("/v1/search", "q"), ("/v1/articles", "source"), ("/v1/articles", "publisher")):
        assert door.client.get(path, params={name: question}).status_code in {200, 422}
    assert door.client.get(f"/v1/articles/{article}").status_code == 200


def _command(door: HttpDoor, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "copydesk.cli", *arguments],
        cwd=ROOT,
        env=door.stack.environment(COLUMNS="200", FORCE_COLOR="1", TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("arguments", ["articles list", "articles show {}", "articles search library", "where {}"])
def test_no_command_obeys_a_text(door: HttpDoor, article: str, arguments: str) -> None:
    printed = _command(door, *arguments.format(article).split())

    assert not {control for control in ("\x1b]", "\x1b[2J", "\x9b", "\x07") if control in printed}


def test_a_spreadsheet_runs_no_cell(door: HttpDoor, article: str, tmp_path: Path) -> None:
    _command(door, "export", str(tmp_path / "all.csv"))

    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
