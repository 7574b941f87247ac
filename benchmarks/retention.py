"""Retention by slices: rows a second that go, what a writer beside it feels, and what the index for it costs at insert.

python -m benchmarks.retention [--rows 100000]

Inputs of 1.5 KB (3 KB of text, compressed) and articles of 3 KB, half of them over their days.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from copydesk import stack
from copydesk.settings import load
from copydesk.storage import connection as database
from copydesk.storage import raws, retention
from copydesk.storage.connection import Connection

BATCH = 200

_ARTICLES = """
with heads as (
    insert into article_head (id, source, current_revision, cluster_id, position, changed_at)
    select gen_random_uuid(), 'bench', 1, gen_random_uuid(), n, now() - make_interval(days => (n %% 2)::integer * 100)
      from generate_series(1, %(rows)s) n returning id)
insert into revision (article_id, number, format, title, zone_unknown, authors, credits, rights, captions, corrections,
       body, pieces, warnings, rules_version, item_sha256, content_sha256, raw_sha256, received_at)
select id, 1, 'text', 'A title', false, '{}', '{}', '{}', '{}', '{}',
       array[repeat(md5(id::text), 90)], '[]', '{}', '', '', '', '', now()
  from heads
"""


def main() -> None:
    """Fill, then let half of it go while a writer writes."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
        settings, _ = cleanup.enter_context(stack.servers(load({}, data_dir=folder), embedded=True))
        stack.prepare(settings)
        url = settings.postgres_url.get_secret_value()
        connection = cleanup.enter_context(database.connect(url, deadline_s=600))
        beside = cleanup.enter_context(database.connect(url, deadline_s=600))
        with connection.transaction():
            connection.execute("insert into reader (name, position) values ('bench', %s)", (rows,))
            connection.execute("drop index raw_kept")
        without = _fill(connection, rows // 2)
        with connection.transaction():
            connection.execute("create index raw_kept on raw (source, stored_at)")
            connection.execute("update raw set stored_at = stored_at - interval '100 days'")
        print(f"inputs written: {without:,.0f}/s without the index, {_fill(connection, rows // 2):,.0f}/s with it")
        with connection.transaction():
            connection.execute(_ARTICLES, {"rows": rows})
        alone = [_write(beside) for _ in range(50)]
        for what, drop in (("inputs", retention.drop_inputs), ("articles", retention.expire_articles)):
            _drop(connection, beside, what, drop)
        print(f"a writer's batch of {BATCH} inputs alone: median {1000 * statistics.median(alone):.0f} ms")


def _fill(connection: Connection, rows: int) -> float:
    started = time.perf_counter()
    for _ in range(0, rows, BATCH):
        _write(connection)
    return rows / (time.perf_counter() - started)


def _write(connection: Connection) -> float:
    batch = {uuid.uuid4().hex * 2: raws.Input(os.urandom(1500), "bench") for _ in range(BATCH)}
    started = time.perf_counter()
    with connection.transaction():
        raws.add(connection, batch)
    return time.perf_counter() - started


def _drop(connection: Connection, beside: Connection, what: str, drop: Callable[[Connection, str, float], int]) -> None:
    slices, batches, gone = [], [], 0
    while True:
        started = time.perf_counter()
        with connection.transaction():
            count = drop(connection, "bench", 30)
        slices.append(time.perf_counter() - started)
        gone += count
        batches.append(_write(beside))
        if count < retention.SLICE:
            break
    print(
        f"{what}: {gone:,} gone, {gone / sum(slices):,.0f}/s; a slice of {retention.SLICE}: median "
        f"{1000 * statistics.median(slices):.0f} ms, longest {1000 * max(slices):.0f} ms; a writer's batch between: "
        f"median {1000 * statistics.median(batches):.0f} ms"
    )


if __name__ == "__main__":
    main()
