"""What stands in the spool under a job's name and is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from copydesk.delivery import spool
from copydesk.errors import MissingInput


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
