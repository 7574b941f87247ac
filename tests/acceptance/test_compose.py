"""The stack in containers, for real: built, fed through its doors, restarted, taken down and brought up again.

Skipped where no Docker engine answers; COPYDESK_TEST_DOCKER=required makes that a failure.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery

from copydesk.embedded.ports import candidates, is_free
from copydesk.settings import PREFIX, Settings
from tests.processes import ROOT
from tests.waiting import wait_until

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SEED = next((ROOT / "seeds" / "inbox").glob("000_*.txt"))

SERVERS = {"postgres", "redis"}
ONE_SHOT = {"claim-inbox", "migrate"}
PROCESSES = {"api", "fetch", "inbox", "ingest", "scheduler", "storage"}

# Of one container (its name lasts through restarts by itself), of `copydesk up` alone, or wanting a mount of its own
# (docs/operations.md says how).
NOT_PASSED_ON = {"worker_name", "data_dir", "rules_dir"}

# The images' users; as root the suite runs the stack as the default user.
UID, GID = (os.getuid() or 1000), (os.getgid() if os.getuid() else 1000)

pytestmark = pytest.mark.slow


def story(name: str) -> str:
    """An article unlike the others."""
    return f"Ferry {name} returns\n\nThe {name} ferry crossed again on Monday, the harbour board of {name} said.\n"


class Project:
    """One compose project, with its inbox in `folder`, and `files` laid over the compose file; no `.env` is read."""

    def __init__(self, folder: Path, *files: Path) -> None:
        self._files = [f"--file={file}" for file in (ROOT / "docker-compose.yml", *files)]
        self.name = f"copydesk-test-{uuid.uuid4().hex[:8]}"
        self.inbox = folder / "inbox"
        self.redis_port, self.postgres_port, self.http_port = free_ports(self.name, 3)
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | {
            "COPYDESK_INBOX_DIR": str(self.inbox),
            "COPYDESK_STORAGE_PROCESSES": "2",
            "REDIS_PORT": str(self.redis_port),
            "COPYDESK_HTTP_PORT": str(self.http_port),
            "POSTGRES_PORT": str(self.postgres_port),
            "POSTGRES_PASSWORD": "p@ss/w:rd %41#",
            "UID": str(UID),
            "GID": str(GID),
        }

    def compose(self, *arguments: str, expect: int = 0, **environment: str) -> str:
        """Run `docker compose`; returns what it printed."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, "--env-file", os.devnull, *self._files, *arguments],
            cwd=ROOT,
            env=self._environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == expect, f"docker compose {' '.join(arguments)}:\n{done.stdout[-6000:]}"
        return done.stdout

    def up(self) -> None:
        """Start everything and wait until every container is healthy, the one-shot ones done."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "180")

    def containers(self) -> dict[str, list[dict[str, object]]]:
        """What is there, running or not, by service."""
        found: dict[str, list[dict[str, object]]] = {}
        for line in self.compose("ps", "--all", "--format", "json").splitlines():
            container = json.loads(line)
            found.setdefault(container["Service"], []).append(container)
        return found

    def rows(self, query: str) -> list[str]:
        """Ask Postgres inside its container, as the README does."""
        return self.compose("exec", "-T", "postgres", "psql", "-U", "copydesk", "-Atc", query).splitlines()

    def drop(self, name: str, text: str) -> None:
        """Put a file into the inbox, complete at once; as root where the suite runs as root and the stack does not."""
        unfinished = self.inbox / f".{name}"
        unfinished.write_text(text, encoding="utf-8")
        unfinished.rename(self.inbox / name)

    def as_root(self, folder: Path, script: str) -> None:
        """Do to `folder`, seen as /inbox, what the user of the suite may not do."""
        command = ["docker", "run", "--rm", "--user", "0:0", "-v", f"{folder}:/inbox", self.name, "sh", "-c", script]
        subprocess.run(command, check=True, timeout=60)

    def settled(self, pattern: str) -> Path:
        """Wait for a file where files end."""
        return wait_until(
            lambda: next(iter(self.inbox.glob(pattern)), None), 60, f"{pattern}; {self.compose('logs', '--tail', '20')}"
        )


@contextlib.contextmanager
def built(folder: Path, *files: Path) -> Iterator[Project]:
    """A project whose image is built, with nothing started; afterwards nothing of it is left."""
    require_engine()
    project = Project(folder, *files)
    try:
        project.compose("build")
        yield project
    finally:
        project.compose("down", "--volumes", "--remove-orphans")
        subprocess.run(["docker", "image", "rm", "--force", project.name], capture_output=True, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The compose file as it is."""
    with built(tmp_path_factory.mktemp("compose")) as project:
        yield project


def require_engine() -> None:
    """Skip, or fail where Docker is required."""
    reason = ""
    if not shutil.which("docker"):
        reason = "there is no docker command"
    else:
        for command in (["docker", "version"], ["docker", "compose", "version"]):
            probe = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            if probe.returncode:
                reason = f"{' '.join(command)}: {probe.stderr.strip()}"
                break
    if reason and os.environ.get("COPYDESK_TEST_DOCKER") == "required":
        pytest.fail(f"Docker is required, and {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


def free_ports(seed: str, count: int) -> list[int]:
    """Ports that nobody listens on, below the range of outgoing connections."""
    ports = (port for port in candidates(seed) if is_free(port))
    return [next(ports) for _ in range(count)]


def test_every_process_folder_is_a_service() -> None:
    folders = {f"{main.parent.parent.name}.{main.parent.name}" for main in ROOT.glob("[sw]*s/*/__main__.py")}
    services = set(re.findall(r"^  ([a-z-]+):$", COMPOSE.split("\nservices:\n")[1].split("\nvolumes:\n")[0], re.M))
    started = set(re.findall(r'command: \["python", "-m", "([a-z.]+)"\]', COMPOSE))

    assert started == folders
    assert services == {name.split(".")[1] for name in folders} | SERVERS | ONE_SHOT


def test_every_setting_reaches_the_containers() -> None:
    named = {name.lower() for name in re.findall(rf"{PREFIX}([A-Z_]+)", COMPOSE)}

    assert named == set(Settings.model_fields) - NOT_PASSED_ON


def test_what_was_accepted_survives_restarts_and_a_new_start(project: Project) -> None:
    project.up()
    running = {name: found for name, found in project.containers().items() if name not in ONE_SHOT}
    assert {name: len(found) for name, found in running.items()} == dict.fromkeys(SERVERS | PROCESSES, 1) | {
        "storage": 2
    }
    assert {c["Health"] for found in running.values() for c in found} == {"healthy"}

    project.drop("seed.txt", SEED.read_text(encoding="utf-8"))
    outcome = Path(f"{project.settled('done/inbox/*/seed.txt')}.outcome.json")
    assert json.loads(outcome.read_text(encoding="utf-8"))["outcome"] == "stored"
    assert project.rows("select title, source from article") == [
        "Li Xixie: The restart of the China Japan ROK Leaders' Meeting is of great significance|inbox"
    ]

    with Celery(broker=f"redis://127.0.0.1:{project.redis_port}/0", set_as_current=False) as stranger:
        job = {"v": 1, "source": "stranger", "items": [{"id": "one", "body": story("Celery")}]}
        stranger.send_task("copydesk.ingest", args=[job])
    wait_until(lambda: project.rows("select 1 from article where source = 'stranger'"), 60, "the Celery job's article")

    for service in sorted(SERVERS | PROCESSES):
        project.compose("restart", service)
        project.drop(f"{service}.txt", story(service))
        project.settled(f"done/inbox/*/{service}.txt")
    rows = project.rows("select id, source, name, revision from article order by id")
    assert len(rows) == 2 + len(SERVERS | PROCESSES)

    project.up()  # nothing to change: it waits until those just restarted are past their start
    project.compose("stop")
    ends = {c["Name"]: c["ExitCode"] for found in project.containers().values() for c in found}
    assert set(ends.values()) == {0}, f"not every process ended by itself: {ends}"

    project.compose("down")
    project.up()
    assert project.rows("select id, source, name, revision from article order by id") == rows
    assert project.settled("done/inbox/*/seed.txt").read_bytes() == SEED.read_bytes()
    project.drop("later.txt", story("later"))
    project.settled("done/inbox/*/later.txt")
    assert len(project.rows("select 1 from article")) == len(rows) + 1


@pytest.mark.parametrize(
    ("name", "prepare", "wanted"),
    [
        ("private.txt", "echo private > .p && chmod 600 .p && mv .p private.txt", "make the file readable"),
        ("roots/a.txt", "mkdir roots && echo open > roots/a.txt", "make its folder writable"),
        ("sticky/a.txt", "mkdir -m 1777 sticky && echo open > sticky/a.txt", "take away the sticky bit"),
    ],
)
def test_a_file_that_copydesk_may_not_take_stays_and_the_log_says_what_to_change(
    project: Project, name: str, prepare: str, wanted: str
) -> None:
    project.up()
    project.as_root(project.inbox, f"cd /inbox && {prepare}")

    said = wait_until(
        lambda: [line for line in project.compose("logs", "inbox").splitlines() if f'"/inbox/{name}"' in line],
        60,
        f"a line about {name}",
    )
    assert wanted in said[0]
    assert f'"uid": {UID}' in said[0]
    assert (project.inbox / name).exists()
    project.as_root(project.inbox, f"rm -r /inbox/{Path(name).parts[0]}")


@pytest.mark.parametrize(
    ("prepare", "is_usable"),
    [
        pytest.param("chown 0:0 /inbox", True, id="just made by Docker"),
        pytest.param(f"mkdir /inbox/done && chown {UID}:{GID} /inbox", True, id="own"),
        pytest.param("mkdir /inbox/done && chown 0:0 /inbox", False, id="root's, in use"),
        pytest.param("chown 4321:4321 /inbox", False, id="another user's"),
        pytest.param("chown 4321:4321 /inbox && chmod 777 /inbox", True, id="another user's, open to all"),
    ],
)
def test_the_inbox_can_be_used_or_the_start_says_what_to_change(
    project: Project, tmp_path: Path, prepare: str, is_usable: bool
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    project.as_root(folder, prepare)
    before = folder.stat().st_uid

    said = project.compose("run", "--rm", "claim-inbox", expect=0 if is_usable else 1, COPYDESK_INBOX_DIR=str(folder))

    assert (f"sudo chown {UID}:{GID}" in said) is not is_usable
    assert folder.stat().st_uid == (UID if prepare.startswith("chown 0:0") else before)
    project.as_root(folder, "rm -rf /inbox/*")


def test_secrets_may_come_from_files_as_the_docs_say(tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (example,) = (block for block in re.findall(r"```yaml\n(.*?)```", manual, re.S) if "postgres_url" in block)
    override = tmp_path / "override.yml"
    override.write_text(example.replace("./secrets/", f"{tmp_path}/"), encoding="utf-8")
    (tmp_path / "postgres_password").write_text("of a file\n", encoding="utf-8")
    (tmp_path / "postgres_url").write_text(
        "postgresql://copydesk:of%20a%20file@postgres:5432/copydesk\n", encoding="utf-8"
    )

    with built(tmp_path, override) as project:
        said = project.compose("run", "--rm", "migrate")

    assert "applied: schema" in said
