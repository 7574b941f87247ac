"""Workers are killed, or stopped, while the test sees work in their hands; afterwards everything is there, once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from tests.entries import story
from tests.processes import Stack
from tests.waiting import wait_until

# Two kills of each worker a round; `make faults` makes three, with 500 documents and more in all.
KILL_ROUNDS = int(os.environ.get("COPYDESK_TEST_KILL_ROUNDS", "1"))

# Per kill and door.
PER_KILL = 26

OPEN_TRANSACTIONS = """
select count(*) from pg_stat_activity
 where application_name = 'copydesk storage storage' and backend_xid is not null and datname = current_database()
"""


class Senders:
    """Numbers documents and hands half of them to each door."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.files = 0
        self.items = 0

    def send(self, count: int) -> None:
        """To both doors in turn, so that whatever a worker takes next may be from either."""
        for _ in range(0, count, 2):
            for _ in range(2):
                self._stack.drop(f"wire/story-{self.files}.txt", story(self.files))
                self.files += 1
            self.send_jobs(1)

    def send_jobs(self, count: int) -> None:
        """To the Celery door alone: nothing offers these again."""
        for _ in range(count):
            first = self.items
            self.items += 2
            numbers = range(first, self.items)
            self._stack.send(*({"id": f"c{n}", "body": story(1_000_000 + n)} for n in numbers), source="agency")


def end_with_work_in_hand(
    stack: Stack, name: str, in_hand: Callable[[], int], senders: Senders, how: signal.Signals
) -> None:
    """Suspend the process at a moment when the servers say that it holds work, look again, and end it."""
    wait_until(lambda: not in_hand(), 30, f"{name} to have empty hands")
    give_up, more_at = time.monotonic() + 60, 0.0
    while True:
        assert time.monotonic() < give_up, f"never saw work in the hands of {name}; {stack.tail()}"
        if time.monotonic() > more_at:  # on a busy machine all of it may be done between two looks
            senders.send_jobs(PER_KILL // 2)
            more_at = time.monotonic() + 2
        if not in_hand():
            time.sleep(0.0005)
            continue
        os.kill(stack.pid(name), signal.SIGSTOP)
        if in_hand():
            break
        os.kill(stack.pid(name), signal.SIGCONT)
        senders.send_jobs(1)
    if how is signal.SIGKILL:
        stack.kill(name, how)
    else:
        os.kill(stack.pid(name), how)
        stack.kill(name, signal.SIGCONT)
    senders.send(PER_KILL)
    stack.start(name)


@pytest.mark.parametrize(
    ("how", "rounds"),
    [(signal.SIGKILL, KILL_ROUNDS), (signal.SIGTERM, 1), (signal.SIGQUIT, 1)],
    ids=["killed", "asked to stop", "told to quit"],
)
def test_nothing_is_lost_or_doubled_when_workers_end_with_work_in_hand(
    redis_url: str, database_url: str, tmp_path: Path, how: signal.Signals, rounds: int
) -> None:
    settings = {"broker_lease_s": 2, "broker_renew_s": 0.5, "claim_idle_s": 1, "batch_size": 10}
    with Stack(tmp_path, redis_url, database_url, **settings) as stack, ExitStack() as looking:
        stack.start("ingest", "storage", "inbox")
        redis = stack.redis()
        postgres = looking.enter_context(psycopg.connect(database_url, autocommit=True))
        senders = Senders(stack)

        def handed_to_ingest() -> int:
            return int(redis.hlen("unacked"))

        def begun_by_ingest() -> int:
            # Of the Celery door: a lost file would be offered again from the disk.
            return sum(b"-" in key for key in redis.keys("copydesk:tries:*"))

        def handed_to_storage() -> int:
            consumers = redis.xinfo_consumers("articles", "storage")
            return sum(int(c["pending"]) for c in consumers if c["name"] in ("storage", b"storage"))

        def begun_by_storage() -> int:
            return int(postgres.execute(OPEN_TRANSACTIONS).fetchall()[0][0])

        # Work is seen from both sides: a worker that acknowledged too early holds work of which Redis knows nothing.
        for _ in range(rounds):
            end_with_work_in_hand(stack, "ingest", handed_to_ingest, senders, how)
            end_with_work_in_hand(stack, "storage", begun_by_storage, senders, how)
            end_with_work_in_hand(stack, "ingest", begun_by_ingest, senders, how)
            end_with_work_in_hand(stack, "storage", handed_to_storage, senders, how)
        total = senders.files + senders.items
        assert total >= 160 * rounds
        stack.wait_for_rows("select count(*) from receipt", lambda rows: rows[0][0] >= total, deadline_s=90)
        wait_until(lambda: sum(1 for _ in stack.ended()) == senders.files, 30, f"every file settled; {stack.tail()}")
        wait_until(lambda: redis.xlen("articles") == 0 and redis.hlen("unacked") == 0, 30, "nothing left in Redis")

        assert stack.rows("select item_id, outcome, reason, scores from receipt where outcome <> 'stored'") == []
        assert stack.rows("select count(*) from receipt") == [(total,)]
        assert stack.rows("select count(*), count(distinct (source, item_id)) from receipt") == [(total, total)]
        assert stack.rows("select count(*), count(distinct article_id) from revision") == [(total, total)]
        assert stack.rows("select count(*) from sighting") == [(0,)]
        sent = {f"c{n}" for n in range(senders.items)}
        assert {i for (i,) in stack.rows("select item_id from receipt where source = 'agency'")} == sent
        names = {f"story-{n}.txt" for n in range(senders.files)}
        assert {n for (n,) in stack.rows("select name from revision where name is not null")} == names
        assert {path.name for path in stack.ended() if path.match("done/wire/*/*")} == names
        assert not list((stack.inbox / ".work").iterdir())
        assert stack.rows("select count(*) from ingest where closed_at is null or done <> total") == [(0,)]
