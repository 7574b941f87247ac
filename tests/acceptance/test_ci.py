"""What CI runs comes to its two commands whatever becomes of the Docker engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import ROOT

FAILS = "#!/bin/sh\nexit 1\n"
WORKS = "#!/bin/sh\nexit 0\n"
STARTS = '#!/bin/sh\ntouch "$(dirname "$0")/../../up"\n'
AFTER_THE_START = '#!/bin/sh\ntest -e "$(dirname "$0")/../up"\n'


@pytest.mark.parametrize(
    ("docker", "engine", "said"),
    [
        pytest.param(WORKS, FAILS, "", id="an engine answers"),
        pytest.param(None, None, "no Docker engine answers: what needs containers is not run", id="no docker"),
        pytest.param(FAILS, None, "no Docker engine answers: what needs containers is not run", id="no tool"),
        pytest.param(FAILS, FAILS, "the engine did not start (status 1)", id="the tool fails"),
        pytest.param(AFTER_THE_START, STARTS, "", id="the tool starts one"),
    ],
)
def test_the_checks_and_the_suite_run(tmp_path: Path, docker: str | None, engine: str | None, said: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "shared" / "tools").mkdir(parents=True)
    for name in ("bash", "dirname", "sh", "timeout", "touch"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    make = '#!/bin/sh\necho "make $*"\n'
    for path, script in (("bin/make", make), ("bin/docker", docker), ("shared/tools/docker-engine", engine)):
        if script is not None:
            (tmp_path / path).write_text(script, encoding="utf-8")
            (tmp_path / path).chmod(0o755)

    done = subprocess.run(
        [ROOT / ".ci" / "run"],
        env={"PATH": str(tmp_path / "bin"), "COPYDESK_SHARED": os.fspath(tmp_path / "shared")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.splitlines()[-3:] == ["make check", "make audit", "make test"]
    assert said in done.stderr
    assert bool(done.stderr) is bool(said)
