"""Files of any name go through the inbox and end under it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from copydesk.delivery import claims
from copydesk.queue.jobs import new_id, payload_of, read_job
from tests.integration.inbox_steps import LIMIT, NOW, claim_all, drop, files, settle


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


NAMES: dict[str, bytes] = {
    "255 bytes": b"a" * 251 + b".txt",
    "255 bytes of Chinese": "新闻".encode() * 41 + b"xxxxx.txt",
    "one long suffix": b"a." + b"b" * 253,
    "no UTF-8": b"caf\xe9 \xff.txt",
    "line break": b"a\nb.txt",
    "control characters": b"\x01\x7f\x1b[31m.txt",
    "backslash": b"a\\xe9.txt",
    "emoji": "🗞.txt".encode(),
    "blank": b" ",
    "looks like an option": b"-rf",
    "no suffix": b"README",
    "suffix only after dots": b"a..txt",
    "as an outcome file": b"b.txt.outcome.json",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES.keys())
@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_file_of_any_name_goes_all_the_way_and_ends_under_it(inbox: Path, name: bytes, where: str) -> None:
    relative = b"wire/" + name if where == "file" else name + b"/a.txt"
    drop(inbox, relative)
    claim = claim_all(inbox)
    job = read_job(json.loads(json.dumps(payload_of(claim.job()))), task_id="t", now=NOW)
    data = claims.read(inbox, job.items[0].ref or "", LIMIT)
    (place,) = settle(inbox, claim)

    assert data == b"text"
    assert os.fsencode(place) == os.fsencode(inbox) + b"/done/" + relative.replace(b"/", b"/2026-03-01/")
    assert place.read_bytes() == b"text"
    assert len(files(inbox)) == 2, "the file and its outcome, and nothing left in .work"


@pytest.mark.parametrize("name", [n for n in NAMES.values() if len(n) > 200], ids=lambda n: f"{len(n)} bytes")
def test_long_names_find_a_place_however_often_they_come(inbox: Path, name: bytes) -> None:
    places = set()
    for n in range(3):
        drop(inbox, b"wire/" + name, b"text %d" % n)
        places |= set(settle(inbox, claim_all(inbox)))

    assert sorted(p.read_bytes() for p in places) == [b"text 0", b"text 1", b"text 2"]
    assert len(files(inbox)) == 6
    assert all(len(os.fsencode(n)) <= 255 for p in files(inbox) for n in p.split("/"))
    if b"\xe6" in name:
        assert all(os.fsencode(p).decode() for p in files(inbox)), "cut between letters"


def test_sources_of_strange_names_are_told_apart(inbox: Path) -> None:
    folders = [b"\xff" * 200, b"\xff" * 199 + b"\xfe", b"a\nb", b"a\tb", "新".encode() * 85]
    for folder in folders:
        drop(inbox, folder + b"/a.txt")
    sources = {
        claim.job().source
        for f in claims.scan(inbox)
        if (claim := claims.claim(inbox, [f], claim_id=new_id(), received_at=NOW))
    }

    assert len(sources) == len(folders)


def test_the_same_name_twice_on_one_day_stands_twice(inbox: Path) -> None:
    for text in (b"one", b"two"):
        drop(inbox, "wire/a.txt", text)
        settle(inbox, claim_all(inbox))
    day = inbox / "done/wire/2026-03-01"

    assert sorted(p.read_bytes() for p in day.glob("a*.txt")) == [b"one", b"two"]
    assert len(list(day.glob("*.outcome.json"))) == 2


def test_a_file_that_is_named_as_an_outcome_is_not_written_over(inbox: Path) -> None:
    drop(inbox, "wire/a.txt.outcome.json", b"mine")
    settle(inbox, claim_all(inbox))
    drop(inbox, "wire/a.txt", b"text")
    (place,) = settle(inbox, claim_all(inbox))

    day = inbox / "done/wire/2026-03-01"
    assert (day / "a.txt.outcome.json").read_bytes() == b"mine"
    assert place.read_bytes() == b"text"
    assert json.loads(place.with_name(place.name + ".outcome.json").read_text())


def test_a_name_that_was_a_file_may_be_a_folder_the_next_time(inbox: Path) -> None:
    drop(inbox, "wire/a", b"file")
    settle(inbox, claim_all(inbox))
    drop(inbox, "wire/a/b.txt", b"in a folder")
    (below,) = settle(inbox, claim_all(inbox))
    drop(inbox, "wire/c/d", b"in a folder")
    settle(inbox, claim_all(inbox))
    shutil.rmtree(inbox / "wire")
    drop(inbox, "wire/c", b"file")
    (beside,) = settle(inbox, claim_all(inbox))

    assert (below.name, below.read_bytes()) == ("b.txt", b"in a folder")
    assert beside.read_bytes() == b"file"
    assert (inbox / "done/wire/2026-03-01/a").read_bytes() == b"file"
    assert (inbox / "done/wire/2026-03-01/c/d").read_bytes() == b"in a folder"
