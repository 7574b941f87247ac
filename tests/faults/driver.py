"""Numbered documents through every door at once while one fault acts, and the count of what became of them.

The servers and processes are the run's own. What it does not do: choose faults (`tests/faults/table.py`), or judge the
counts (`test_table.py`).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from kombu.exceptions import OperationalError

from copydesk.queue.app import is_idle
from copydesk.storage import feeds
from tests.entries import story
from tests.faults.moments import Moment, mark
from tests.feed_server import Answer, FeedServer, rss
from tests.http_door import NDJSON, HttpDoor
from tests.integration.silence import SilentProxy
from tests.servers import OwnPostgres, OwnServer, execute
from tests.waiting import wait_until

PROCESSES = ("api", "inbox", "scheduler", "fetch", "ingest", "storage")

DOORS = ("wire", "agency", "web", "feed")

# What Compose and `copydesk up` give a process to stop.
GRACE_S = 25.0

# Documents a job or request: so many are in hand at once.
CHUNK = 10

# One row a receipt. A number is known by the name that its door keeps.
RECEIPTS = """
select coalesce(v.name, v.guid, r.item_id), r.outcome, r.article_id::text
  from receipt r left join revision v on v.article_id = r.article_id and v.number = r.revision
"""


@dataclass(frozen=True)
class Result:
    """What one fault did. Labels of documents, and seconds."""

    fault: str
    sent: int
    lost: list[str]
    doubled: list[str]
    # Through the Celery door, until they were sent again under the same ids.
    lost_until_sent_again: list[str]
    # Whatever is not where it should be once all is counted: files, the spool, Redis, processes.
    stuck: list[str]
    # Processes that ended and that the fault had not ended.
    ended: list[str]
    # From the end of the fault and of the sending until everything was settled and every process alive.
    recovery_s: float
    # What was waited for last, for who wonders what took so long.
    last: list[str] = field(default_factory=list)
    # How long a clean stop of each process took, where the fault was one.
    stops: dict[str, float] = field(default_factory=dict)

    def is_clean(self) -> bool:
        is_wrong = self.lost or self.doubled or self.stuck or self.ended
        return not is_wrong and all(seconds <= GRACE_S for seconds in self.stops.values())


class Run:
    """A stack under a fault. Its processes are started again when they end, as a supervisor does."""

    def __init__(
        self, door: HttpDoor, redis: OwnServer, postgres: OwnPostgres, feeds: FeedServer, moments: Path
    ) -> None:
        self.door = door
        self.feeds = feeds
        self.stack = door.stack
        self.redis = redis
        self.postgres = postgres
        self.wanted = list(PROCESSES)
        self.ended: list[str] = []
        # How long each took to end when it was asked to, in seconds.
        self.stops: dict[str, float] = {}
        # The outcome of each document, of earlier faults too: none of them may come again.
        self.expected: dict[str, str] = {}
        # An outcome that a document may have beside the expected one.
        self.also: dict[str, str] = {}
        # What earlier faults lost or doubled: told once.
        self.told: set[str] = set()
        # Whatever else a fault wants to be true once all is settled: each gives what is not.
        self.demands: list[Callable[[], Iterator[str]]] = []
        # The next number to send.
        self.next = 0
        # What a world has beside: proxies before the servers, the file that sets the clock.
        self.redis_proxy: SilentProxy | None = None
        self.postgres_proxy: SilentProxy | None = None
        self.clock: Path | None = None
        # Disks of inbox and spool that a fault may fill up.
        self.disks: tuple[Path, ...] = ()
        # What a fault leaves running, to be ended with the run.
        self.closing = contextlib.ExitStack()
        self._moments = moments
        self._ended_by_us: set[str] = set()

    def tend(self) -> None:
        """Start what should run and does not.

        Only the main thread may: a process ends with the thread that began it.
        """
        for name in self.wanted:
            if not self.stack.is_running(name):
                if name not in self._ended_by_us:
                    self.ended.append(name)
                self._ended_by_us.discard(name)
                self.stack.start(name)

    def last(self, seconds: float) -> None:
        """Let the fault act so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.tend()
            time.sleep(0.05)

    def end(self, name: str, how: signal.Signals = signal.SIGKILL) -> None:
        """End a process; it is started again with the next `tend`, if it is still wanted."""
        self._ended_by_us.add(name)
        began = time.monotonic()
        self.stack.kill(name, how)
        if how is not signal.SIGKILL:
            self.stops[name] = max(self.stops.get(name, 0.0), time.monotonic() - began)

    def end_at(self, name: str, moment: Moment, within_s: float = 30) -> None:
        """Let a process end itself at its next passage through a moment."""
        asked = mark(self._moments, name, moment)
        asked.touch()
        try:
            wait_until(lambda: not self.stack.is_running(name), within_s, f"{name}: {moment.name}; {self.stack.tail()}")
        finally:
            asked.unlink(missing_ok=True)
        self._ended_by_us.add(name)

    def may_end(self, name: str) -> None:
        """The fault ends this process from within: start it again, and say nothing."""
        if not self.stack.is_running(name):
            self._ended_by_us.add(name)

    def more(self, *names: str) -> None:
        self.wanted += names
        self._ended_by_us.update(names)  # not running yet
        self.tend()

    def fewer(self, *names: str) -> None:
        for name in names:
            self.wanted.remove(name)
            self.stack.kill(name, signal.SIGTERM)


Act = Callable[[Run], None]


class Senders:
    """Each hands its numbers to its door in chunks, `pause_s` apart, and sends again what the door did not take."""

    def __init__(self, run: Run, each: int, pause_s: float) -> None:
        self._run = run
        numbers = range(run.next, run.next + each)
        run.next = numbers.stop
        self._chunks = [range(n, min(n + CHUNK, numbers.stop)) for n in numbers[::CHUNK]]
        self._pause_s = pause_s
        self._given_up = threading.Event()
        self._dropped: set[int] = set()
        self._pool = ThreadPoolExecutor(len(DOORS))
        labels = {f"f{n}.txt" for n in numbers} | {f"{door}{n}" for door in "chg" for n in numbers}
        run.expected |= dict.fromkeys(labels, "stored")

    @contextlib.contextmanager
    def sending(self) -> Iterator[Callable[[], bool]]:
        """Start all doors; gives what tells whether they are through."""
        first = self._chunks[0].start
        path = f"/feed-from-{first}"

        def publish(chunk: range) -> bool:
            entries = ((f"g{n}", story(3_000_000 + n)) for n in range(first, chunk.stop))
            self._run.feeds.put(path, Answer(rss(*entries), headers={"ETag": f'"{chunk.stop}"'}))
            return True

        with psycopg.connect(self._run.stack.database_url) as connection:
            feeds.add(connection, [feeds.NewFeed(self._run.feeds.put(path, Answer(rss())), "feed", None, 1, 1e6)])
        doors = (self._drop, self.send_job, self._post, publish)
        futures = [self._pool.submit(self._send, door) for door in doors]
        try:
            yield lambda: all(future.done() for future in futures)
            for future in futures:
                future.result()
        finally:
            self._given_up.set()
            self._pool.shutdown()

    def _send(self, hand_in: Callable[[range], bool]) -> None:
        for chunk in self._chunks:
            while not hand_in(chunk) and not self._given_up.wait(0.2):
                pass
            if self._given_up.wait(self._pause_s):
                return

    def _drop(self, chunk: range) -> bool:
        for n in chunk:
            if n not in self._dropped:
                try:
                    self._run.stack.drop(f"wire/f{n}.txt", story(n))
                except OSError:  # the disk is full, or read-only
                    return False
                self._dropped.add(n)
        return True

    def send_job(self, chunk: Sequence[int]) -> bool:
        try:
            self._run.stack.send(*({"id": f"c{n}", "body": story(1_000_000 + n)} for n in chunk), source="agency")
        except OperationalError:
            return False
        return True

    def _post(self, chunk: range) -> bool:
        lines = (json.dumps({"id": f"h{n}", "body": story(2_000_000 + n)}) for n in chunk)
        try:
            answer = self._run.door.post("\n".join(lines).encode(), NDJSON, source="web")
        except httpx.TransportError:
            return False
        assert answer.status_code in (202, 429, 503), answer.text
        return answer.status_code == 202


class Count:
    """What Postgres, the disk and Redis say of the documents of a run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.expected = {label: outcome for label, outcome in run.expected.items() if label not in run.told}
        self._files = {label for label in self.expected if label.endswith(".txt")}

    def read(self) -> None:
        """Look at what is in between first: where nothing is, the receipts that are read next are all that come."""
        self.stuck = list(self._stuck())
        self._rows = Counter(row for row in self._run.stack.rows(RECEIPTS) if row[0] not in self._run.told)
        self._outcomes = Counter((label, outcome) for label, outcome, _ in self._rows.elements())
        self.lost = sorted(label for label, outcome in self.expected.items() if not self._outcomes[label, outcome])
        self.doubled = self._doubled()

    def _doubled(self) -> list[str]:
        """What was sent again may be told `unchanged`; nothing has a second article, or its outcome twice."""
        articles = Counter(label for label, article in {(label, a) for label, _, a in self._rows if a})
        found = {label for label, outcome in self.expected.items() if self._outcomes[label, outcome] > 1}
        return sorted(found | {label for label, count in articles.items() if count > 1}) + [
            f"{label} {outcome}"
            for label, outcome in sorted(self._outcomes)
            if outcome not in (self.expected.get(label), self._run.also.get(label), "unchanged")
        ]

    def _stuck(self) -> Iterator[str]:
        """Whatever is still in between, and who does not say that it lives."""
        stack = self._run.stack
        ended = list(stack.ended())
        done = {path.name for path in ended if path.is_relative_to(stack.inbox / "done")}
        yield from (f"no file {name} in done" for name in sorted(self._files - done))
        yield from (f"{path.name} in {path.parent}" for path in ended if path.name not in done)
        yield from (f".work/{path.name}" for path in (stack.inbox / ".work").iterdir())
        yield from (f"spool/{name}" for name in self._run.door.spooled())
        if not is_idle(stack.redis_url):
            yield "something in Redis"
        yield from (f"{name} does not live" for name in self._run.wanted if stack.ask(name, "/livez")[0] != 200)
        for demand in self._run.demands:
            yield from demand()


def drive(run: Run, fault: str, act: Act, *, documents: int, lasts_s: float, deadline_s: float = 120) -> Result:
    """Send `documents` through all doors, let `act` do its harm and undo it amid them, and count.

    The sending takes about `lasts_s`; `act` begins when the first documents are stored. What is not settled
    `deadline_s` after is counted as lost.
    """
    run.ended.clear()
    run.stops.clear()
    ((began,),) = run.stack.rows("select now()")
    before = len(run.expected)
    each = documents // len(DOORS)
    senders = Senders(run, each, lasts_s / (each / CHUNK))
    last: list[str] = []

    def settled(*, is_whole: bool = True) -> bool:
        run.tend()
        count.read()
        last[:] = [*count.lost[:3], *count.stuck[:3]] or last
        return not [x for x in count.lost if is_whole or not x.startswith("c")] and not count.stuck

    with senders.sending() as are_through:
        first = "select 1 from receipt where recorded_at > %s limit 1"
        wait_until(lambda: run.stack.rows(first, began), 60, f"the first; {run.stack.tail()}")
        act(run)
        count = Count(run)

        def is_sent() -> bool:
            run.tend()
            return are_through()

        wait_until(is_sent, deadline_s, f"all sent; {run.stack.tail()}")
        since = time.monotonic()
        with contextlib.suppress(AssertionError):
            wait_until(lambda: settled(is_whole=False), deadline_s, "all settled", every_s=0.1)
        recovery_s = time.monotonic() - since
        gone = [label for label in count.lost if label.startswith("c")]
        if gone:
            assert senders.send_job([int(label[1:]) for label in gone])
            with contextlib.suppress(AssertionError):
                wait_until(settled, deadline_s, "those that were sent again", every_s=0.1)
    run.told.update(count.lost, (label.split()[0] for label in count.doubled))
    run.demands.clear()
    execute(run.postgres.url, "update feed set enabled = false")  # the next fault has feeds of its own
    return Result(
        fault,
        len(run.expected) - before,
        count.lost,
        count.doubled,
        gone,
        count.stuck,
        list(run.ended),
        recovery_s,
        last,
        dict(run.stops),
    )


def suspend(pids: Sequence[int], run: Run, seconds: float) -> None:
    """SIGSTOP, and SIGCONT after so long."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        run.last(seconds)
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
