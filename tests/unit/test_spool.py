"""What the spool does about a disk that takes no more, and about what has a job's name and is none."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from copydesk.delivery import spool
from copydesk.errors import MissingInput, SpoolUnavailable
from copydesk.models import Hints
from tests.entries import NOON


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(os.mkfifo, id="a pipe, which would keep its reader waiting"),
        pytest.param(lambda path: path.symlink_to("/etc/hostname"), id="a link"),
        pytest.param(lambda path: path.mkdir(), id="a folder"),
        pytest.param(lambda path: path.write_bytes(b"half of a jo"), id="half of a job"),
        pytest.param(lambda path: None, id="nothing"),
    ],
)
def test_what_is_no_spooled_job_is_passed_over_at_once(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "job1.job")

    assert spool.load(tmp_path, "job1") is None
    with pytest.raises(MissingInput):
        spool.read(tmp_path, "job1/0", 100)


def accept(folder: Path, body: bytes) -> None:
    with spool.SpoolWriter(folder, "job1") as writer:
        writer.write(body)
        writer.end_item("1", "", Hints(), None)
        writer.commit(source="web", kind="http", origin=None, received_at=NOON)


def test_a_disk_that_takes_no_more_is_told_as_such_and_nothing_is_left(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(SpoolUnavailable):
            accept(tmp_path, b"x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(tmp_path.iterdir()) == []
