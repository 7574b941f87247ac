"""What documents do, or what happens to them on their way: poison, one without an end, jobs and entries doubled,
reordered, unreadable; and the clock jumps."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Sequence

from copydesk.queue.app import INGEST_QUEUE
from copydesk.queue.entries import Outgoing
from copydesk.queue.streams import ARTICLES, ArticleStream, connect
from tests.entries import article, close, job, sha256, story, text
from tests.faults.driver import Act, Run
from tests.faults.moments import FOREVER, POISON
from tests.faults.process_faults import LASTS_S, SEED
from tests.waiting import wait_until

NEIGHBOURS = 6

# So often a document may end its worker before it is given up: twice in its job, twice alone.
TRIES_MAX = 4


def harmful(kind: str) -> Act:
    """A document that ends its worker, amid others in one job: it is dead in the end, and they are stored."""

    def act(run: Run) -> None:
        ids = [f"beside-{kind}{n}" for n in range(NEIGHBOURS)]
        items = [{"id": label, "body": story(7_000_000 + n)} for n, label in enumerate(ids)]
        items.insert(NEIGHBOURS // 2, {"id": kind, "body": story(7_100_000)})
        run.expected |= dict.fromkeys(ids, "stored") | {kind: "dead"}
        run.stack.send(*items, source="agency")
        ended = 0

        def is_settled() -> bool:
            nonlocal ended
            if not run.stack.is_running("ingest"):
                ended += 1
                run.may_end("ingest")
            run.tend()
            return bool(run.stack.rows("select 1 from receipt where item_id = %s", kind))

        wait_until(is_settled, 240, f"the end of {kind}; {run.stack.tail()}", every_s=0.1)
        assert 1 <= ended <= TRIES_MAX
        kept = "select 1 from dead_letter join raw on raw.sha256 = raw_sha256 where item_id = %s"
        assert run.stack.rows(kept, kind), "its bytes are kept"

    return act


poison = harmful(POISON)
for_ever = harmful(FOREVER)


def delivered_twice_and_out_of_order(run: Run) -> None:
    """Jobs and entries stand in Redis twice, shuffled, before anybody reads them."""
    shuffled = random.Random(SEED)
    client = run.stack.redis()
    for _ in range(2):
        for name in ("ingest", "storage"):
            os.kill(run.stack.pid(name), signal.SIGSTOP)
        try:
            wait_until(lambda: client.llen(INGEST_QUEUE) >= 4, 30, "jobs that nobody has taken")
            jobs = _bytes(client.lrange(INGEST_QUEUE, 0, -1))
            entries = [fields for _, fields in client.xrange(ARTICLES)]
            shuffled.shuffle(jobs)
            shuffled.shuffle(entries)
            client.rpush(INGEST_QUEUE, *jobs)
            for fields in entries:
                client.xadd(ARTICLES, fields)
        finally:
            for name in ("ingest", "storage"):
                os.kill(run.stack.pid(name), signal.SIGCONT)
        run.last(LASTS_S / 2)


def entries_backwards(run: Run) -> None:
    """The closing entry first, each entry twice."""
    stream = ArticleStream(connect(run.redis.url))
    for n in range(3):
        ref = job(f"backwards{n}")
        ids = [f"backwards{n}-{k}" for k in range(NEIGHBOURS)]
        entries = [Outgoing(article(i, text(8_000_000 + 10 * n + k), job=ref)) for k, i in enumerate(ids)]
        for outgoing in (Outgoing(close(ref, NEIGHBOURS)), *reversed(entries), *entries):
            stream.publish([outgoing])
        run.expected |= dict.fromkeys(ids, "stored")
        run.last(LASTS_S / 3)


def unreadable_messages(run: Run) -> None:
    """On the queue lies what is no message, between jobs: each is recorded with its bytes."""
    client = run.stack.redis()
    for n in range(3):
        message = b"\xff no message %d" % n
        client.lpush(INGEST_QUEUE, message)
        run.expected[f"unreadable{sha256(message)[:32]}"] = "rejected"
        run.last(LASTS_S / 3)
    query = "select count(*) from dead_letter where code = 'unreadable_message'"
    run.demands.append(lambda: iter(() if run.stack.rows(query) == [(3,)] else ("a dead letter of each",)))


def clock_jumps(*hours: int) -> Act:
    """That of the processes and of Redis, not that of Postgres."""

    def act(run: Run) -> None:
        assert run.clock
        for ahead in hours:
            run.clock.write_text(f"{ahead * 3600:+d}\n")
            run.last(LASTS_S)  # a process looks at it once a second

    return act


def _bytes(values: object) -> list[bytes]:
    assert isinstance(values, Sequence)
    return list(values)
