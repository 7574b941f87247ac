"""`copydesk demo` and `copydesk up` as a new user runs them: from nothing, with every process, leaving none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.processes import ROOT, die_with_parent
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")

DEADLINE_S = 180


class Run:
    """A copydesk command whose processes are known by a mark in their environment."""

    def __init__(self, tmp_path: Path, *arguments: str, prefix: tuple[str, ...] = (), **environ: str) -> None:
        self._mark = f"COPYDESK_TEST_MARK={uuid.uuid4().hex}"
        self.output = tmp_path / f"{arguments[0]}.out"
        name, _, value = self._mark.partition("=")
        kept = {n: v for n, v in os.environ.items() if not n.startswith("COPYDESK_")}
        with self.output.open("ab") as out:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "copydesk.cli", *arguments],
                cwd=ROOT,
                env={**kept, name: value, "COLUMNS": "160", **environ},
                stdout=out,
                stderr=out,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads use the child before exec
            )

    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def processes(self) -> list[int]:
        """Every process that carries the mark, by whatever parent."""
        return [pid for pid in _pids() if self._mark.encode() in _environ(pid).split(b"\0")]

    def wait(self) -> int:
        try:
            return self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"still running after {DEADLINE_S} s:\n{self.text()}") from None


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environ(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def assert_whole_demo(run: Run) -> None:
    assert run.wait() == 0, run.text()
    assert run.processes() == []
    text = run.text()
    for name in ("000_270caa0b0e5228a9.txt", "page-lighthouse.html", "zh-harbour-museum.txt", "de-seilbahn.txt"):
        assert name in text
    assert "duplicate" in text
    assert "Please follow the news review service agreement" in text
    assert "notices/" in text
    assert "make up" in text


def test_the_demo_ends_by_itself_and_shows_what_was_removed_and_why(tmp_path: Path) -> None:
    assert_whole_demo(Run(tmp_path, "demo"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_demo_runs_as_an_ordinary_user(tmp_path: Path) -> None:
    """In a user namespace: this Python may lie where no other user of the machine can reach it."""
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    who = subprocess.run([*prefix, "id", "-u"], capture_output=True, text=True, check=False)
    if who.stdout.strip() != "1000":
        pytest.skip(f"no user namespaces here: {who.stderr.strip()}")

    assert_whole_demo(Run(tmp_path, "demo", prefix=prefix))


def test_ctrl_c_in_the_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    run = Run(tmp_path, "demo")
    wait_until(lambda: len(run.processes()) > 5, DEADLINE_S, "the demo's processes to run")
    run.process.send_signal(signal.SIGINT)

    assert run.wait() != 0
    assert run.processes() == []


def test_what_up_stores_survives_a_restart_in_the_same_data_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    story = (ROOT / "seeds" / "inbox" / "en-ferry-strike.txt").read_bytes()
    for number, folder in enumerate(("done", "duplicate")):
        run = Run(tmp_path, "up", "--embedded", COPYDESK_DATA_DIR=str(data), COPYDESK_INBOX_POLL_S="0.2")
        wait_until((data / "inbox").is_dir, DEADLINE_S, "the inbox")
        (data / "inbox" / f"story-{number}.txt").write_bytes(story)
        # The second run knows the text from the first.
        wait_until(
            lambda f=folder, n=number: list((data / "inbox" / f).rglob(f"story-{n}.txt")),  # type: ignore[misc]  # defaults bind the loop's values
            DEADLINE_S,
            f"the file in {folder}",
        )
        run.process.send_signal(signal.SIGTERM)

        assert run.wait() == 0, run.text()
        assert run.processes() == []
