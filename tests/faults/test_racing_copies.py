"""Copies of one story race through several ingest workers that are killed all the time: one is new, none is lost.

The workers are forks with the library's own `Ingestion`; jobs are handed to them by two Redis lists, since Celery's
transport has its own kill tests. `make faults` runs the long form.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from copydesk.delivery.ingestion import Ingestion
from copydesk.delivery.settlement import article_id
from copydesk.embedded import ValkeyServer
from copydesk.queue.entries import ArticleEntry, Incoming
from copydesk.queue.streams import ARTICLES
from copydesk.settings import load
from tests.entries import text
from tests.integration.writing import Desk, desk_on
from tests.waiting import wait_until

KILLS = int(os.environ.get("COPYDESK_TEST_KILLS", "20"))
WORKERS = 4
COPIES = 4
GROUPS_PER_KILL = 2

JOBS = "test:jobs"


def jobs_of(group: int) -> list[dict[str, Any]]:
    """Near copies of one story, each from another source and in a job of its own."""
    paragraphs = [text(group * 10 + n, 40).capitalize() + "." for n in range(4)]
    found = []
    for n in range(COPIES):
        body = "\n\n".join([f"Story {group} as told by {n}", *paragraphs[: 3 + n % 2], f"Told{group} by{n} hand{n}."])
        item = {"id": f"{group}-{n}", "body": body}
        job = {"v": 1, "id": f"job-{group}-{n}", "source": f"paper-{n}", "items": [item]}
        found.append(job | {"received_at": datetime.now(UTC).isoformat()})
    return found


def hand(slot: int) -> str:
    return f"test:hand:{slot}"


class Rig:
    """Workers by slot. What a killed one had in hand is given to the next."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self.desk = desk
        settings = load({}, redis_url=desk.redis_url, postgres_url=desk.database_url, data_dir=folder)
        self._ingestion = Ingestion(settings)
        self._pids: dict[int, int] = {}
        self.client = redis.Redis.from_url(desk.redis_url)

    def push(self, jobs: list[dict[str, Any]]) -> None:
        if jobs:
            self.client.lpush(JOBS, *(json.dumps(job) for job in jobs))

    def start(self) -> None:
        for slot in range(WORKERS):
            if slot not in self._pids:
                pid = os.fork()
                if not pid:
                    self._work(slot)
                self._pids[slot] = pid

    def kill(self, slot: int) -> None:
        pid = self._pids.pop(slot)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)

    def give_back(self) -> None:
        for slot in range(WORKERS):
            if slot not in self._pids:
                while self.client.lmove(hand(slot), JOBS, "LEFT", "RIGHT"):
                    pass

    def is_done(self) -> bool:
        return not any(self.client.llen(key) for key in (JOBS, *(hand(slot) for slot in range(WORKERS))))

    def in_hand(self) -> dict[int, bytes]:
        """The job of each busy worker."""
        found = {slot: self.client.lindex(hand(slot), 0) for slot in self._pids}
        return {slot: job for slot, job in found.items() if job}

    def stop(self) -> None:
        for slot in list(self._pids):
            self.kill(slot)

    def _work(self, slot: int) -> None:
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            with redis.Redis.from_url(self.desk.redis_url) as client:
                while True:
                    job = client.blmove(JOBS, hand(slot), 1, "RIGHT", "LEFT")
                    if job:
                        payload = json.loads(job)
                        self._ingestion.carry(payload, task_id=payload["id"], now=datetime.now(UTC))
                        client.lrem(hand(slot), 1, job)
        finally:
            os._exit(1)


@contextmanager
def rig_on(desk: Desk, folder: Path) -> Iterator[Rig]:
    rig = Rig(desk, folder)
    try:
        yield rig
    finally:
        rig.stop()
        rig.client.close()


def published(client: redis.Redis) -> dict[str, list[ArticleEntry]]:
    """Every article in the stream, by item."""
    found: dict[str, list[ArticleEntry]] = defaultdict(list)
    for stream_id, fields in client.xrange(ARTICLES):
        entry = Incoming(stream_id.decode(), fields[b"d"], None).decode()
        if isinstance(entry, ArticleEntry):
            found[entry.item_id].append(entry)
    return found


def test_racing_copies_with_workers_killed_amid_them(redis_url: str, database_url: str, tmp_path: Path) -> None:
    rng, groups = random.Random(11), KILLS * GROUPS_PER_KILL
    with desk_on(redis_url, database_url) as desk, rig_on(desk, tmp_path) as rig:
        rig.start()
        next_group = kills = 0
        # A job that ends its worker again and again is given up, which is not what this is about.
        killed: Counter[bytes] = Counter()
        give_up = time.monotonic() + 60 + 5 * KILLS
        while kills < KILLS:
            assert time.monotonic() < give_up, f"{kills} kills"
            if rig.client.llen(JOBS) < WORKERS and next_group < groups:
                rig.push(jobs_of(next_group))
                next_group += 1
            busy = [slot for slot, job in rig.in_hand().items() if killed[job] < 2]
            if busy and rng.random() < 0.2:
                slot = rng.choice(busy)
                killed[rig.in_hand().get(slot, b"")] += 1
                rig.kill(slot)
                rig.give_back()
                rig.start()
                kills += 1
        for group in range(next_group, groups):
            rig.push(jobs_of(group))
        wait_until(rig.is_done, 60 + KILLS, "all jobs to be carried")
        entries = published(rig.client)
        documents = {article_id(entry): entry for (entry,) in entries.values()}

        assert len(entries) == groups * COPIES, "lost"
        assert [item for item, found in entries.items() if len(found) != 1] == [], "published twice"
        news: dict[str, int] = defaultdict(int)
        for entry in documents.values():
            group = entry.item_id.partition("-")[0]
            if entry.likeness is None:
                news[group] += 1
            else:
                leader = documents[entry.likeness.document]
                assert (leader.number or 0) < (entry.number or 0), "nobody follows a later one"
                assert leader.item_id.partition("-")[0] == group
        assert set(news.values()) == {1}, "two new ones in one group"
        desk.drain(desk.writer())
        desk.check()
        assert desk.rows("select count(*) from receipt") == [(groups * COPIES,)]
        assert desk.rows("select count(distinct cluster_id) from article") == [(groups,)]


def test_a_redis_that_lost_its_last_second_makes_no_second_story(
    own_redis: ValkeyServer, database_url: str, tmp_path: Path
) -> None:
    """The doors offer again what Postgres does not know; of what it knows and Redis forgot, nothing is new again."""
    groups, rounds = 12, 3
    with desk_on(own_redis.url, database_url) as desk, rig_on(desk, tmp_path) as rig:
        stop = threading.Event()
        for number in range(rounds):
            mine = range(number * groups, (number + 1) * groups)
            jobs = [job for group in mine for job in jobs_of(group)]
            early = [job for job in jobs if job["source"] in ("paper-0", "paper-1")]
            rig.start()
            rig.push(early[: len(early) // 2])
            wait_until(rig.is_done, 60, "some jobs to be carried")
            desk.drain(desk.writer(stop=stop))
            kept = tmp_path / f"kept-{number}"
            shutil.copytree(own_redis.data_dir, kept, ignore=shutil.ignore_patterns("*.sock", "*.pid", "*.lock"))
            rig.push(early[len(early) // 2 :])
            wait_until(rig.is_done, 60, "more jobs to be carried")
            desk.drain(desk.writer(stop=stop))
            rig.stop()
            own_redis.stop(how=signal.SIGKILL)
            shutil.rmtree(own_redis.data_dir / "appendonlydir")
            shutil.copytree(kept / "appendonlydir", own_redis.data_dir / "appendonlydir")
            own_redis.start()
            rig.client.delete(JOBS, *(hand(slot) for slot in range(WORKERS)))
            settled = {job for (job,) in desk.rows("select id from ingest where closed_at is not null")}
            rig.push([job for job in jobs if job["id"] not in settled])
            rig.start()
            wait_until(rig.is_done, 60, "what is new and what was lost to be carried")
            desk.drain(desk.writer(stop=stop))
            rig.stop()

        desk.check()
        counted = desk.rows("select outcome, count(*) from receipt group by 1 order by 1")
        clusters = desk.rows("select count(distinct cluster_id) from article")
    assert sum(count for _, count in counted) == rounds * groups * COPIES
    assert clusters == [(rounds * groups,)]
