"""The likeness index in Redis: documents a second, waits, bytes a document, and how fast it is loaded.

    python -m benchmarks.dedupe_index [--documents 1000000] [--clients 4]

Keys and sketches are random, since only their number and length count here; every fifth document shares keys with one
before it. They are made in bulk, outside the time that is taken. The index is filled as `copydesk dedupe rebuild` fills
it, then the clients add to it one document a call, then 50 a call as a worker with full jobs does.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
import time
import uuid
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np

from copydesk.embedded import ValkeyServer
from copydesk.queue import streams
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import job_key

NOW = datetime.now(UTC)
WINDOW_S = 28 * 86400.0

# Packed sketches of English news texts of 3 KB, without their keys.
SKETCH_BYTES = 693
AT_ONCE = 200
BLOCK = 1000

# What texts have on average: 13.5 on the corpus of duplicates, 13.8 of English articles of 3 KB; the most is 16.
KEYS = 14
ADDED = 10_000

together: Barrier
"""Of the clients, in each of their processes."""


def main() -> None:
    """Fill, then measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        server = ValkeyServer(Path(folder))
        server.start()
        try:
            _measure(server.url, arguments.documents, arguments.clients)
        finally:
            server.stop()


def _measure(url: str, count: int, clients: int) -> None:
    client = streams.connect(url)
    index = index_on(url)
    before = client.info("memory")["used_memory"]
    index.begin(NOW, expected=count)
    seconds, used = 0.0, spent(client)
    for start in range(0, count, BLOCK):
        documents = _documents(start)
        started = time.perf_counter()
        for first in range(0, BLOCK, AT_ONCE):
            some = documents[first : first + AT_ONCE]
            index.load([(start + first + n, each) for n, each in enumerate(some, 1)], NOW)
        seconds += time.perf_counter() - started
    used = 1e6 * (spent(client) - used) / count
    index.lock("benchmark")
    index.finish("benchmark", index.state().server_run, count)
    size = (client.info("memory")["used_memory"] - before) / count
    print(f"loaded {count:,}: {count / seconds:,.0f} documents/s, {size:,.0f} bytes a document", end="")
    print(f", {size - SKETCH_BYTES:,.0f} without its sketch, {used:.0f} µs of Redis a document")
    for at_once in (1, 50):
        together = multiprocessing.Barrier(clients)
        used = spent(client)
        with multiprocessing.Pool(clients, initializer=_wait_for, initargs=(together,)) as pool:
            found = pool.starmap(_add, [(url, n, count, at_once) for n in range(clients)], chunksize=1)
        waits = sorted(itertools.chain.from_iterable(waits for _, _, waits in found))
        seconds = max(end for _, end, _ in found) - min(start for start, _, _ in found)
        added = ADDED * clients
        used = 1e6 * (spent(client) - used) / added
        p50, p99 = (1000 * waits[int(len(waits) * share)] for share in (0.5, 0.99))
        print(f"{clients} clients, {at_once} a call: {added / seconds:,.0f} documents/s, ", end="")
        print(f"p50 {p50:.1f} ms, p99 {p99:.1f} ms a call, {used:.0f} µs of Redis a document")


def _wait_for(barrier: Barrier) -> None:
    global together  # noqa: PLW0603  # a barrier reaches the processes of a pool only as they are made
    together = barrier


def _add(url: str, which: int, count: int, at_once: int) -> tuple[float, float, list[float]]:
    """(when it began, when it ended, how long each call took), in seconds; all clients begin together."""
    index, client = index_on(url), streams.connect(url)
    first = count + which * ADDED + at_once * 10**9
    documents = list(itertools.chain.from_iterable(_documents(first + n) for n in range(0, ADDED, BLOCK)))
    together.wait()
    waits, start = [], time.perf_counter()
    for place in range(0, ADDED, at_once):
        job_id = f"{which}-{place}-{at_once}"
        began = time.perf_counter()
        index.add(job_id, documents[place : place + at_once], NOW)
        waits.append(time.perf_counter() - began)
        client.delete(job_key(job_id))
    return start, time.perf_counter(), waits


def _documents(first: int) -> list[Keyed]:
    """`BLOCK` documents, the same for the same `first`."""
    random = np.random.default_rng(first)
    keys = random.integers(0, 1 << 63, (BLOCK, KEYS), dtype=np.uint64)
    keys[100::5, :8] = keys[:-100:5, :8]
    ids, sketches = random.bytes(16 * BLOCK), random.bytes(SKETCH_BYTES * BLOCK)
    return [
        Keyed(
            Record(
                str(uuid.UUID(bytes=ids[16 * n : 16 * n + 16])),
                NOW,
                sketches[SKETCH_BYTES * n : SKETCH_BYTES * (n + 1)],
            ),
            own,
        )
        for n, own in enumerate(keys.tolist())
    ]


def index_on(url: str) -> LikenessIndex:
    return LikenessIndex(streams.connect(url), window_s=WINDOW_S, bytes_max=1 << 40)


def spent(client: object) -> float:
    used = client.info("cpu")  # type: ignore[attr-defined]  # redis-py types it as Awaitable too
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


if __name__ == "__main__":
    main()
