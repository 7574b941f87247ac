"""Cleaning quality on the corpora beside the project, ours and the peers' in one run.

    python -m benchmarks.score        (or: make score)

The corpora and their scorer are not part of the project: COPYDESK_SHARED names the folder that has them. Peers that are
not installed are left out by the scorer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SHARED = Path(os.environ.get("COPYDESK_SHARED", "../shared"))

PEERS = ("base:identity", "base:trafilatura", "base:justext")


def main() -> None:
    """Run the scorer; exits with its status, or with 2 where there are no corpora."""
    scorer = SHARED / "score" / "plaintext_score.py"
    if not scorer.exists():
        print(f"no corpora: {scorer} is not there; set COPYDESK_SHARED", file=sys.stderr)
        sys.exit(2)
    command = [sys.executable, str(scorer), "benchmarks.score_hooks:plaintext", *PEERS, *sys.argv[1:]]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
