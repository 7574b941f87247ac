"""Writes the tables of docs/promises.md from what the faults did.

    python -m tests.faults.promises OURS.jsonl [STOCK.jsonl]

Each file has one line of JSON a fault, as `make faults` and `make faults-stock` leave them; a fault that was run twice
counts by its last line.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.processes import ROOT

PAGE = ROOT / "docs" / "promises.md"

BEGIN, END = "<!-- made by `python -m tests.faults.promises` -->", "<!-- until here -->"


def read(path: Path) -> dict[str, dict[str, Any]]:
    """The last result of each fault, in the order of the first."""
    found: dict[str, dict[str, Any]] = {}
    for line in path.read_text().splitlines():
        result = json.loads(line)
        found[result["fault"]] = result
    return found


def table(ours: dict[str, dict[str, Any]], stock: dict[str, dict[str, Any]]) -> str:
    """Fault, outcome, recovery; beside it what stock Celery lost and doubled, where it was tried."""
    lines = [
        "| fault | documents | lost | doubled | left behind | s to recover | stock Celery: lost / doubled / s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in [*ours, *(name for name in stock if name not in ours)]:
        cells = [name, *_of_ours(ours.get(name)), _of_stock(stock.get(name))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _of_ours(result: dict[str, Any] | None) -> Sequence[str]:
    if result is None:
        return [""] * 5
    again = len(result["lost_until_sent_again"])
    lost = str(len(result["lost"])) + (f" ({again} until sent again)" if again else "")
    left = str(len(result["stuck"]) + len(result["ended"]))
    return [str(result["sent"]), lost, str(len(result["doubled"])), left, f"{result['recovery_s']:.1f}"]


def _of_stock(result: dict[str, Any] | None) -> str:
    if result is None:
        return ""
    seconds = "stands still" if result["frozen"] else f"{result['recovery_s']:.1f}"
    return f"{result['lost']} of {result['sent']} / {result['doubled']} / {seconds}"


def main() -> None:
    """Put the tables between their marks."""
    files = [Path(argument) for argument in sys.argv[1:]]
    ours, stock = read(files[0]), read(files[1]) if len(files) > 1 else {}
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{table(ours, stock)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
