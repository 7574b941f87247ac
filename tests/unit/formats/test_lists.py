"""Long lists cut into runs: whole records, whatever their bytes, and the same runs each time."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from copydesk import formats
from copydesk.delivery import cutting
from copydesk.delivery.claims import WORK, Claim, ClaimedFile
from copydesk.formats.lists import RECORDS_MAX, cut, list_kind
from copydesk.formats.members import Limits
from copydesk.models import Hints

LIMIT = 1000
JSON_LINES = b"".join(b'{"id": %d, "text": "Story %d."}\n' % (n, n) for n in range(120))
TABLE = b"id,text\r\n" + b"".join(b'%d,"Story\r\n""%d"", and more"\r\n' % (n, n) for n in range(120))
MAILBOX = b"".join(
    b"From a@b Tue May 21 08:00:00 2024\nFrom: A <a@b.example>\nMessage-ID: <%d@x>\n\nStory %d.\n>From here.\n\n"
    % (n, n)
    for n in range(120)
)


@pytest.mark.parametrize(
    ("kind", "name", "data"),
    [("records", "a.jsonl", JSON_LINES), ("table", "a.csv", TABLE), ("mailbox", "a.mbox", MAILBOX)],
)
def test_runs_hold_every_record_once_and_are_read_like_the_whole(kind: str, name: str, data: bytes) -> None:
    runs = list(cut(kind, io.BytesIO(data), LIMIT))
    found = [parsed for run in runs for parsed in formats.parse(run.data, Hints(filename=name))]
    whole = formats.parse(data, Hints(filename=name))

    assert list_kind(data[:16384], name) == kind
    assert [run.records for run in runs] == [RECORDS_MAX, RECORDS_MAX, 20]
    assert [run.end for run in runs[:-1]] == [run.start for run in runs[1:]]
    assert runs[-1].end == len(data)
    assert [(p.fields.guid, [line.text for line in p.lines]) for p in found] == [
        (p.fields.guid, [line.text for line in p.lines]) for p in whole
    ]
    assert len(found) == 120


def test_a_record_beyond_the_limit_is_refused_by_its_size_and_the_others_go_on() -> None:
    data = b'{"text": "a"}\n{"text": "' + b"x" * 500_000 + b'"}\n{"text": "b"}\n'
    runs = list(cut("records", io.BytesIO(data), LIMIT))

    assert [(run.records, run.error.code if run.error else "") for run in runs] == [
        (1, ""),
        (0, "input_too_large"),
        (1, ""),
    ]
    assert "500,013 bytes" in str(runs[1].error)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"Titel, Text\nund so weiter", "a.txt"),
        (b'{\n "title": "one object"\n}', "a.json"),
        ("title,text\n".encode("utf-16"), "a.csv"),
        (b"From now on the ferry sails.\n\nFrom: here\n", "a.mbox"),
    ],
)
def test_what_is_one_document_is_not_cut(head: bytes, name: str) -> None:
    assert list_kind(head, name) == ""


def test_a_cut_that_begins_anew_comes_to_the_same_parts_and_writes_none_twice(tmp_path: Path) -> None:
    claim = Claim("0" * 32, "wire", datetime(2026, 1, 1, tzinfo=UTC), (ClaimedFile(0, "a.jsonl", 0, 0),))
    work = tmp_path / WORK / claim.id
    work.mkdir(parents=True)
    (work / "0").write_bytes(JSON_LINES)
    limits = Limits(LIMIT, 10**6, 1000)
    first = list(cutting.parts(tmp_path, claim, limits, ()))
    (work / f"{first[1].id}.job").unlink()
    again = list(cutting.parts(tmp_path, claim, limits, {first[0].id}))

    assert [part.id for part in again] == [part.id for part in first]
    assert [part.is_new for part in first] == [True, True, True]
    assert [part.is_new for part in again] == [False, True, False]
    assert all(cutting.is_part(f"{part.id}/0") for part in first)
    assert cutting.read(tmp_path, f"{first[1].id}/0", LIMIT * 100).startswith(b'{"id": 50,')
