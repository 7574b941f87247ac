"""What hostile servers and streams cost: outcome, seconds and memory of each, under the default limits of a fetch.

    python -m benchmarks.hostile_servers

The servers are real ones on loopback; memory is what Python allocated at the peak. A file of one line is cut as the
inbox cuts it.
"""

from __future__ import annotations

import gzip
import itertools
import time
import tracemalloc
from collections.abc import Callable

import brotli

from benchmarks.zstd_module import zstd
from copydesk.cleaning.bounded import compile_bounded
from copydesk.delivery.manners import client_of
from copydesk.errors import FetchError
from copydesk.formats import lists
from copydesk.settings import load
from tests.feed_server import Answer, FeedServer, feed_server

MB = 1024 * 1024
ZEROS = bytes(500 * MB)


class EndlessLine:
    """A file that is one line of `size` bytes."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readline(self, size: int, /) -> bytes:
        """The next piece of the line, without a break."""
        taken = min(size, self.left)
        self.left -= taken
        return b"x" * taken


def answers(server: FeedServer) -> dict[str, Answer]:
    """What each hostile server sends."""
    packed = {"gzip": gzip.compress(ZEROS), "br": brotli.compress(ZEROS, quality=1), "zstd": zstd.compress(ZEROS)}
    return {
        "an endless body": Answer(behave=lambda handler: server.drip(handler, itertools.repeat(b"x" * 65536))),
        "a byte every 0.1 s": Answer(behave=lambda handler: server.drip(handler, itertools.repeat(b"x"), 0.1)),
        "silence": Answer(behave=lambda handler: server.drip(handler, itertools.repeat(b"x"), 600.0)),
        "a redirect to itself": Answer(status=302, headers={"Location": "/hostile"}),
        "a redirect to cloud metadata": Answer(status=302, headers={"Location": "http://169.254.169.254/latest"}),
        **{
            f"500 MB of zeros as {coding}": Answer(data, headers={"Content-Encoding": coding})
            for coding, data in packed.items()
        },
    }


def measure(name: str, act: Callable[[], str]) -> None:
    """Print a row of the table."""
    tracemalloc.start()
    started = time.monotonic()
    outcome = act()
    seconds = time.monotonic() - started
    peak = tracemalloc.get_traced_memory()[1] / MB
    tracemalloc.stop()
    print(f"| {name} | {outcome} | {seconds:.2f} | {peak:.0f} |", flush=True)


def main() -> None:
    """Print the table."""
    client = client_of(load({"COPYDESK_FETCH_ALLOW_PRIVATE": "1"}))
    print("| what | outcome | seconds | MB |\n|---|---|---|---|")
    with feed_server() as server:
        for name, answer in answers(server).items():
            url = server.put("/hostile", answer)

            def fetch(url: str = url) -> str:
                try:
                    return f"{len(client.fetch(url).body):,} bytes"
                except FetchError as error:
                    return error.code

            measure(name, fetch)

    def cut() -> str:
        (run,) = lists.cut("records", EndlessLine(1024 * MB), 20 * MB)
        return run.error.code if run.error else "read"

    def compile_rule() -> str:
        try:
            compile_bounded("(a+)+$")
        except ValueError:
            return "refused when the rules are loaded"
        return "taken"

    measure("a file of one line of 1 GB", cut)
    measure("the rule `(a+)+$`", compile_rule)


if __name__ == "__main__":
    main()
