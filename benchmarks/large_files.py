"""Cutting a list of many documents, and reading feeds of megabytes: time and memory against size.

python -m benchmarks.large_files [documents]
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from copydesk import formats
from copydesk.delivery import cutting, spool
from copydesk.delivery.claims import WORK, Claim, ClaimedFile
from copydesk.formats.members import Limits
from copydesk.models import Hints

PARAGRAPH = "The ferry to Skerry Island sailed again on Tuesday after eleven days in dock, and every seat was taken. "


def cut(documents: int) -> None:
    """The inbox's share of a JSON lines file of 3 KB a document; parts are removed as if they were committed."""
    with tempfile.TemporaryDirectory() as folder:
        inbox = Path(folder)
        claim = Claim("0" * 32, "wire", datetime.now(UTC), (ClaimedFile(0, "dump.jsonl", 0, 0),))
        work = inbox / WORK / claim.id
        work.mkdir(parents=True)
        with (work / "0").open("w") as file:
            for number in range(documents):
                print(json.dumps({"id": number, "title": f"Story {number}", "text": PARAGRAPH * 29}), file=file)
        size = (work / "0").stat().st_size
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        parts = 0
        for part in cutting.parts(inbox, claim, Limits(20 << 20, 4 << 30, 200_000), ()):
            spool.remove(work, [part.id])
            parts += 1
        used = time.process_time() - started
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        print(f"cut {documents:,} documents, {size / 1e6:.0f} MB: {parts:,} jobs, {used:.1f} s of CPU, {grown:.0f} MB")


def feed(items: int, *, is_broken: bool = False) -> None:
    """An RSS feed of so many items of 1 KB of HTML; a broken one goes through feedparser's second, looser parser."""
    body = f"&lt;p&gt;{PARAGRAPH * 9}&lt;/p&gt;"
    entries = "".join(
        f"<item><title>Story {n}</title><guid>g{n}</guid><link>https://s.example/{n}</link>"
        f"<pubDate>Tue, 21 May 2024 08:00:00 GMT</pubDate><description>{body}</description></item>"
        for n in range(items)
    )
    data = f'<rss version="2.0"><channel><title>S</title>{entries}{"<b></i>" * is_broken}</channel></rss>'.encode()
    started = time.process_time()
    found = formats.parse(data, Hints(filename="feed.xml"))
    used = time.process_time() - started
    kind = "broken feed" if is_broken else "feed"
    print(f"{kind} of {len(data) / 1e6:.1f} MB, {len(found):,} items: {used:.2f} s of CPU")


if __name__ == "__main__":
    for count in (1000, 2000, 4000, 8000):
        feed(count)
        feed(count, is_broken=True)
    for count in (int(sys.argv[1]) // 10, int(sys.argv[1])) if sys.argv[1:] else (10_000, 100_000):
        cut(count)
