"""What hostile inputs cost: outcome, seconds and memory of each, through the worker's own parsing and cleaning.

    python -m benchmarks.hostile [part of a name]

Each input runs in a process of its own under the default settings: seconds of the clock, and the largest memory of
that process and of the limited child in it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime

from benchmarks.hostile_inputs import HOSTILE
from copydesk.settings import load


def measure(number: int) -> dict[str, object]:
    """The outcome and the cost of one input, in this process."""
    from copydesk.cleaning import load_rules, prepare
    from copydesk.delivery.limited import LimitedParser
    from copydesk.delivery.publication import Limits, entries_of
    from copydesk.errors import InputTooLarge
    from copydesk.models import Hints
    from copydesk.queue.entries import ArticleEntry, CloseEntry
    from copydesk.queue.jobs import Job, JobItem

    settings = load({})
    hostile = HOSTILE[number]
    data = hostile.make()
    rules = load_rules()
    prepare(rules)
    parser = LimitedParser(seconds=settings.parse_seconds_max, memory_bytes=settings.parse_memory_bytes_max)
    item = JobItem(id="1", ref="1/0", hints=Hints(filename=hostile.filename))
    job = Job(v=1, id="1", source="s", kind="file", received_at=datetime.now(UTC), items=(item,))

    def read(ref: str, limit: int) -> bytes:
        if len(data) > limit:
            raise InputTooLarge(ref, f"{len(data):,} bytes, the limit is {limit:,}")
        return data

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    limits = Limits(settings.job_item_bytes_max, settings.document_bytes_max)
    entries = [o.entry for o in entries_of(job, rules, read, limits, parse=parser.parse)]
    seconds = time.monotonic() - started
    parser.stop()
    codes: dict[str, int] = {}
    for entry in entries:
        if not isinstance(entry, CloseEntry):
            code = "article" if isinstance(entry, ArticleEntry) else entry.code or entry.outcome.value
            codes[code] = codes.get(code, 0) + 1
    return {
        "codes": codes,
        "seconds": seconds,
        "worker_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "child_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "size": len(data),
    }


def main() -> int:
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(int(sys.argv[2]))))
        return 0
    wanted = " ".join(sys.argv[1:])
    print("| input | bytes | outcome | seconds | worker, MB more | child, MB |\n|---|---|---|---|---|---|")
    for number, hostile in enumerate(HOSTILE):
        if wanted not in hostile.name:
            continue
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.hostile", "--one", str(number)],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        if done.returncode:
            print(f"| {hostile.name} | | ended with {done.returncode}: {done.stderr[-200:]!r} | | | |", flush=True)
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        outcome = ", ".join(f"{code} ({count})" if count > 1 else code for code, count in found["codes"].items())
        print(
            f"| {hostile.name} | {found['size']:,} | {outcome} | {found['seconds']:.2f} | {found['worker_mb']:.0f} "
            f"| {found['child_mb']:.0f} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
