"""The stack in containers, for real: built, fed through its doors, restarted, taken down and brought up again.

Skipped where no Docker engine answers; COPYDESK_TEST_DOCKER=required makes that a failure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.compose_project import DOORS, GID, PASSWORD, UID, Project, built, story
from tests.processes import ROOT
from tests.waiting import wait_until

SEED = next((ROOT / "seeds" / "inbox").glob("000_*.txt"))

SERVERS = {"postgres", "redis"}
ONE_SHOT = {"claim-inbox", "migrate"}
PROCESSES = {"api", "fetch", "inbox", "ingest", "scheduler", "storage"}

# A publisher whose feed the containers can reach, in their own network.
NEWS = """
services:
  news:
    image: ${COMPOSE_PROJECT_NAME}
    command: [python, -m, http.server, "8000", --directory, /feeds]
    volumes: ["${NEWS}:/feeds:ro"]
"""
NEWS_URL = "http://news:8000/news.xml"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The compose file as it is, and a feed to poll."""
    folder = tmp_path_factory.mktemp("compose")
    folder.chmod(0o755)
    (folder / "news.yml").write_text(NEWS, encoding="utf-8")
    with built(folder, folder / "news.yml", COPYDESK_FETCH_ALLOW_PRIVATE="true") as project:
        yield project


class Doors:
    """Sends stories through every door, and knows what has to be there."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.sent: list[str] = []

    def send(self, name: str) -> None:
        """One story through each door; returns when all are rows."""
        self.sent.append(name)
        self.project.drop(f"{name}.txt", story(f"{name} file"))
        self.project.publish(*self.sent)
        for door in (self.project.send, self.project.post):
            self.project.wait(lambda door=door: door(name), f"{door.__name__} of {name}")
        self.project.wait(self.project.can_poll, "a poll of the feed")
        self.project.settled(f"done/inbox/*/{name}.txt")
        self.project.wait(lambda: self.stored(name) == len(DOORS), f"{name} of every door")

    def stored(self, name: str) -> int:
        """How many of its stories are articles."""
        texts = self.project.texts()
        openings = [story(f"{name} {door}").split("\n\n")[1] for door in DOORS]
        return sum(any(opening in text for text in texts) for opening in openings)


def test_what_the_compose_file_gives_to_whom(project: Project) -> None:
    services = json.loads(project.compose("config", "--format", "json"))["services"]
    mounts = {
        name: {volume["target"]: volume.get("read_only", False) for volume in service.get("volumes", [])}
        for name, service in services.items()
    }

    assert set(services) == SERVERS | PROCESSES | ONE_SHOT | {"news"}
    assert {services[name]["user"] for name in PROCESSES} == {f"{UID}:{GID}"}
    assert {name: mount["/spool"] for name, mount in mounts.items() if "/spool" in mount} == {
        "api": False,
        "fetch": False,
        "ingest": True,
        "scheduler": False,
    }
    assert {name for name, mount in mounts.items() if "/inbox" in mount} == {"claim-inbox", "inbox", "ingest"}
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


def test_what_was_accepted_survives_restarts_and_a_new_start(project: Project) -> None:
    project.publish()
    project.up()
    running = {name: found for name, found in project.containers().items() if name in SERVERS | PROCESSES}
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

    added = project.compose("exec", "-T", "scheduler", "copydesk", "feeds", "add", NEWS_URL, "--source", "feed")
    assert "1 added" in added
    doors = Doors(project)
    doors.send("first")
    assert "1 due now" in project.compose("exec", "-T", "scheduler", "copydesk", "feeds", "poll", "--all")
    for service in sorted(SERVERS | PROCESSES):
        project.compose("restart", service)
        doors.send(service)
    rows = project.rows("select id, source, name, revision from article order by id")
    assert len(rows) == 1 + len(DOORS) * len(doors.sent)

    project.up()  # nothing to change: it waits until those just restarted are past their start
    project.compose("stop")
    ends = {c["Name"]: c["ExitCode"] for name, found in project.containers().items() if name != "news" for c in found}
    assert set(ends.values()) == {0}, f"not every process ended by itself: {ends}"

    project.compose("down")
    # As where file events do not arrive: the inbox is polled from here on.
    project.up(COPYDESK_INBOX_EVENTS="false")
    assert project.rows("select id, source, name, revision from article order by id") == rows
    assert project.settled("done/inbox/*/seed.txt").read_bytes() == SEED.read_bytes()
    assert project.rows("select url, source from feed") == [f"{NEWS_URL}|feed"]
    doors.send("later")
    assert len(project.rows("select 1 from article")) == len(rows) + len(DOORS)
    assert project.rows("select outcome, count(*) from receipt group by 1") == [f"stored|{len(rows) + len(DOORS)}"]


# What a process in a container finds out about itself: its user, what it may do as root could, whether it may become
# more than it is, and where it may write.
CONFINEMENT = """
import os
status = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
print(os.getuid(), int(status["CapEff"], 16) | int(status["CapBnd"], 16), status["NoNewPrivs"].strip(), end=" ")
for place in ("/", "/app", "/usr/bin", "/venv/bin", "/etc"):
    try:
        open(place + "/written", "w")
        print("writes to", place, end=" ")
    except OSError:
        pass
"""


def test_no_container_of_ours_may_do_more_than_it_needs(project: Project) -> None:
    project.up()
    found = {
        name: project.compose("exec", "-T", name, "python", "-c", CONFINEMENT).strip() for name in sorted(PROCESSES)
    }
    status = "cat /proc/1/status"
    servers = {
        name: dict(re.findall(r"(\w+):\s+(\w+)", project.compose("exec", "-T", name, "sh", "-c", status)))
        for name in SERVERS
    }

    assert found == dict.fromkeys(sorted(PROCESSES), f"{UID} 0 1")
    for name, seen in servers.items():
        assert (int(seen["CapEff"], 16), seen["NoNewPrivs"]) == (0, "1"), name
        assert seen["Uid"] != "0", name


def test_each_process_works_with_a_role_of_its_own(project: Project) -> None:
    kinds = [name.upper() for name in sorted(PROCESSES)] + ["OPERATOR"]
    passwords = {f"POSTGRES_{kind}_PASSWORD": f"secret-of-{kind}" for kind in kinds}
    project.lay_over(ROOT / "deploy" / "compose.roles.yml", **passwords)
    project.publish()
    project.up()
    doors = Doors(project)
    run = ("run", "--rm", "-T", "operator", "copydesk")
    project.compose(*run, "feeds", "add", NEWS_URL, "--source", "feed")

    doors.send("confined")

    assert "nothing is in between" in project.compose(*run, "audit")
    connected = project.rows("select distinct usename from pg_stat_activity where application_name like 'copydesk%'")
    assert set(connected) == {f"copydesk_{name}" for name in PROCESSES}
    for name in PROCESSES:
        known = project.compose("exec", "-T", name, "env")
        # The HTTP door does as the operator what an administrator asks of it.
        own = {"API", "OPERATOR"} if name == "api" else {name.upper()}
        assert {kind for kind in kinds if f"secret-of-{kind}" in known} == own
        assert PASSWORD not in known
        assert quote(PASSWORD, safe="") not in known


@pytest.mark.parametrize(
    ("name", "prepare"),
    [
        ("theirs.txt", 'echo "$STORY" > .t && chown 4321:4321 .t && chmod 644 .t && mv .t theirs.txt'),
        (
            "newsroom/theirs.txt",
            f"mkdir newsroom && chown 4321:{GID} newsroom && chmod 2775 newsroom && cd newsroom"
            f' && echo "$STORY" > .t && chown 4321:{GID} .t && chmod 640 .t && mv .t theirs.txt',
        ),
    ],
    ids=["readable for all", "readable for the group"],
)
def test_a_file_of_another_user_is_taken(project: Project, name: str, prepare: str) -> None:
    project.up()
    project.as_root(project.inbox, f"cd /inbox && STORY='{story(name.replace('/', ' '))}' && {prepare}")
    source = "newsroom" if "/" in name else "inbox"
    outcome = Path(f"{project.settled(f'done/{source}/*/theirs.txt')}.outcome.json")

    assert json.loads(outcome.read_text(encoding="utf-8"))["outcome"] == "stored"


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
        services = json.loads(project.compose("config", "--format", "json"))["services"]
        said = project.compose("run", "--rm", "migrate")

    given = {
        name for name, service in services.items() for each in service.get("secrets", []) if "url" in each["source"]
    }
    assert given == PROCESSES | {"migrate"}
    assert "applied: schema" in said
