"""Our own processes, started for a test as a user's supervisor starts them, to feed, to kill and to look into."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import redis
from celery import Celery

from copydesk.liveness.asking import NoAnswer, ask
from copydesk.queue import streams
from copydesk.queue.streams import ArticleStream
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent

MODULES = {
    "api": "services.api",
    "fetch": "workers.fetch",
    "inbox": "services.inbox",
    "ingest": "workers.ingest",
    "scheduler": "services.scheduler",
    "storage": "workers.storage",
}


def die_with_parent() -> None:
    """Runs in the child: a test run that is killed leaves no process behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Stack:
    """Inbox, ingest and storage processes on given servers, with their logs in `folder`."""

    def __init__(self, folder: Path, redis_url: str, database_url: str, **settings: object) -> None:
        self.folder = folder
        self.inbox = folder / "inbox"
        self.spool = folder / "spool"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.redis_url = redis_url
        self.database_url = database_url
        self.http_port = settings.get("http_port")
        self._settings = {f"COPYDESK_{name.upper()}": str(value) for name, value in settings.items()}
        # What Python is given before the module of a process, and more of its environment.
        self.launcher = ("-m",)
        self.surroundings: dict[str, str] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._files: list[Any] = []
        ArticleStream(streams.connect(redis_url)).create_group()

    def start(self, *names: str) -> Self:
        """Start processes by slot: `ingest`, or `ingest-2` for a second one. A running one is left alone."""
        for name in names:
            if self.is_running(name):
                continue
            log = (self.folder / f"{name}.log").open("ab")
            self._files.append(log)
            self._processes[name] = subprocess.Popen(
                [sys.executable, *self.launcher, MODULES[name.split("-")[0]]],
                cwd=ROOT,
                env=self.environment(**self.surroundings, COPYDESK_WORKER_NAME=name),
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads use the child before exec
            )
        return self

    def environment(self, **more: str) -> dict[str, str]:
        """That of a process of this stack, also of a command of ours that is to speak to it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
        ours = {
            "COPYDESK_REDIS_URL": self.redis_url,
            "COPYDESK_POSTGRES_URL": self.database_url,
            "COPYDESK_DATA_DIR": str(self.folder),
            "COPYDESK_INBOX_DIR": str(self.inbox),
            "COPYDESK_SPOOL_DIR": str(self.spool),
            # The links of the tests' feeds lead nowhere.
            "COPYDESK_FEED_FULL_TEXT": "never",
            # Every server of a test is one host.
            "COPYDESK_FETCH_HOST_SPACING_S": "0",
            "COPYDESK_FETCH_HOST_REQUESTS_MAX": "64",
            "PYTHONUNBUFFERED": "1",
        }
        return inherited | ours | self._settings | more

    def is_running(self, name: str) -> bool:
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def kill(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal and wait for the end."""
        process = self._processes[name]
        process.send_signal(how)
        process.wait(60)

    def ask(self, name: str, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of `/livez` or `/readyz` of a process; status 0 while it does not answer."""
        try:
            port = json.loads((self.folder / "run" / f"{name}.json").read_text())["port"]
            status, body = ask(port, path, 5)
        except (FileNotFoundError, NoAnswer):
            return 0, {}
        return status, json.loads(body)

    def stop(self) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self._processes.values():
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)
        for file in self._files:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- the doors -------------------------------------------------------------------------------------------

    def drop(self, path: str, data: bytes | str) -> None:
        """Put a file into the inbox as a careful sender does: under a dot-name, then renamed."""
        target = self.inbox / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.writing")
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)
        temporary.rename(target)

    def send(self, *items: dict[str, Any], **job: Any) -> str:
        """Send a job as a stranger's program does, with stock Celery; returns the task id."""
        with Celery(broker=self.redis_url, set_as_current=False) as producer:
            return str(producer.send_task("copydesk.ingest", args=[{"v": 1, "items": list(items), **job}]).id)

    # --- what became of it -----------------------------------------------------------------------------------

    def settled(self, path: str, deadline_s: float = 30) -> Path:
        """Wait until exactly this file stands in a folder where files end, and return where."""
        return wait_until(
            lambda: next((p for p in self.ended() if p.match(path)), None), deadline_s, f"{path} settled; {self.tail()}"
        )

    def ended(self) -> Iterator[Path]:
        for folder in ("done", "duplicate", "rejected", "dead"):
            for place in (self.inbox / folder).rglob("*"):
                if place.is_file() and not place.name.endswith(".outcome.json"):
                    yield place

    def rows(self, query: str, *arguments: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query.encode(), arguments).fetchall()

    def wait_for_rows(
        self, query: str, is_enough: Callable[[Sequence[tuple[Any, ...]]], bool], deadline_s: float = 30
    ) -> list[tuple[Any, ...]]:
        """Ask until `is_enough` says yes."""
        found: list[tuple[Any, ...]] = []

        def ask() -> bool:
            found[:] = self.rows(query)
            return is_enough(found)

        wait_until(ask, deadline_s, f"{query}; {self.tail()}", every_s=0.05)
        return found

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def tail(self) -> str:
        """The end of every log, for a failure's message."""
        return "\n".join(f"--- {name}\n{self.log(name)[-1500:]}" for name in self._processes)
