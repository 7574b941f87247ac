"""Asks whether any dependency of ours has a known hole: `make audit`, or `python -m tests.audit`.

pip-audit does the asking. It passes with nothing looked up where the advisory database cannot be reached, so what it
really looked up is counted here: nothing is NOT AUDITED, which is no failure on a machine without internet, and one
where COPYDESK_TEST_AUDIT=required.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent

_COMMAND = (
    *("pip_audit", "--requirement", str(ROOT / "constraints.txt"), "--no-deps", "--disable-pip"),
    *("--format", "json", "--progress-spinner", "off", "--timeout", "20"),
)


_NONE = "no version yet"


class Verdict(NamedTuple):
    """`lines` for whoever reads the log; `has_failed` where that is to stop a build."""

    lines: list[str]
    has_failed: bool


def judge(report: dict[str, Any] | None, complaint: str, *, is_required: bool) -> Verdict:
    """From pip-audit's JSON, None where it gave none, and the last line that it complained with."""
    found = report["dependencies"] if report else []
    audited = [each for each in found if "skip_reason" not in each]
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or _NONE}"
        for each in audited
        for hole in each["vulns"]
    ]
    skipped = [each for each in found if "skip_reason" in each]
    if not audited:
        why = complaint or (skipped[0]["skip_reason"] if skipped else "nothing to audit")
        return Verdict([f"NOT AUDITED: the advisory database does not answer for any of them ({why})"], is_required)
    said = f"audited: {len(audited)} of {len(found)} dependencies, {len(holes)} known holes"
    not_asked = [f"NOT AUDITED: {', '.join(each['name'] for each in skipped)}"] if skipped else []
    return Verdict([*holes, *not_asked, said], bool(holes) or (is_required and bool(skipped)))


def main() -> int:
    """Run it and print the verdict."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *_COMMAND], capture_output=True, text=True, timeout=600, check=False
        )
        printed, complaints = done.stdout, done.stderr.strip().splitlines()
    except subprocess.TimeoutExpired:
        printed, complaints = "", ["no answer within ten minutes"]
    report = json.loads(printed) if printed.startswith("{") else None
    complaint = complaints[-1] if complaints and report is None else ""
    verdict = judge(report, complaint, is_required=os.environ.get("COPYDESK_TEST_AUDIT") == "required")
    print("\n".join(verdict.lines))
    return int(verdict.has_failed)


if __name__ == "__main__":
    sys.exit(main())
