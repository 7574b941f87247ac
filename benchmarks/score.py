"""Cleaning quality on the corpora beside the project, ours and the peers' in one run.

    python -m benchmarks.score [plaintext | pages] [option of the scorer …]        (or: make score)

The corpora and their scorer are not part of the project: COPYDESK_SHARED names the folder that has them. Peers that are
not installed are left out by the scorer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SHARED = Path(os.environ.get("COPYDESK_SHARED", "../shared"))

# What is scored, by name: the scorer's file and its arguments. `make score` runs all.
SUITES: dict[str, tuple[str, ...]] = {
    "plaintext": (
        "plaintext_score.py",
        "benchmarks.score_hooks:plaintext",
        *("base:identity", "base:trafilatura", "base:justext"),
    ),
    "pages": (
        "extraction_score.py",
        *("--sets", "n4k-news,aeb,fundus-eval,fundus-tests"),
        "benchmarks.score_hooks:page_text",
        *("peer:trafilatura", "peer:trafilatura-precision", "peer:justext"),
        *("--meta", "benchmarks.score_hooks:page_meta"),
        *("--meta", "peer:trafilatura", "--meta", "peer:htmldate", "--meta", "peer:structured-only"),
    ),
}


def main(arguments: list[str]) -> int:
    """Run the suites named first among the arguments, all where none is; 2 where there are no corpora."""
    chosen = [name for name in SUITES if name in arguments[:1]] or list(SUITES)
    options = arguments[1:] if arguments[:1] == chosen else arguments
    status = 0
    for name in chosen:
        script, *rest = SUITES[name]
        scorer = SHARED / "score" / script
        if not scorer.exists():
            print(f"no corpora: {scorer} is not there; set COPYDESK_SHARED", file=sys.stderr)
            return 2
        status = max(status, subprocess.run([sys.executable, str(scorer), *rest, *options], check=False).returncode)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
