"""Ask about processes that are not our children."""

from __future__ import annotations

import subprocess


def has_ended(pid: int) -> bool:
    """Whether nothing runs as `pid` any more; a dead process that init has not yet collected has ended."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()[:1] in {"", "Z"}
