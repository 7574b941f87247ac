"""The supervisor with real processes: what it starts, restarts and leaves behind (nothing)."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from copydesk.embedded import ValkeyServer
from copydesk.errors import ServerStartError
from copydesk.supervisor import Program, RestartPolicy, State, Supervisor
from copydesk.supervisor.program import Readiness
from tests.process_table import bystander, children_of, has_ended
from tests.waiting import wait_until

DEADLINE_S = 30

WAIT = "import signal; print('up', flush=True); signal.pause()"
DEAF = (
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)\nwhile True: signal.pause()"
)


def python(name: str, script: str, *arguments: str, ready: Readiness = "up", **rest: object) -> Program:
    argv = (sys.executable, "-I", "-S", "-c", textwrap.dedent(script), *arguments)
    return Program(name, argv, ready=ready, **rest)  # type: ignore[arg-type]  # passed on


def only_pid(supervisor: Supervisor) -> int:
    (status,) = supervisor.statuses()
    assert status.pid is not None
    return status.pid


def test_output_goes_to_a_log_of_its_own_and_to_the_terminal_with_its_name(tmp_path: Path) -> None:
    terminal = io.StringIO()
    programs = [python("one", WAIT.replace("up", "first up")), python("second", WAIT.replace("up", "then up"))]

    with Supervisor(programs, log_dir=tmp_path / "logs", terminal=terminal) as supervisor:
        supervisor.wait_ready(DEADLINE_S)

    assert (tmp_path / "logs/one.log").read_text() == "first up\n"
    assert sorted(terminal.getvalue().splitlines()) == ["one    | first up", "second | then up"]


def test_a_killed_program_comes_back(tmp_path: Path) -> None:
    with Supervisor([python("worker", WAIT)], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        killed = only_pid(supervisor)
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: supervisor.statuses()[0].pid not in {None, killed}, DEADLINE_S, "another process")
        (status,) = supervisor.statuses()

    assert status.restarts == 1
    assert status.detail == "ended with status -9"


def test_a_program_that_keeps_crashing_is_given_pauses(tmp_path: Path) -> None:
    program = python("hasty", "print('tried', flush=True); raise SystemExit(1)", ready=None)

    with Supervisor([program], log_dir=tmp_path, policy=RestartPolicy(step_s=600, cap_s=600)) as supervisor:
        status = wait_until(
            lambda: next((s for s in supervisor.statuses() if s.restarts and s.state is State.BACKING_OFF), None),
            DEADLINE_S,
            "the pause after the first restart",
        )

    assert status.pid is None
    assert (tmp_path / "hasty.log").read_text() == "tried\ntried\n"


class ClosedTerminal(io.StringIO):
    """What is left of a terminal behind `| head`."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_a_terminal_that_has_gone_does_not_stop_the_programs(tmp_path: Path) -> None:
    with Supervisor([python("speaker", WAIT)], log_dir=tmp_path, terminal=ClosedTerminal()) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        os.kill(only_pid(supervisor), signal.SIGKILL)

        log = tmp_path / "speaker.log"
        wait_until(lambda: log.read_text() == "up\nup\n", DEADLINE_S, "the restart after the terminal went")


def test_a_program_whose_log_cannot_be_written_is_tried_again_and_stops_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "mute.log").mkdir()
    policy = RestartPolicy(step_s=0.05, cap_s=0.05)

    with Supervisor([python("mute", WAIT), python("fine", WAIT)], log_dir=tmp_path, policy=policy) as supervisor:
        wait_until(lambda: supervisor.statuses()[0].restarts > 1, DEADLINE_S, "more than one try")
        fine = supervisor.statuses()[1]
        (tmp_path / "mute.log").rmdir()
        supervisor.wait_ready(DEADLINE_S)

    assert fine.restarts == 0


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def test_a_program_is_ready_when_its_port_accepts(tmp_path: Path, listener: tuple[str, int]) -> None:
    with Supervisor([python("server", WAIT, ready=listener)], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)

        assert supervisor.statuses()[0].state is State.RUNNING


def test_a_program_is_ready_when_the_function_says_so(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    program = python("maker", f"open({str(sign)!r}, 'w'); {WAIT}", ready=sign.exists)

    with Supervisor([program], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)

        assert sign.exists()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (python("slow", "import time; print('thinking', flush=True); time.sleep(600)"), "not ready in time\nthinking"),
        (python("wrong", "print('--what?'); raise SystemExit(2)"), r"ended with status 2\n--what\?"),
        (
            Program("missing", ("/nowhere/program",), ready="up"),
            "status 127\nlauncher: /nowhere/program: .*No such file",
        ),
    ],
    ids=lambda value: value.name if isinstance(value, Program) else "",
)
def test_waiting_for_readiness_says_which_program_failed_and_shows_its_output(
    tmp_path: Path, program: Program, reason: str
) -> None:
    deadline_s = 1 if program.name == "slow" else DEADLINE_S

    with Supervisor([python("fine", WAIT), program], log_dir=tmp_path) as supervisor:
        with pytest.raises(ServerStartError, match=reason) as raised:
            supervisor.wait_ready(deadline_s)

        assert raised.value.subject == program.name


LAST_WORDS = """\
    import os, signal, sys, time
    name, log, others = sys.argv[1], sys.argv[2], int(sys.argv[3])
    def leave(*_):
        with open(log, "a") as said:
            said.write(name + "\\n")
        while sum(1 for _ in open(log)) < others:
            time.sleep(0.01)
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    print("up", flush=True)
    signal.pause()
"""


def test_programs_stop_in_reverse_order_and_a_group_together(tmp_path: Path) -> None:
    said = tmp_path / "said"
    programs = [
        python("queue", LAST_WORDS, "queue", str(said), "0", stop_grace_s=DEADLINE_S),
        # Each of these two leaves only after the other was asked too.
        python("worker-1", LAST_WORDS, "worker", str(said), "3", stop_grace_s=DEADLINE_S, group="worker"),
        python("worker-2", LAST_WORDS, "worker", str(said), "3", stop_grace_s=DEADLINE_S, group="worker"),
        python("door", LAST_WORDS, "door", str(said), "0", stop_grace_s=DEADLINE_S),
    ]

    with Supervisor(programs, log_dir=tmp_path / "logs") as supervisor:
        supervisor.wait_ready(DEADLINE_S)

    assert said.read_text().split() == ["door", "worker", "worker", "queue"]
    assert {status.state for status in supervisor.statuses()} == {State.STOPPED}


def test_a_program_deaf_to_its_stop_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    with Supervisor([python("deaf", DEAF, stop_grace_s=0.2)], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        pid = only_pid(supervisor)

    assert has_ended(pid)


@pytest.mark.parametrize("end", ["stopped", "crashed"])
def test_what_a_program_had_started_goes_with_it(tmp_path: Path, end: str) -> None:
    script = f"""\
        import subprocess, sys
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", {DEAF!r}], stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, "up", flush=True)
        child.wait()
    """

    with Supervisor([python("parent", script)], log_dir=tmp_path, policy=RestartPolicy(step_s=600)) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        grandchild = int((tmp_path / "parent.log").read_text().split()[0])
        if end == "stopped":
            supervisor.stop()
        else:
            os.kill(only_pid(supervisor), signal.SIGKILL)

        wait_until(lambda: has_ended(grandchild), DEADLINE_S, "the end of the grandchild")


def test_an_embedded_server_is_supervised_like_a_program_and_keeps_its_url(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")

    with Supervisor([server, python("worker", WAIT)], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        url, killed = server.url, server.pid
        with redis.Redis.from_url(url) as client:
            client.set("kept", "yes")
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda: server.pid not in {None, killed}, DEADLINE_S, "another server process")
        wait_until(lambda: supervisor.statuses()[0].state is State.RUNNING, DEADLINE_S, "it to run")
        with redis.Redis.from_url(url) as client:
            kept = client.get("kept")

    assert kept == b"yes"
    assert server.url == url
    assert not server.is_running()


def test_a_server_that_runs_already_is_taken_over(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path / "valkey")
    server.start()
    started = server.pid

    with Supervisor([server], log_dir=tmp_path) as supervisor:
        supervisor.wait_ready(DEADLINE_S)
        supervised = only_pid(supervisor)

    assert supervised == started
    assert not server.is_running()


def test_a_server_that_cannot_start_is_reported_with_its_reason(tmp_path: Path) -> None:
    broken = ValkeyServer(tmp_path / "valkey", settings={"appendfsync": "sometimes"})

    with Supervisor([broken, python("worker", WAIT)], log_dir=tmp_path) as supervisor:
        with pytest.raises(ServerStartError, match=r"valkey: ended with status 1\n(?s:.*)sometimes"):
            supervisor.wait_ready(DEADLINE_S)

        assert supervisor.statuses()[0].state is State.FAILED


FOREGROUND = """\
    import sys
    from pathlib import Path
    from copydesk.supervisor import Program, Supervisor
    grace_s, script = float(sys.argv[2]), sys.argv[3]
    programs = [
        Program(name, (sys.executable, "-I", "-S", "-c", script), ready="up", stop_grace_s=grace_s)
        for name in ("one", "two")
    ]
    supervisor = Supervisor(programs, log_dir=Path(sys.argv[1]))
    supervisor.run_forever()
    print("left in peace")
"""


@dataclass
class Foreground:
    """A process of its own that supervises two programs in its foreground."""

    process: subprocess.Popen[str]
    children: list[int]

    def end(self) -> str:
        """Wait for its end: what it has printed."""
        printed, _ = self.process.communicate(timeout=DEADLINE_S)
        return printed

    def leaves_nothing(self) -> bool:
        return len(self.children) == 2 and all(map(has_ended, self.children))


@contextlib.contextmanager
def foreground(log_dir: Path, script: str, grace_s: float) -> Iterator[Foreground]:
    """Both programs run `script` and are up."""
    logs = [log_dir / "one.log", log_dir / "two.log"]
    with bystander([sys.executable, "-c", textwrap.dedent(FOREGROUND), str(log_dir), str(grace_s), script]) as process:
        wait_until(
            lambda: all(log.exists() and "up" in log.read_text() for log in logs), DEADLINE_S, "both programs to be up"
        )
        yield Foreground(process, children_of(process.pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_foreground_loop_and_all_its_programs(tmp_path: Path, number: signal.Signals) -> None:
    with foreground(tmp_path, WAIT, grace_s=DEADLINE_S) as loop:
        loop.process.send_signal(number)

        assert loop.end().endswith("left in peace\n")
        assert loop.process.returncode == 0
        assert loop.leaves_nothing()


def test_a_second_signal_kills_without_waiting_for_the_grace(tmp_path: Path) -> None:
    with foreground(tmp_path, DEAF, grace_s=600) as loop:
        loop.process.send_signal(signal.SIGINT)
        loop.process.send_signal(signal.SIGTERM)

        assert loop.end().endswith("left in peace\n")
        assert loop.leaves_nothing()


def test_a_program_that_cannot_run_ends_the_foreground_loop(tmp_path: Path) -> None:
    programs = [python("fine", WAIT), python("wrong", "print('no such setting'); raise SystemExit(78)")]
    supervisor = Supervisor(programs, log_dir=tmp_path)

    with pytest.raises(ServerStartError, match="wrong: ended with status 78\nno such setting"):
        supervisor.run_forever()

    assert [status.state for status in supervisor.statuses()] == [State.STOPPED, State.FAILED]
    assert [status.pid for status in supervisor.statuses()] == [None, None]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")
def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    with foreground(tmp_path, DEAF, grace_s=600) as loop:
        loop.process.kill()
        loop.end()

        wait_until(loop.leaves_nothing, DEADLINE_S, "the end of both programs")
