"""What a bulk run takes in: the list of its files, and the documents behind any place in it."""

from __future__ import annotations

import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from copydesk.delivery import bulk_inputs
from copydesk.delivery.bulk_inputs import Document, Place, documents, write_list
from copydesk.errors import FetchSoft, UsageError
from copydesk.fetching import Fetched, Validators
from copydesk.formats.members import Limits

LIMITS = Limits(10_000, 1_000_000, 1_000_000)
BODY = Fetched("https://example.org/end", 200, True, b"A page.", "", Validators(), "text/html", None, 0.0, None)


def fetch(url: str) -> Fetched:
    if url.endswith("/gone"):
        raise FetchSoft(url, "not found", status=404)
    return BODY


def listed(tmp_path: Path, *given: str | Path) -> Path:
    target = tmp_path / "list"
    write_list(target, [str(one) for one in given])
    return target


def read(target: Path, start: Place = Place()) -> list[tuple[Document, Place]]:  # noqa: B008 - frozen
    return list(documents(target, start, LIMITS, fetch))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two texts, a list of 120 records, an archive of two, and what is passed over."""
    found = tmp_path / "in"
    (found / "b").mkdir(parents=True)
    (found / "b" / "two.txt").write_text("Two.")
    (found / "a.txt").write_text("One.")
    for name in (".hidden", "half.part", "b/half.tmp"):
        (found / name).write_text("Not yet.")
    (found / "link.txt").symlink_to(found / "a.txt")
    os.mkfifo(found / "pipe")
    records = "".join(json.dumps({"id": n, "text": f"Text {n}."}) + "\n" for n in range(120))
    (found / "c.jsonl.gz").write_bytes(gzip.compress(records.encode()))
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x/one.txt", "Three.")
        archive.writestr("x/two.txt", "Four.")
    (found / "d.zip").write_bytes(data.getvalue())
    return found


def test_a_folder_means_its_files_by_name_and_nothing_unfinished(tmp_path: Path, folder: Path) -> None:
    found = read(listed(tmp_path, folder))

    names = [document.member.position for document, _ in found]
    assert names[0] == "a.txt"
    assert names[1] == "b/two.txt"
    assert [name.partition(":")[0] for name in names[2:5]] == ["c.jsonl.gz"] * 3
    assert names[5:] == ["d.zip!x/one.txt", "d.zip!x/two.txt"]
    assert [document.member.records for document, _ in found] == [1, 1, 50, 50, 20, 1, 1]
    assert found[-1][1].inputs == 4
    assert (folder / "a.txt").read_text() == "One.", "nothing is moved"


def test_from_each_place_the_rest_is_the_same(tmp_path: Path, folder: Path) -> None:
    target = listed(tmp_path, folder)
    whole = read(target)

    for number, (_, place) in enumerate(whole):
        assert read(target, place) == whole[number + 1 :]


@pytest.mark.parametrize("at_once", [1, 3])
def test_large_folders_are_sorted_in_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(10):
        (folder / f"{number}.txt").write_text("A text.")
    monkeypatch.setattr(bulk_inputs, "SORTED_AT_ONCE", at_once)

    names = [document.hints.filename for document, _ in read(listed(tmp_path, folder))]

    assert sorted(map(str, names)) == [f"{number}.txt" for number in range(10)]


def test_what_cannot_be_read_is_refused_and_the_next_goes_on(tmp_path: Path, folder: Path) -> None:
    empty, large = folder / "e.zip", folder / "f.txt"
    empty.write_bytes(b"PK\x05\x06" + bytes(18))
    large.write_bytes(b"x" * 10_001)
    target = listed(tmp_path, folder / "a.txt", empty, large, "https://example.org/gone", folder / "b" / "two.txt")
    (folder / "a.txt").unlink()

    errors = [document.member.error and document.member.error.code for document, _ in read(target)]

    assert errors == ["missing_input", "empty_input", "input_too_large", "missing_input", None]


def test_an_address_is_fetched_when_its_turn_comes(tmp_path: Path) -> None:
    ((document, place),) = read(listed(tmp_path, "https://example.org/start"))

    assert document.member.data == b"A page."
    assert (document.hints.url, document.hints.media_type) == ("https://example.org/end", "text/html")
    assert place.inputs == 1


def test_a_list_that_changed_while_it_was_half_taken_in_is_no_base_to_go_on(tmp_path: Path, folder: Path) -> None:
    target = listed(tmp_path, folder / "c.jsonl.gz")
    place = read(target)[0][1]
    (folder / "c.jsonl.gz").write_bytes(gzip.compress(b'{"text": "Other."}\n{"text": "Texts."}\n'))

    with pytest.raises(UsageError, match="changed"):
        read(target, place)


def test_a_path_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        write_list(tmp_path / "list", [str(tmp_path / "nowhere")])


@pytest.mark.parametrize("name", ["caf\udce9.txt", "日本.txt", "a:b.txt", "1:x.txt", " .txt"])
def test_any_name_comes_back_from_the_list(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / name).write_text("A text.")

    ((document, _),) = read(listed(tmp_path, folder))

    assert document.member.data == b"A text."
