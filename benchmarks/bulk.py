"""Documents a second through `copydesk ingest --bulk --wait`, its CPU time and the most memory that it took.

    python -m benchmarks.bulk [--documents 20000] [--size 600]

A folder of that many small files, then one list of as many lines; the stack as in `whole_stack`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import doors
from benchmarks.texts import articles
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
        for number, text in enumerate(articles(arguments.documents, size=arguments.size, seed=1)):
            path = many / f"{number // 1000:03}" / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with listed.open("w", encoding="utf-8") as file:
            for text in articles(arguments.documents, size=arguments.size, seed=2):
                file.write(json.dumps({"text": text}) + "\n")
        for path in (many, listed):
            _measure(path, os.environ | environment(running.settings))


def _measure(path: Path, surroundings: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "copydesk.cli", "ingest", str(path), "--bulk", "--wait", "--json"],
        env=surroundings,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    told = json.loads(process.stdout.read())
    _, _, used = os.wait4(process.pid, 0)
    print(
        f"{path.name}: {told['documents'] / told['seconds']:,.0f} documents/s, "
        f"{1e6 * (used.ru_utime + used.ru_stime) / told['documents']:.0f} µs CPU a document of its own, "
        f"peak {used.ru_maxrss / 1024:.0f} MB, {told['outcomes']}"
    )


if __name__ == "__main__":
    main()
