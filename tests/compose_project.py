"""The compose project of a test: the compose file as it is, on ports and with a name and an inbox of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import kombu.exceptions
import psycopg
import pytest
from celery import Celery

from copydesk.embedded.ports import candidates, is_free
from copydesk.settings import PREFIX
from copydesk.storage import feeds
from tests import entries
from tests.feed_server import rss
from tests.processes import ROOT
from tests.waiting import wait_until

Value = TypeVar("Value")

# The images' users; as root the suite runs the stack as the default user.
UID, GID = (os.getuid() or 1000), (os.getgid() if os.getuid() else 1000)

# Of a database that lives for one test, and hard to quote.
PASSWORD = "p@ss/w:rd %41#"

DOORS = ("file", "celery", "web", "feed")


def story(name: str) -> str:
    """An article unlike the others."""
    return entries.story(int(entries.sha256(name)[:8], 16))


class Project:
    """One compose project, with its inbox in `folder`, and `files` laid over the compose file; no `.env` is read."""

    def __init__(self, folder: Path, *files: Path, **environment: str) -> None:
        self._files = [f"--file={file}" for file in (ROOT / "docker-compose.yml", *files)]
        self.name = f"copydesk-test-{uuid.uuid4().hex[:8]}"
        self.inbox = folder / "inbox"
        self.feeds = folder / "feeds"
        self.feeds.mkdir()
        self.redis_port, self.postgres_port, self.http_port = free_ports(self.name, 3)
        self._environment = (
            {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
            | {
                "COPYDESK_INBOX_DIR": str(self.inbox),
                "COPYDESK_STORAGE_PROCESSES": "2",
                "REDIS_PORT": str(self.redis_port),
                "COPYDESK_HTTP_PORT": str(self.http_port),
                "POSTGRES_PORT": str(self.postgres_port),
                "POSTGRES_PASSWORD": PASSWORD,
                "UID": str(UID),
                "GID": str(GID),
                "NEWS": str(self.feeds),
            }
            | environment
        )

    def lay_over(self, file: Path, **environment: str) -> None:
        """From here on with this file too, and what it reads."""
        self._files.append(f"--file={file}")
        self._environment |= environment

    def compose(self, *arguments: str, expect: int = 0, **environment: str) -> str:
        """Run `docker compose`; returns what it printed."""
        done = self.run(*arguments, **environment)
        assert done.returncode == expect, f"docker compose {' '.join(arguments)}:\n{done.stdout[-6000:]}"
        return done.stdout

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `docker compose`, however it ends."""
        return subprocess.run(
            ["docker", "compose", "--project-name", self.name, "--env-file", os.devnull, *self._files, *arguments],
            cwd=ROOT,
            env=self._environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )

    def up(self, **environment: str) -> None:
        """Start everything and wait until every container is healthy, the one-shot ones done."""
        self.compose("up", "--detach", "--wait", "--wait-timeout", "180", **environment)

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

    def send(self, name: str) -> bool:
        """Send a job as a program on this machine does; False while Redis does not answer."""
        with Celery(broker=f"redis://127.0.0.1:{self.redis_port}/0", set_as_current=False) as stranger:
            job = {"v": 1, "source": "celery", "items": [{"id": name, "body": story(f"{name} celery")}]}
            try:
                stranger.send_task("copydesk.ingest", args=[job], retry=False)
            except (kombu.exceptions.OperationalError, OSError):
                return False
        return True

    def post(self, name: str) -> bool:
        """POST to the published port; False while it does not answer or cannot say that it is stored."""
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{self.http_port}/v1/documents",
                params={"source": "web", "wait": "stored", "timeout": "5"},
                content=story(f"{name} web").encode(),
                headers={"Content-Type": "text/plain", "Idempotency-Key": name},
                timeout=30,
            )
        except httpx.TransportError:
            return False
        assert answer.status_code in {200, 503}, answer.text
        return answer.status_code == 200

    def publish(self, *names: str) -> None:
        """Change what the feed says. Renamed in, as a server's program does: a feed is never seen half written."""
        unfinished = self.feeds / ".news.xml"
        unfinished.write_bytes(rss(*((f"{name} feed", story(f"{name} feed")) for name in names)))
        unfinished.rename(self.feeds / "news.xml")

    def database(self) -> psycopg.Connection:
        """Postgres at its published port: cheaper to ask often than through a command in its container."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.postgres_port,
            user="copydesk",
            password=PASSWORD,
            dbname="copydesk",
            connect_timeout=5,
        )

    def can_poll(self) -> bool:
        """Make every feed due, as `copydesk feeds poll --all` does; False while Postgres does not answer."""
        try:
            with self.database() as connection:
                feeds.make_due(connection, None)
        except psycopg.OperationalError:
            return False
        return True

    def texts(self) -> list[str]:
        """Of every article; none while Postgres does not answer."""
        try:
            with self.database() as connection:
                return [text for (text,) in connection.execute("select text from article")]
        except psycopg.OperationalError:
            return []

    def as_root(self, folder: Path, script: str) -> None:
        """Do to `folder`, seen as /inbox, what the user of the suite may not do."""
        command = ["docker", "run", "--rm", "--user", "0:0", "-v", f"{folder}:/inbox", self.name, "sh", "-c", script]
        subprocess.run(command, check=True, timeout=60)

    def settled(self, pattern: str) -> Path:
        """Wait for a file where files end."""
        return self.wait(lambda: next(iter(self.inbox.glob(pattern)), None), pattern)

    def wait(self, predicate: Callable[[], Value], what: str) -> Value:
        """Wait until it is true; a failure shows the end of every log, which takes a second to get."""
        try:
            return wait_until(predicate, 90, what, every_s=0.1)
        except AssertionError as error:
            error.add_note(self.tail())
            raise

    def tail(self) -> str:
        """The end of every log, for a failure's message."""
        return self.run("logs", "--tail", "20").stdout


@contextlib.contextmanager
def built(folder: Path, *files: Path, **environment: str) -> Iterator[Project]:
    """A project whose image is built, with nothing started; afterwards nothing of it is left."""
    require_engine()
    project = Project(folder, *files, **environment)
    try:
        project.compose("build")
        yield project
    finally:
        project.compose("down", "--volumes", "--remove-orphans")
        subprocess.run(["docker", "image", "rm", "--force", project.name], capture_output=True, check=False)


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
