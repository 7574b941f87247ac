"""Archives and long lists in the inbox: cut into jobs, each document with its outcome, the same after a kill."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Stack
from tests.waiting import wait_until

DOCUMENTS = 600


@pytest.fixture
def stack(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Stack]:
    with Stack(tmp_path, redis_url, database_url, inbox_grace_s=0.2, inbox_poll_s=0.2).start(
        "inbox", "ingest", "storage"
    ) as running:
        yield running


def story(number: int) -> str:
    return (
        f"The library of village number {number} opened on Monday with {number} books and one lamp.\n\n"
        f"A second room for {number} children will follow in the spring, when the roof is dry again.\n"
    )


def lines(count: int) -> bytes:
    records = [
        json.dumps({"id": f"d{n}", "title": f"Village number {n} opens its library", "text": story(n)})
        for n in range(count)
    ]
    return "\n".join([*records[: count // 2], '{"id": "torn", "te', *records[count // 2 :]]).encode() + b"\n"


def answer(place: Path) -> dict[str, Any]:
    return dict(json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8")))


def test_a_long_list_is_stored_once_though_inbox_and_worker_are_killed_amid_it(stack: Stack) -> None:
    stack.drop("wire/dump.jsonl", lines(DOCUMENTS))
    for slot in ("inbox", "ingest", "inbox"):
        before = stack.rows("select count(*) from article")[0][0]
        stack.wait_for_rows("select count(*) from article", lambda rows, before=before: rows[0][0] > before)  # type: ignore[misc]  # mypy#12557
        stack.kill(slot)
        stack.start(slot)
    place = stack.settled("done/wire/*/dump.jsonl", deadline_s=60)
    told = answer(place)

    assert told["counts"]["stored"] == DOCUMENTS
    assert told["counts"]["rejected"] == 1
    assert [(fault["code"], "line" in fault["reason"]) for fault in told["faults"]] == [("malformed_input", True)]
    assert stack.rows("select count(*), count(distinct guid) from article") == [(DOCUMENTS, DOCUMENTS)]
    assert stack.rows("select max(total) <= 50 from ingest") == [(True,)]
    wait_until(lambda: not list((stack.inbox / ".work").iterdir()), 10, "nothing left in .work")


def test_an_archive_of_many_kinds_is_cut_and_what_is_bad_in_it_named(stack: Stack) -> None:
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz") as tar:
        for number in range(3):
            data = f"Village number {number} opens its library\n\n{story(number)}".encode()
            entry = tarfile.TarInfo(f"{number}.txt")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner.tar.gz", inner.getvalue())
        archive.writestr("../../out.txt", "outside")
        archive.writestr("page.html", f"<html><body><article><p>{story(9)}</p></article></body></html>")
        archive.writestr("filler.png", b"\x89PNG\r\n\x1a\n" + bytes(200_000))
    stack.drop("wire/all.zip", packed.getvalue())
    told = answer(stack.settled("done/wire/*/all.zip"))

    assert told["counts"]["rejected"] == 3
    assert sorted(fault["code"] for fault in told["faults"]) == ["binary_input", "malformed_input", "malformed_input"]
    assert any("leads out" in fault["reason"] for fault in told["faults"])
    assert any("link" in fault["reason"] for fault in told["faults"])
    assert not list(stack.inbox.parent.rglob("out.txt"))


def test_a_bomb_ends_with_its_reason_and_the_file_behind_it_is_stored(stack: Stack) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.txt", bytes(20 * 1024 * 1024))
    stack.drop("wire/bomb.zip", packed.getvalue())
    stack.drop("wire/after.txt", f"Village number 5 opens its library\n\n{story(5)}")

    assert answer(stack.settled("rejected/wire/*/bomb.zip"))["counts"] == {"rejected": 5}
    assert stack.settled("done/wire/*/after.txt")
