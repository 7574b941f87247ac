"""What a run on containers promises: it says so where there is no engine, and leaves nothing behind where there is."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import docker
import pytest
from docker.client import DockerClient

from tests import containers
from tests.processes import ROOT
from tests.waiting import wait_until

RUN = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--servers=containers"]

# Not those of the run that this test is in: a worker of it would be taken for one of the new run.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


@pytest.fixture
def engine() -> Iterator[DockerClient]:
    fault = containers.engine_fault()
    if fault:
        pytest.skip(f"no Docker engine answers: {fault}")
    with contextlib.closing(docker.from_env()) as client:
        yield client


@pytest.mark.parametrize(("wanted", "status"), [("", 0), ("required", 1)])
def test_without_an_engine_it_says_that_nothing_was_run(wanted: str, status: int) -> None:
    done = subprocess.run(
        [*RUN, "tests/integration/test_server_fixtures.py"],
        cwd=ROOT,
        env=ENVIRONMENT | {"DOCKER_HOST": "unix:///nowhere/docker.sock", "COPYDESK_TEST_DOCKER": wanted},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert "NOT RUN on redis:8 and postgres:17: no Docker engine answers" in done.stdout + done.stderr
    assert done.returncode == status


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_early_leaves_no_container(engine: DockerClient, how: signal.Signals) -> None:
    with subprocess.Popen(
        [*RUN, "tests/integration/test_server_fixtures.py"], cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL
    ) as process:
        label = {"label": f"{containers.LABEL}={containers.run_name(process.pid)}"}
        wait_until(lambda: engine.containers.list(filters=label), 60, "a container of the run")
        process.send_signal(how)
        status = process.wait(60)

    assert status == pytest.ExitCode.INTERRUPTED
    assert engine.containers.list(all=True, filters=label) == []


@pytest.mark.slow
def test_what_a_killed_run_left_goes_with_the_next_one(engine: DockerClient) -> None:
    with subprocess.Popen(["sleep", "0"]) as ended:
        ended.wait()
    left = containers.redis_container(containers.run_name(ended.pid))
    left.start()
    with containers.redis_container(containers.run_name(os.getpid())):
        containers.remove(containers.is_gone)
        found = {
            run: engine.containers.list(filters={"label": f"{containers.LABEL}={run}"}, ignore_removed=True)
            for run in (containers.run_name(ended.pid), containers.run_name(os.getpid()))
        }

    assert [len(those) for those in found.values()] == [0, 1]
