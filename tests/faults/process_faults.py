"""What happens to processes: killed at random and at named moments, stopped, restarted, more of them and fewer."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time

from tests.faults.driver import PROCESSES, Act, Run
from tests.faults.moments import MOMENTS, Moment
from tests.waiting import wait_until

# How long a server is away or refuses, and how long kills go on.
LASTS_S = 4.0

# A fixed seed: a run that fails can be had again, as far as the machine lets it.
SEED = 7

# One after the other in the short form.
TELLING = (
    "accepted and not answered",
    "after the claim",
    "spooled and not noted",
    "taken and not recorded",
    "published and not acknowledged",
    "committed and not acknowledged",
)


def killed(name: str) -> Act:
    def act(run: Run) -> None:
        moments = random.Random(f"{SEED} {name}")
        for _ in range(4):
            run.last(moments.uniform(0.2, 1.8))
            run.end(name)
        run.tend()

    return act


def killed_at(name: str, moment: Moment) -> Act:
    """Twice: the successor of a killed process comes through the same moment again."""

    def act(run: Run) -> None:
        for _ in range(2):
            run.end_at(name, moment)
            run.tend()

    return act


def killed_at_telling_moments(run: Run) -> None:
    for name, moments in MOMENTS.items():
        for moment in moments:
            if moment.name in TELLING:
                run.end_at(name, moment)
                run.tend()


def restarted_in_turn(how: signal.Signals) -> Act:
    def act(run: Run) -> None:
        for name in PROCESSES:
            run.end(name, how)
            run.last(0.5)

    return act


def stopped_and_stopped_again(run: Run) -> None:
    """Somebody who waits for no end: SIGTERM, a moment later SIGTERM again, then SIGKILL."""
    for name in PROCESSES:
        for _ in range(2):
            os.kill(run.stack.pid(name), signal.SIGTERM)
            time.sleep(0.05)
        run.end(name)
        run.last(0.3)


def two_schedulers(run: Run) -> None:
    run.more("scheduler-2")
    run.last(LASTS_S)
    run.fewer("scheduler-2")


def more_and_fewer_workers(run: Run) -> None:
    more = ("ingest-2", "ingest-3", "ingest-4")
    run.more(*more)
    wait_until(lambda: all(run.stack.ask(name, "/livez")[0] == 200 for name in more), 60, "three workers more")
    run.last(LASTS_S)
    run.fewer(*more)


def suspended_and_replaced(run: Run) -> None:
    """A worker stands still for longer than its lease while another works, then goes on as if nothing had been."""
    run.more("ingest-2")
    wait_until(lambda: run.stack.ask("ingest-2", "/livez")[0] == 200, 60, "a second worker")
    pid = run.stack.pid("ingest")
    os.kill(pid, signal.SIGSTOP)
    try:
        run.last(8)  # the lease has 5 s and ends up to 1 s late
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    run.fewer("ingest-2")


def nothing(run: Run) -> None:
    """What the others are compared with: so long the backlog takes by itself."""
    run.last(LASTS_S)
