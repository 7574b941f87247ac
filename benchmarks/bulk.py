"""Documents a second through `copydesk ingest --bulk --wait` and `copydesk reclean`, their CPU time and most memory.

    python -m benchmarks.bulk [--documents 20000] [--size 600]

A folder of that many small files, then one list of as many lines; then all of it is cleaned again by the same rules.
The stack as in `whole_stack`. CPU time is that of the command alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

from benchmarks import doors
from copydesk.settings import environment


def main() -> None:
    """Measure both, one after the other, on one stack."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--size", type=int, default=600, help="bytes of a text")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="copydesk-bench-") as given,
        doors.running(Path(given) / "stack", ingest_processes=1) as running,
    ):
        many, listed = Path(given) / "many", Path(given) / "list.jsonl"
        for number, text in enumerate(_stories(arguments.documents, arguments.size, seed=1)):
            path = many / f"{number // 1000:03}" / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with listed.open("w", encoding="utf-8") as file:
            for text in _stories(arguments.documents, arguments.size, seed=2):
                file.write(json.dumps({"text": text}) + "\n")
        surroundings = os.environ | environment(running.settings)
        for path in (many, listed):
            told = _measure(["ingest", str(path), "--bulk", "--wait"], surroundings, path.name)
            print(f"  {told['outcomes']}")
        _measure(["reclean", "--all", "--apply"], surroundings, "reclean")


def _stories(count: int, size: int, *, seed: int) -> Iterator[str]:
    """Texts of words in no order, so that none is like another."""
    random_ = random.Random(seed)
    words = " ".join(topics.values()).split()
    for number in range(count):
        third = " ".join(random_.choices(words, k=size // 18))
        yield f"Report {seed}-{number} on {random_.choice(words)}\n\n{third}.\n\n{third[::-1]}.\n\n{third} {number}.\n"


def _measure(command: list[str], surroundings: dict[str, str], what: str) -> dict[str, Any]:
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "copydesk.cli", *command, "--json"], env=surroundings, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.read())
    _, _, used = os.wait4(process.pid, 0)
    count = told.get("documents") or told["articles"]
    print(
        f"{what}: {count:,}, {count / (time.perf_counter() - started):,.0f} a second, "
        f"{1e6 * (used.ru_utime + used.ru_stime) / count:.0f} µs CPU each, peak {used.ru_maxrss / 1024:.0f} MB"
    )
    return told


if __name__ == "__main__":
    main()
