"""Each fault of the table amid documents from every door: nothing lost, nothing twice, nothing stuck.

`make faults` runs all of them with 2,000 documents each and prints the table.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.faults.driver import Result, Run, drive
from tests.faults.table import FAULTS, SHORT
from tests.faults.worlds import World

DOCUMENTS = int(os.environ.get("COPYDESK_TEST_FAULT_DOCUMENTS", "160"))
IS_LONG = "COPYDESK_TEST_FAULT_DOCUMENTS" in os.environ

# A pattern: only the faults whose names have it.
ONLY = os.environ.get("COPYDESK_TEST_FAULTS", "")

# The sending goes on over the whole of a fault, at about half of what two cores carry: so what is measured after the
# fault is the fault's, and not a backlog's.
SENDING_S = max(4.0, DOCUMENTS / 125)

# What takes longer says what it waited for.
SLOW_S = 10.0

# One line of JSON a result, for who makes a table of them.
RESULTS = os.environ.get("COPYDESK_TEST_FAULT_RESULTS")

COLUMNS = "{:<62} {:>6} {:>6} {:>8} {:>11} {:>12}"


class Worlds:
    """The run of the world at hand; another one ends it."""

    def __init__(self, folder: Path, template: Path) -> None:
        self._folder, self._template = folder, template
        self._numbers = itertools.count()
        self._open: tuple[World, Run] | None = None
        self._stack = contextlib.ExitStack()

    def enter(self, world: World) -> Run:
        if self._open is None or self._open[0] is not world:
            self.close()
            folder = self._folder / f"{world.__name__}-{next(self._numbers)}"
            folder.mkdir()
            self._open = world, self._stack.enter_context(world(folder, self._template))
        return self._open[1]

    def close(self) -> None:
        self._open = None
        self._stack.close()


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory, postgres_template: Path) -> Iterator[Worlds]:
    """One stack for all faults of a world: what one of them left behind is found with the next."""
    made = Worlds(tmp_path_factory.mktemp("faults"), postgres_template)
    print("\n" + COLUMNS.format("fault", "sent", "lost", "doubled", "sent again", "recovered s"))
    with contextlib.closing(made):
        yield made


def show(result: Result) -> None:
    counts = (len(labels) for labels in (result.lost, result.doubled, result.lost_until_sent_again))
    last = f"  {result.last}" if result.recovery_s > SLOW_S else ""
    print(COLUMNS.format(result.fault, result.sent, *counts, f"{result.recovery_s:.1f}") + last, flush=True)
    if result.stops:
        print("  stopped within s: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in result.stops.items()))
    if RESULTS:
        with Path(RESULTS).open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")


@pytest.mark.parametrize("name", [name for name in (FAULTS if IS_LONG else SHORT) if re.search(ONLY, name)])
def test_a_fault_loses_and_doubles_nothing_and_leaves_nothing_stuck(name: str, entered: Worlds) -> None:
    fault = FAULTS[name]
    run = entered.enter(fault.world)
    result = drive(run, name, fault.act, documents=DOCUMENTS, lasts_s=SENDING_S)
    show(result)

    assert result.is_clean(), f"{result}; {run.stack.tail()}"
    assert not result.lost_until_sent_again or fault.may_lose_jobs
