"""How long the likeness index takes to be loaded from Postgres, and the memory that it takes then.

    python -m benchmarks.dedupe_rebuild [--documents 1000000]

As many sketches as asked for, as long as those of English texts of 3 KB and spread over the window; their keys are
random, the rest is the same. Both servers are the embedded ones, with nothing else to do.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from benchmarks.dedupe_index import KEYS, NOW, WINDOW_S, index_on, spent
from benchmarks.texts import articles
from copydesk.dedupe.sketch import pack, sketch, split_keys
from copydesk.delivery import restoring
from copydesk.embedded import PostgresServer, ValkeyServer
from copydesk.queue import streams
from copydesk.queue.streams import ArticleStream
from copydesk.storage import connection as database
from copydesk.storage import schema

_FILL = """
insert into sketch (document_id, number, source, received_at, article_id, is_settled, data)
select id, n, 'agency', %(first)s + n * %(step)s, id, true,
       %(head)s || substr(sha512(n::text::bytea) || sha512((-n)::text::bytea), 1, 8 * %(keys)s) || %(rest)s
  from (select n, (lpad(to_hex((extract(epoch from %(first)s + n * %(step)s) * 1000)::bigint), 12, '0') || '80008'
                   || lpad(to_hex(n), 15, '0'))::uuid as id
          from generate_series(1, %(count)s) as n) as t
"""


def main() -> None:
    """Fill Postgres, load the index, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    count = parser.parse_args().documents
    with (
        tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder,
        PostgresServer(Path(folder) / "postgres", fsync=False) as postgres,
        ValkeyServer(Path(folder) / "redis") as valkey,
        database.connect(postgres.url, deadline_s=3600) as connection,
    ):
        schema.install(connection)
        connection.commit()
        _fill(connection, count)
        client = streams.connect(valkey.url)
        before, used = client.info("memory")["used_memory"], spent(client)
        started, own = time.perf_counter(), time.process_time()
        loaded = restoring.rebuild(
            index_on(valkey.url),
            ArticleStream(client),
            connection,
            now=NOW,
            window=timedelta(seconds=WINDOW_S),
            anew=True,
        )
        seconds, own = time.perf_counter() - started, time.process_time() - own
        print(
            f"loaded {loaded:,} in {seconds:.0f} s: {own:.1f} s of its own CPU, {spent(client) - used:.1f} s of Redis"
        )
        memory = client.info("memory")
        print(
            f"{(memory['used_memory'] - before) / count:,.0f} bytes a document, {memory['used_memory'] / 1e6:,.0f} MB"
        )


def _fill(connection: database.Connection, count: int) -> None:
    sketches = (pack(sketch(title, body)) for title, _, *body in (text.split("\n\n") for text in articles(100)))
    packed = next(each for each in sketches if len(split_keys(each)[0]) == KEYS)
    keys, bare = split_keys(packed)
    at = packed.index(keys[0].to_bytes(8, "little"))
    connection.execute(
        _FILL,
        {
            "first": NOW - timedelta(seconds=WINDOW_S),
            "step": timedelta(seconds=WINDOW_S / (count + 1)),
            "head": packed[:at],
            "rest": bare[at:],
            "count": count,
            "keys": KEYS,
        },
    )
    connection.commit()


if __name__ == "__main__":
    main()
