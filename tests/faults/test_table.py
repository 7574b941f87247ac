"""Each fault of the table amid documents from every door: nothing lost, nothing twice, nothing stuck.

`make faults` runs all of them with 2,000 documents each and prints the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.driver import Result, Run, drive, running
from tests.faults.table import FAULTS, SHORT

DOCUMENTS = int(os.environ.get("COPYDESK_TEST_FAULT_DOCUMENTS", "160"))
IS_LONG = DOCUMENTS >= 2000

# The sending goes on over the whole of a fault.
SENDING_S = 8.0 if IS_LONG else 4.0

# What Redis forgot of jobs that no worker had taken is lost until it is sent again; no other fault may lose anything.
MAY_LOSE_JOBS = {"Redis flushed"}

COLUMNS = "{:<30} {:>6} {:>6} {:>8} {:>11} {:>12}"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, postgres_template: Path) -> Iterator[Run]:
    """One stack for all faults: what one of them left behind is found with the next."""
    with running(tmp_path_factory.mktemp("faults"), postgres_template) as made:
        print("\n" + COLUMNS.format("fault", "sent", "lost", "doubled", "sent again", "recovered s"))
        yield made


def show(result: Result) -> None:
    counts = (len(labels) for labels in (result.lost, result.doubled, result.lost_until_sent_again))
    print(COLUMNS.format(result.fault, result.sent, *counts, f"{result.recovery_s:.1f}"), flush=True)


@pytest.mark.parametrize("fault", FAULTS if IS_LONG else SHORT)
def test_a_fault_loses_and_doubles_nothing_and_leaves_nothing_stuck(fault: str, run: Run) -> None:
    result = drive(run, fault, FAULTS[fault], documents=DOCUMENTS, lasts_s=SENDING_S)
    show(result)

    assert result.is_clean(), f"{result}; {run.stack.tail()}"
    assert not result.lost_until_sent_again or fault in MAY_LOSE_JOBS
