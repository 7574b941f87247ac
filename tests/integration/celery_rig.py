"""Real Celery workers over the safe transport, each a process to kill, and a journal of what they ran."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import redis
from celery import Celery

from copydesk.queue.transport import SCHEME_PREFIX
from tests.waiting import wait_until

_REPOSITORY = Path(__file__).parents[2]
_APP = "tests.integration.transport_app"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal."""

    what: str
    task_id: str
    pid: int


@dataclass
class Worker:
    """One `celery worker` process."""

    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self.process.kill()
        self.process.wait()

    def is_running(self) -> bool:
        return self.process.poll() is None

    def log(self) -> str:
        return self.log_file.read_text()


@dataclass
class Rig:
    """A broker, a journal, and the workers started so far."""

    broker_url: str
    folder: Path
    lease_seconds: float = 2.0
    workers: list[Worker] = field(default_factory=list)

    @property
    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.broker_url)

    def start_worker(self, *options: str, **environment: str) -> Worker:
        """A worker process; solo unless `options` say otherwise. It is up once it has begun a task."""
        log_file = self.folder / f"worker-{len(self.workers)}.log"
        settings = {
            "TRANSPORT_TEST_BROKER": SCHEME_PREFIX + self.broker_url,
            "TRANSPORT_TEST_JOURNAL": str(self._journal),
            "TRANSPORT_TEST_LEASE": str(self.lease_seconds),
        }
        command = [sys.executable, "-m", "celery", "-A", _APP, "worker", "--loglevel", "INFO"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [*command, *quiet, *(options or ("-P", "solo"))],
                cwd=_REPOSITORY,
                env=os.environ | settings | environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.workers.append(Worker(process, log_file))
        return self.workers[-1]

    def send(self, task_ids: Iterable[str], seconds: float = 0.0, **options: object) -> None:
        """Send tasks as a program does that knows nothing of copydesk: plain Celery, a `redis://` URL."""
        program = Celery(broker=self.broker_url)
        with program.producer_or_acquire() as producer:
            for task_id in task_ids:
                program.send_task("note", (task_id, seconds), producer=producer, **options)
        program.close()

    def events(self) -> list[Event]:
        if not self._journal.exists():
            return []
        parts = (line.split() for line in self._journal.read_text().splitlines())
        return [Event(what, task_id, int(pid)) for what, task_id, pid in parts]

    def begun(self) -> Counter[str]:
        return Counter(e.task_id for e in self.events() if e.what == "begun")

    def done(self) -> Counter[str]:
        return Counter(e.task_id for e in self.events() if e.what == "done")

    def in_hand(self, worker: Worker) -> set[str]:
        """What `worker` has begun and not ended."""
        events = [e for e in self.events() if e.pid == worker.pid]
        return {e.task_id for e in events if e.what == "begun"} - {e.task_id for e in events if e.what == "done"}

    def wait_for(self, task_ids: Iterable[str], deadline_s: float) -> None:
        """Until all of them are done."""
        wanted = set(task_ids)
        wait_until(lambda: not wanted - self.done().keys(), deadline_s, f"{len(wanted)} tasks done", every_s=0.05)

    def wait_for_more(self, count: int, deadline_s: float = 30.0) -> None:
        """Until `count` tasks more than now are done."""
        goal = self.done().total() + count
        wait_until(lambda: self.done().total() >= goal, deadline_s, f"{goal} tasks done")

    def messages(self) -> int:
        """Everything that is still somewhere in the broker."""
        with self.client as client:
            lists = [*client.scan_iter("celery*"), *client.scan_iter("copydesk:transport:in-flight:*")]
            return sum(client.llen(key) for key in lists) + client.hlen("unacked")

    @property
    def _journal(self) -> Path:
        return self.folder / "journal"


@contextmanager
def rig(broker_url: str, folder: Path, lease_seconds: float = 2.0) -> Iterator[Rig]:
    """Kills, at the end, whatever was started."""
    made = Rig(broker_url, folder, lease_seconds)
    try:
        yield made
    finally:
        for worker in made.workers:
            if worker.is_running():
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()
