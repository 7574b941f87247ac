"""What happens to files and their disk: full, read-only, slow and half-written files, names, links, many at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from copydesk.delivery.claims import printable
from copydesk.queue.streams import ARTICLES
from tests.entries import story
from tests.faults.driver import Run
from tests.faults.postgres_faults import fill
from tests.faults.process_faults import LASTS_S
from tests.waiting import wait_until

MANY = int(os.environ.get("COPYDESK_TEST_FAULT_FILES", "2000"))

NAMES = (b"caf\xe9", b"\xff\xfe", b"new\nline", b"-rf", b"a b;c", b"\xf0\x9f\x97\x9e", b"x" * 250)


# --- the disk ------------------------------------------------------------------------------------------------------


def disk_full(run: Run) -> None:
    """Inbox and spool take no byte more."""
    fillers = [disk / ".filler" for disk in run.disks]
    try:
        for filler in fillers:
            fill(filler)
        run.last(LASTS_S)
    finally:
        for filler in fillers:
            filler.unlink()


def disk_read_only(run: Run) -> None:
    """As after an error of the disk: nothing is written, renamed or deleted."""
    try:
        for disk in run.disks:
            # Refused while somebody has a file open to write.
            wait_until(lambda disk=disk: _remount(disk, "ro"), 20, "nobody writes")
        run.last(LASTS_S)
    finally:
        for disk in run.disks:
            _remount(disk, "rw")


def _remount(place: Path, how: str) -> bool:
    command = ["mount", "-o", f"remount,{how}", str(place)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


# --- how files come --------------------------------------------------------------------------------------------------


def written_slowly(run: Run) -> None:
    """In their place and under their name, a piece a second, by senders who keep them open."""
    numbers = range(9_000_000, 9_000_004)
    files = []
    for n in numbers:
        path = run.stack.inbox / "wire" / f"slow{n}.txt"
        files.append((path.open("wb", buffering=0), story(n).encode()))
        run.expected[path.name] = "stored"
    pieces = 4
    for piece in range(pieces):
        for file, data in files:
            file.write(data[len(data) * piece // pieces : len(data) * (piece + 1) // pieces])
        run.last(LASTS_S / pieces)
    for file, _ in files:
        file.close()
    run.demands.append(lambda: _not_whole(run, {f"slow{n}.txt": n for n in numbers}))


def finished_while_claimed(run: Run) -> None:
    """Half of a file stands still for so long that it is taken for whole; the rest comes while it is on its way."""
    n = 9_100_000
    data = story(n).encode()
    path = run.stack.inbox / "wire" / f"half{n}.txt"
    client = run.stack.redis()
    os.kill(run.stack.pid("storage"), signal.SIGSTOP)
    try:
        with path.open("wb", buffering=0) as file:
            file.write(data[: len(data) // 2])
            wait_until(
                lambda: any(path.name.encode() in fields[b"d"] for _, fields in client.xrange(ARTICLES)),
                60,
                "the half is read",
            )
            file.write(data[len(data) // 2 :])
    finally:
        os.kill(run.stack.pid("storage"), signal.SIGCONT)
    run.expected[path.name] = "revised"
    run.also[path.name] = "stored"
    run.demands.append(lambda: _not_whole(run, {path.name: n}))
    run.last(LASTS_S / 2)


def deleted_while_claimed(run: Run) -> None:
    """The file is gone before its text was read; its neighbours are not."""
    os.kill(run.stack.pid("ingest"), signal.SIGSTOP)
    try:
        name = "deleted-9200000"
        run.stack.drop(f"wire/{name}", story(9_200_000))
        work = run.stack.inbox / ".work"
        claim = wait_until(
            lambda: next((m.parent for m in work.glob("*/claim.json") if name in m.read_text()), None),
            30,
            "the file is claimed",
        )
        files = json.loads((claim / "claim.json").read_text())["files"]
        (number,) = (file["n"] for file in files if file["name"] == name)
        # Before that it would be a file that its sender took back.
        wait_until(lambda: claim.name in run.stack.log("inbox"), 20, "the claim is offered")
        (claim / str(number)).unlink()
    finally:
        os.kill(run.stack.pid("ingest"), signal.SIGCONT)
    run.expected[f"{claim.name}/{number}"] = "rejected"
    run.last(LASTS_S / 2)


def same_name_twice(run: Run) -> None:
    """Another story under the name of one that is on its way: tomorrow's file of that name."""
    name = "same"
    run.told.add(name)
    for n in range(3):
        path = run.stack.inbox / "wire" / name
        run.stack.drop(f"wire/{name}", story(9_300_000 + n))
        wait_until(lambda path=path: not path.exists(), 30, "it is claimed")
    run.last(LASTS_S / 2)
    query = "select count(*) from revision where name = 'same' and number = 1"
    run.demands.append(lambda: iter(() if run.stack.rows(query) == [(3,)] else ("three stories of one name",)))


def names_in_any_bytes(run: Run) -> None:
    for n, name in enumerate(NAMES):
        path = os.fsdecode(name)
        run.stack.inbox.joinpath("wire").mkdir(exist_ok=True)
        temporary = run.stack.inbox / "wire" / f".{n}.writing"
        temporary.write_text(story(9_400_000 + n))
        temporary.rename(run.stack.inbox / "wire" / path)
        run.expected[printable(path)] = "stored"
    run.last(LASTS_S / 2)


def links_and_forbidden_folders(run: Run) -> None:
    """Links are passed over, a folder that gives nothing away stops nobody."""
    outside = run.stack.folder / "outside"
    outside.mkdir(exist_ok=True)
    (outside / "secret").write_text(story(9_500_000))
    link, folder_link = run.stack.inbox / "wire" / "link", run.stack.inbox / "linked"
    link.symlink_to(outside / "secret")
    folder_link.symlink_to(outside)
    closed = run.stack.inbox / "closed"
    closed.mkdir()
    (closed / "inside").write_text(story(9_500_001))
    _close(closed)
    try:
        run.last(LASTS_S)
        stayed = link.is_symlink() and folder_link.is_symlink() and (outside / "secret").exists()
    finally:
        _open(closed)
        link.unlink(missing_ok=True)
        folder_link.unlink(missing_ok=True)
    assert stayed
    run.expected["inside"] = "stored"


def _close(folder: Path) -> None:
    """For root, who may do anything in a folder without rights, by the mark that nothing in it may change."""
    if os.geteuid():
        folder.chmod(0)
    else:
        subprocess.run(["chattr", "+i", str(folder)], check=False, capture_output=True)


def _open(folder: Path) -> None:
    if os.geteuid():
        folder.chmod(0o755)
    else:
        subprocess.run(["chattr", "-i", str(folder)], check=False, capture_output=True)


def many_at_once(run: Run) -> None:
    """All of them lie there before the inbox looks."""
    os.kill(run.stack.pid("inbox"), signal.SIGSTOP)
    folder = run.stack.inbox / "many"
    folder.mkdir()
    try:
        for n in range(MANY):
            (folder / f"m{n}").write_text(story(10_000_000 + n))
    finally:
        os.kill(run.stack.pid("inbox"), signal.SIGCONT)
    began = time.monotonic()
    query = "select count(*) from receipt where source = 'many' and outcome = 'stored'"

    def are_stored() -> bool:
        run.tend()
        return run.stack.rows(query) == [(MANY,)]

    run.told |= {f"m{n}" for n in range(MANY)}
    wait_until(are_stored, 60 + MANY / 25, f"{MANY} files; {run.stack.tail()}", every_s=1)
    print(f"  {MANY} files: {MANY / (time.monotonic() - began):.0f} a second")


def _not_whole(run: Run, wanted: dict[str, int]) -> Iterator[str]:
    """Files whose last revision is not the whole story."""
    for name, n in wanted.items():
        end = story(n).split()[-1]
        found = run.stack.rows("select body from revision where name = %s order by number desc limit 1", name)
        if not found or end not in str(found[0][0]):
            yield f"{name} is not whole"
