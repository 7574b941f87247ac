"""Quality on the corpora beside the project, ours and the peers' in one run: cleaning, then duplicates.

    python -m benchmarks.score [cleaning|pages|duplicates]        (or: make score)

The corpora and their scorers are not part of the project: COPYDESK_SHARED names the folder that has them. Peers that
are not installed are left out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

SHARED = Path(os.environ.get("COPYDESK_SHARED", "../shared"))

CLEANING_PEERS = ("base:identity", "base:trafilatura", "base:justext")

PAGE_SETS = "n4k-news,aeb,fundus-eval,fundus-tests"
PAGE_PEERS = ("trafilatura", "trafilatura-precision", "justext")
FIELD_PEERS = ("benchmarks.score_hooks:page_meta", "peer:trafilatura", "peer:htmldate", "peer:structured-only")
# Ten times slower than the others, and not among the developers' tools: scored where it is installed.
SLOW_FIELD_PEERS = ("peer:newspaper4k",) if find_spec("newspaper") else ()

# Each at the settings that did best on the corpus: word 5-grams, Jaccard .5.
DUPLICATE_DETECTORS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("benchmarks.score_hooks:make_judge", "copydesk", {}),
    ("datasketch", "datasketch", {"threshold": 0.5, "n": 5}),
    ("rensa", "rensa", {"threshold": 0.5, "n": 5}),
    ("title", "copydesk", {}),
)


def cleaning() -> int:
    """Score the cleaning of plain text; the scorer leaves out peers that are not installed."""
    scorer = SHARED / "score" / "plaintext_score.py"
    return _run(str(scorer), "benchmarks.score_hooks:plaintext", *CLEANING_PEERS)


def pages() -> int:
    """Score texts and fields of pages beside the peers."""
    scorer = SHARED / "score" / "extraction_score.py"
    texts = ("benchmarks.score_hooks:page_text", *(f"peer:{name}" for name in PAGE_PEERS))
    fields = [part for name in FIELD_PEERS + SLOW_FIELD_PEERS for part in ("--meta", name)]
    return _run(str(scorer), "--sets", PAGE_SETS, *texts, *fields)


def duplicates() -> int:
    """Score the judge of duplicates; the exit status is that of the worst run."""
    scorer, data = SHARED / "score" / "dedup_score.py", SHARED / "corpora" / "dedup"
    worst = 0
    for detector, package, options in DUPLICATE_DETECTORS:
        if find_spec(package) is None:
            print(f"{detector}: not installed")
            continue
        ran = _run(str(scorer), "--data", str(data), "--detector", detector, "--opts", json.dumps(options))
        worst = max(worst, ran)
    return worst


def _run(*arguments: str) -> int:
    return subprocess.run([sys.executable, *arguments], check=False).returncode


SUITES = {"cleaning": cleaning, "pages": pages, "duplicates": duplicates}


def main() -> None:
    """Run the suites asked for, or all; exits with 2 where there are no corpora or no such suite."""
    asked = sys.argv[1:] or list(SUITES)
    if not (SHARED / "score").exists():
        print(f"no corpora: {SHARED / 'score'} is not there; set COPYDESK_SHARED", file=sys.stderr)
        sys.exit(2)
    if unknown := set(asked) - set(SUITES):
        print(f"no such suite: {', '.join(sorted(unknown))}", file=sys.stderr)
        sys.exit(2)
    sys.exit(max(SUITES[name]() for name in asked))


if __name__ == "__main__":
    main()
