"""The file protocol of the inbox on a real disk: claims, names of every kind, and a kill at each point."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from copydesk.delivery import claims
from copydesk.delivery.claims import Claim, Found
from copydesk.errors import InputTooLarge, MissingInput, SpoolUnavailable
from copydesk.queue.jobs import new_id, read_job
from services.inbox.app import group_for_jobs
from tests.integration.inbox_steps import LIMIT, NOW, claim_all, drop, files, settle


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


# --- what is taken -----------------------------------------------------------------------------------------------


def test_files_belong_to_the_source_whose_folder_they_are_in(inbox: Path) -> None:
    for name in ("root.txt", "wire/a.txt", "wire/sub/deep/b.txt", "Wire 2/c.txt"):
        drop(inbox, name)

    assert {(f.source, f.name, f.size) for f in claims.scan(inbox)} == {
        ("inbox", "root.txt", 4),
        ("wire", "a.txt", 4),
        ("wire", "sub/deep/b.txt", 4),
        ("Wire 2", "c.txt", 4),
    }


def test_unfinished_names_reserved_folders_and_links_are_passed_over(inbox: Path, tmp_path: Path) -> None:
    for name in (".hidden", "a.part", "a.TMP", "wire/.b", "wire/c.tmp", "wire/.git/d", ".work/x/0"):
        drop(inbox, name)
    for name in ("done", "duplicate", "rejected", "dead"):
        drop(inbox, f"{name}/wire/2026-03-01/e.txt")
    secret = drop(tmp_path, "outside/secret.txt")
    (inbox / "wire" / "link.txt").symlink_to(secret)
    (inbox / "wire" / "gone.txt").symlink_to("nowhere")
    (inbox / "linked").symlink_to(secret.parent)
    (inbox / "wire" / "folder").symlink_to(secret.parent)
    os.mkfifo(inbox / "wire" / "pipe.txt")
    drop(inbox, "wire/done/a.txt")

    assert [f.name for f in claims.scan(inbox)] == ["done/a.txt"]


def test_a_folder_nested_without_end_is_no_crash() -> None:
    inbox = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        descriptor = os.open(inbox, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d", dir_fd=descriptor)
            deeper = os.open("d", os.O_RDONLY, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = deeper
        os.close(descriptor)
        drop(inbox, "wire/a.txt")
        found = [f.name for f in claims.scan(inbox)]
    finally:
        subprocess.run(["rm", "-rf", inbox], check=True)  # shutil recurses as well

    assert found == ["a.txt"]


def test_an_inbox_that_is_not_there_is_an_error_of_ours(inbox: Path) -> None:
    with pytest.raises(SpoolUnavailable):
        list(claims.scan(inbox / "no"))


# --- what a ref gives --------------------------------------------------------------------------------------------


def test_a_ref_gives_the_claimed_bytes_up_to_the_limit(inbox: Path) -> None:
    drop(inbox, "wire/a.txt", b"x" * LIMIT)
    drop(inbox, "wire/b.txt", b"x" * (LIMIT + 1))
    drop(inbox, "wire/c.txt", b"")
    claim = claim_all(inbox)
    refs = {file.name: f"{claim.id}/{file.number}" for file in claim.files}

    assert claims.read(inbox, refs["a.txt"], LIMIT) == b"x" * LIMIT
    assert claims.read(inbox, refs["c.txt"], LIMIT) == b""
    with pytest.raises(InputTooLarge, match="1,001 bytes"):
        claims.read(inbox, refs["b.txt"], LIMIT)


@pytest.mark.parametrize("ref", ["{id}/7", "nosuchclaim/0", "{id}", "{id}/link", "{id}/pipe", "{id}/folder"])
def test_a_ref_of_nothing_readable_is_missing_and_not_waited_for(inbox: Path, ref: str) -> None:
    secret = drop(inbox.parent, "secret.txt", b"secret")
    drop(inbox, "wire/a.txt")
    claim = claim_all(inbox)
    folder = inbox / ".work" / claim.id
    (folder / "link").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()

    with pytest.raises(MissingInput):
        claims.read(inbox, ref.format(id=claim.id), LIMIT)


@pytest.mark.parametrize("ref", ["../secret", "a/../../secret", "/etc/passwd", "a//0", "A/0", "a/0/0", "a/00000"])
def test_a_ref_that_leaves_its_place_is_no_job(ref: str) -> None:
    with pytest.raises(Exception, match="ref"):
        read_job({"v": 1, "items": [{"id": "a", "ref": ref}]}, task_id="t", now=NOW)


# --- a kill at each point ----------------------------------------------------------------------------------------


def _restart(inbox: Path) -> tuple[set[str], set[bytes]]:
    """What a new process finds: files still to be claimed, and the content of files that are claimed."""
    waiting = {f.name for f in claims.scan(inbox)}
    claimed = {
        claims.read(inbox, f"{claim.id}/{file.number}", LIMIT)
        for claim in claims.outstanding(inbox)
        for file in claim.files
    }
    return waiting, claimed


class _KilledError(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("point", ["mkdir", "manifest", "first rename", "second rename", "sync"])
def test_a_kill_while_claiming_loses_no_file(inbox: Path, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        drop(inbox, f"wire/{name}", name.encode())
    found = sorted(claims.scan(inbox), key=lambda f: f.name)
    renames = 0
    rename, write = Path.rename, claims._write_manifest

    def rename_or_die(self: Path, target: Any) -> Any:
        nonlocal renames
        renames += 1
        if (point, renames) in {("first rename", 1), ("second rename", 2)}:
            raise _KilledError
        return rename(self, target)

    def write_or_die(folder: Path, taken: Claim) -> None:
        if point == "manifest":
            (folder / claims.MANIFEST).write_bytes(b'{"source": "wi')
        if point in ("mkdir", "manifest"):
            raise _KilledError
        write(folder, taken)

    def sync_or_die(folder: Path) -> None:
        if point == "sync" and renames == 3:
            raise _KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename_or_die)
        patched.setattr(claims, "_write_manifest", write_or_die)
        patched.setattr(claims, "sync_folder", sync_or_die)
        with pytest.raises(_KilledError):
            claims.claim(inbox, found, claim_id="killed", received_at=NOW)
    waiting, claimed = _restart(inbox)

    moved = {"second rename": 1, "sync": 3}.get(point, 0)
    assert waiting == set("abc"[moved:])
    assert claimed == {n.encode() for n in "abc"[:moved]}
    assert (inbox / ".work" / "killed").exists() is bool(moved)


@pytest.mark.parametrize("point", ["half an outcome", "outcome", "rename", "between files", "discard"])
def test_a_kill_while_settling_ends_each_file_once(inbox: Path, point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt"):
        drop(inbox, f"wire/{name}", name.encode())
    claim = claim_all(inbox)
    settled = 0
    rename, write = Path.rename, Path.write_bytes

    def rename_or_die(self: Path, target: Any) -> Any:
        nonlocal settled
        if (point, settled) in {("outcome", 0), ("rename", 1), ("between files", 2)}:
            raise _KilledError
        settled += 1
        return rename(self, target)

    def write_or_die(self: Path, data: bytes) -> int:
        if point == "half an outcome":
            write(self, data[: len(data) // 2])
            raise _KilledError
        return write(self, data)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", rename_or_die)
        patched.setattr(Path, "write_bytes", write_or_die)
        if point == "discard":
            patched.setattr(claims, "discard_claim", lambda *_: (_ for _ in ()).throw(_KilledError()))
        with pytest.raises(_KilledError):
            settle(inbox, claim)
    for left in claims.outstanding(inbox):
        settle(inbox, left)

    day = "done/wire/2026-03-01/"
    assert files(inbox) == {f"{day}{n}{e}" for n in ("a.txt", "b.txt") for e in ("", ".outcome.json")}
    assert claims.outstanding(inbox) == []
    assert list((inbox / ".work").iterdir()) == []


def test_a_disk_that_is_full_amid_an_outcome_moves_no_file_to_another_name(inbox: Path) -> None:
    drop(inbox, "wire/a.txt", b"a")
    claim = claim_all(inbox)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5, hard))
    try:
        with pytest.raises(SpoolUnavailable):
            settle(inbox, claim)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    settle(inbox, claim)

    assert files(inbox) == {f"done/wire/2026-03-01/a.txt{ending}" for ending in ("", ".outcome.json")}


@pytest.mark.parametrize(
    "manifest", [None, b"", b"{", b"[]", b'{"source": "wire"}', b'{"source":"wire","received_at":"x","files":[]}']
)
def test_a_file_whose_manifest_is_damaged_is_never_deleted(inbox: Path, manifest: bytes | None) -> None:
    drop(inbox, "wire/a.txt", b"precious")
    claim = claim_all(inbox)
    path = inbox / ".work" / claim.id / claims.MANIFEST
    path.unlink() if manifest is None else path.write_bytes(manifest)

    assert claims.outstanding(inbox) == []
    claims.discard_claim(inbox, claim.id)
    assert (inbox / ".work" / claim.id / "0").read_bytes() == b"precious"


def test_claims_are_found_again_oldest_first(inbox: Path) -> None:
    for n, name in enumerate("abc"):
        drop(inbox, f"wire/{name}")
        found = list(claims.scan(inbox))
        claims.claim(inbox, found, claim_id=f"id{n}", received_at=NOW.replace(hour=10 - n))

    assert [claim.id for claim in claims.outstanding(inbox)] == ["id2", "id1", "id0"]
    assert claims.load(inbox, "id1") == claims.outstanding(inbox)[1]


# --- what changes under our hands --------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["longer", "same size", "replaced by a link"])
def test_a_file_written_to_while_it_is_claimed_is_offered_again_as_it_is(inbox: Path, change: str) -> None:
    path = drop(inbox, "wire/a.txt", b"half")
    os.utime(path, ns=(1, 1))
    with path.open("r+b") as writer:
        claim = claim_all(inbox)
        file = claim.files[0]
        assert not claims.is_changed(inbox, claim.id, file)
        work = inbox / ".work" / claim.id / "0"
        if change == "replaced by a link":
            work.unlink()
            work.symlink_to(inbox)
        else:
            writer.write(b"half and half" if change == "longer" else b"HALF")
            writer.flush()

    assert claims.is_changed(inbox, claim.id, file)
    again = claims.offer_again(inbox, claim, file, claim_id="again", received_at=NOW)
    assert again is not None
    assert (again.source, again.files[0].name) == ("wire", "a.txt")
    assert not claims.is_changed(inbox, "again", again.files[0])
    claims.discard_claim(inbox, claim.id)
    assert [c.id for c in claims.outstanding(inbox)] == ["again"]


def test_files_that_went_before_they_were_claimed_are_no_error(inbox: Path) -> None:
    drop(inbox, "wire/a.txt")
    gone = drop(inbox, "wire/b.txt")
    found = list(claims.scan(inbox))
    gone.unlink()
    claim = claims.claim(inbox, found, claim_id="one", received_at=NOW)
    assert claim is not None
    assert [f.name for f in claim.files] == ["a.txt"]
    settle(inbox, claim)
    shutil.rmtree(inbox / "wire")

    assert claims.claim(inbox, found, claim_id="two", received_at=NOW) is None
    assert list((inbox / ".work").iterdir()) == []


def test_one_file_that_cannot_be_moved_does_not_hold_the_others(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source's folder may be a mount of its own; what was moved before the refusal must not be forgotten."""
    for name in ("a", "b", "c"):
        drop(inbox, f"wire/{name}", name.encode())
    rename = Path.rename

    def refuse(self: Path, target: Any) -> Any:
        if self.name == "b":
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    claim = claim_all(inbox)
    assert {f.name for f in claim.files} == {"a", "c"}
    with pytest.raises(SpoolUnavailable, match="cross-device"):
        claim_all(inbox)

    assert (inbox / "wire" / "b").read_bytes() == b"b"
    assert [c.id for c in claims.outstanding(inbox)] == [claim.id]
    assert len(list((inbox / ".work").iterdir())) == 1


# --- rights ------------------------------------------------------------------------------------------------------


@pytest.fixture
def as_user() -> Iterator[Path]:
    """An inbox of an ordinary user, and this process as one; root may read everything."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    is_root = os.geteuid() == 0
    (folder / "inbox").mkdir()
    if is_root:
        os.chown(folder, 65534, 65534)
        os.chown(folder / "inbox", 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder / "inbox"
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_what_may_not_be_read_is_left_and_the_rest_goes_on(as_user: Path) -> None:
    drop(as_user, "wire/a.txt")
    closed = drop(as_user, "closed/b.txt").parent
    no_entry = drop(as_user, "wire/inner/c.txt").parent
    closed.chmod(0o000)
    no_entry.chmod(0o000)
    found = [f.name for f in claims.scan(as_user)]
    closed.chmod(0o700)
    no_entry.chmod(0o700)

    assert found == ["a.txt"]


def test_a_claimed_file_that_may_not_be_read_is_told_and_not_waited_for(as_user: Path) -> None:
    drop(as_user, "wire/a.txt").chmod(0o000)
    claim = claim_all(as_user)

    with pytest.raises(MissingInput, match="Permission denied"):
        claims.read(as_user, f"{claim.id}/0", LIMIT)


def test_a_folder_that_may_not_be_written_keeps_its_files(as_user: Path) -> None:
    folder = drop(as_user, "wire/a.txt").parent
    folder.chmod(0o500)
    found = list(claims.scan(as_user))
    with pytest.raises(SpoolUnavailable):
        claims.claim(as_user, found, claim_id="x", received_at=NOW)
    folder.chmod(0o700)

    assert (folder / "a.txt").exists()
    assert list((as_user / ".work").iterdir()) == []


# --- how files become jobs ---------------------------------------------------------------------------------------


def _found(source: str, size: int, mtime_ns: int) -> Found:
    return Found(Path(f"/inbox/{source}/{mtime_ns}"), source, str(mtime_ns), size, mtime_ns)


def test_files_become_jobs_by_source_number_and_bytes_oldest_first() -> None:
    mib = 1024 * 1024
    files = [_found("a", 10, 100 - n) for n in range(60)]
    files += [_found("b", 3 * mib, 1000), _found("b", 3 * mib, 999), _found("b", 10, 1001)]
    groups = group_for_jobs(files)

    assert [[f.source for f in g] == [g[0].source] * len(g) for g in groups] == [True] * 4
    assert [len(g) for g in groups] == [50, 10, 1, 2]
    assert all([f.mtime_ns for f in g] == sorted(f.mtime_ns for f in g) for g in groups)
    assert sum(len(g) for g in groups) == len(files)


def test_ids_of_jobs_sort_by_time_and_fit_a_ref() -> None:
    ids = [new_id() for _ in range(3)]

    assert len(set(ids)) == 3
    assert ids[0][:12] <= ids[2][:12]
    assert read_job({"v": 1, "items": [{"id": "a", "ref": f"{ids[0]}/0"}]}, task_id="t", now=NOW)
