"""Minutes of load with a random fault every 20 seconds, the count of what became of it, and the memory of each process.

    python -m tests.faults.soak [--minutes 30] [--memory-documents 100000] [--share 0.7]

First the peak: how many documents a second the stack takes to their rows through all doors at once. Then documents at
that share of it without faults, amid which the memory of every process is read; then the faults. It prints one table
and ends with 0 when nothing was lost, doubled or left behind, no process ended by itself, and no memory grew.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import linear_regression

from tests.faults import postgres_faults, process_faults, redis_faults, worlds
from tests.faults.driver import CHUNK, DOORS, PROCESSES, Act, Count, Run, Senders
from tests.faults.moments import MOMENTS
from tests.process_table import resident_bytes
from tests.waiting import wait_until

# One fault in each, at a random moment of its first half.
EPOCH_S = 20.0

# Before the peak is measured: caches and pages that every process fills once.
WARM_UP = 400
PEAK_DOCUMENTS = 2000

# What a process may grow by over 100,000 documents: its allocator's unrest, measured without a trend.
GROWTH_MAX_MB = 25.0
OVER_DOCUMENTS = 100_000

SETTLE_S = 240.0

# A feed that was polled after its last item was published need not be polled any more.
SEEN = "update feed set enabled = false where id = %s and fetched_at > %s returning id"

ACTS: dict[str, Act] = {
    **{f"{name} killed": lambda run, name=name: run.end(name) for name in PROCESSES},  # type: ignore[misc]  # mypy#12557: default binds the loop's value
    **{
        f"{name} killed: {moment.name}": lambda run, name=name, moment=moment: run.end_at(name, moment)  # type: ignore[misc]  # as above
        for name, moments in MOMENTS.items()
        for moment in moments
        if name != "scheduler"  # where no feed is due its moment does not come
    },
    "two schedulers": process_faults.two_schedulers,
    "Redis killed": redis_faults.killed,
    "Redis full": redis_faults.full,
    "Redis suspended for 4 s": redis_faults.suspended(4),
    "Redis cuts all clients": redis_faults.clients_killed,
    "Postgres killed": postgres_faults.killed,
    "Postgres suspended for 4 s": postgres_faults.suspended(4),
    "Postgres read-only": postgres_faults.read_only,
    "Postgres full of connections": postgres_faults.full_of_connections,
    "a table locked": postgres_faults.locked,
}


class Soak:
    """The load on one run: epochs of documents one after the other, each on its own feed."""

    def __init__(self, run: Run, rate: float) -> None:
        self._run = run
        self.rate = rate
        self.backlog = 0
        # Feeds that are still polled, and when the last of their items was published.
        self._polled: dict[int, object] = {}
        # Of each process id: its name, and (documents settled, bytes) as it was seen.
        self.memory: dict[int, tuple[str, list[tuple[int, int]]]] = {}

    def epoch(self, seconds: float, act: Act | None, after_s: float = 0.0) -> None:
        """So long documents at the rate; `act` amid them."""
        each = max(CHUNK, round(self.rate * seconds / len(DOORS)))
        senders = Senders(self._run, each, seconds / (each / CHUNK))
        with senders.sending() as are_through:
            if act:
                self._run.last(after_s)
                act(self._run)
            wait_until(lambda: self._tend() and are_through(), seconds + SETTLE_S, f"sent; {self._run.stack.tail()}")
        self._look()

    def settle(self) -> Count:
        """Wait for the rest; what Redis lost of the Celery door is none here, since no fault makes it forget."""
        count = Count(self._run)

        def is_settled() -> bool:
            self._run.tend()
            count.read()
            return not count.lost and not count.stuck

        try:
            wait_until(is_settled, SETTLE_S, "all settled", every_s=1)
        except AssertionError:
            count.read()
        return count

    def _tend(self) -> bool:
        self._run.tend()
        return True

    def _look(self) -> None:
        """Note memory and backlog; feeds all of whose items are there are polled no more."""
        ((settled,),) = self._run.stack.rows("select count(*) from receipt")
        self.backlog = max(self.backlog, len(self._run.expected) - settled)
        for name in self._run.wanted:
            if self._run.stack.is_running(name):
                pid = self._run.stack.pid(name)
                self.memory.setdefault(pid, (name, []))[1].append((settled, resident_bytes(pid)))
        ((feed, now),) = self._run.stack.rows("select max(id), now() from feed")
        self._polled.setdefault(feed, now)
        for feed, published in list(self._polled.items()):
            if self._run.stack.rows(SEEN, feed, published):
                del self._polled[feed]


def measured_peak(run: Run) -> float:
    """Documents a second, from the first sent to the last settled."""
    for documents in (WARM_UP, PEAK_DOCUMENTS):
        began = time.monotonic()
        soak = Soak(run, documents)
        soak.epoch(1.0, None)
        count = soak.settle()
        if count.lost or count.stuck:
            raise SystemExit(f"not settled without any fault: {count.lost[:5]} {count.stuck[:5]}; {run.stack.tail()}")
    return PEAK_DOCUMENTS / (time.monotonic() - began)


def growth_mb(samples: Sequence[tuple[int, int]]) -> float | None:
    """Over 100,000 documents, by the second half of what was seen of a process; None where that is too little."""
    late = samples[len(samples) // 2 :]
    if len(late) < 3 or late[-1][0] == late[0][0]:
        return None
    slope = linear_regression([float(n) for n, _ in late], [float(size) for _, size in late]).slope
    return slope * OVER_DOCUMENTS / 2**20


def with_faults(run: Run, soak: Soak, minutes: float, seed: int) -> Iterator[str]:
    """Name each fault as it has acted."""
    chance = random.Random(seed)
    until = time.monotonic() + minutes * 60
    while time.monotonic() < until:
        name = chance.choice(list(ACTS))
        began = time.monotonic()
        soak.epoch(EPOCH_S, ACTS[name], chance.uniform(0, EPOCH_S / 2))
        print(f"  {name}: {time.monotonic() - began:.0f} s, backlog {soak.backlog}", flush=True)
        yield name


def main() -> None:
    """Measure, soak, count, print; the exit status says whether all held."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--memory-documents", type=int, default=OVER_DOCUMENTS)
    parser.add_argument("--share", type=float, default=0.7, help="of the peak")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="copydesk-soak-") as folder, worlds.plain(Path(folder), None) as run:
        peak = measured_peak(run)
        quiet = Soak(run, arguments.share * peak)
        print(f"peak {peak:.0f} documents/s; soaked at {quiet.rate:.0f}", flush=True)
        first = run.next
        while run.next - first < arguments.memory_documents / len(DOORS):
            quiet.epoch(EPOCH_S / 4, None)
        quiet.settle()
        run.ended.clear()
        soak = Soak(run, quiet.rate)
        acted = Counter(with_faults(run, soak, arguments.minutes, arguments.seed))
        is_clean = report(run, soak.settle(), acted, soak.backlog)
        sys.exit(0 if report_memory(quiet) and is_clean else 1)


def report(run: Run, count: Count, acted: Counter[str], backlog: int) -> bool:
    """Print what became of all documents; whether nothing is wrong with it."""
    lost, doubled = _by_door(count.lost), _by_door(count.doubled)
    sent = _by_door(list(run.expected))
    print(f"\n{acted.total()} faults: " + ", ".join(f"{name} {times}" for name, times in sorted(acted.items())))
    print(f"\n{'door':<10} {'sent':>9} {'lost':>6} {'doubled':>8}")
    for door, label in zip(DOORS, "fchg", strict=True):
        print(f"{door:<10} {sent[label]:>9} {lost[label]:>6} {doubled[label]:>8}")
    print(
        f"backlog at most {backlog}; left behind: {count.stuck or 'nothing'}; ended by itself: {run.ended or 'nothing'}"
    )
    return not (count.lost or count.doubled or count.stuck or run.ended)


def _by_door(labels: Sequence[str]) -> Counter[str]:
    return Counter(label[0] for label in labels)


def report_memory(soak: Soak) -> bool:
    """Print how each process that nobody killed grew; whether all are flat."""
    print(f"\n{'process':<10} {'MB':>7} {'growth in MB over 100,000 documents':>36}")
    is_flat = True
    found: dict[str, list[tuple[float | None, int]]] = defaultdict(list)
    for name, samples in soak.memory.values():
        found[name].append((growth_mb(samples), samples[-1][1]))
    for name, seen in found.items():
        for growth, size in seen:
            print(f"{name:<10} {size / 2**20:>7.0f} {'too little seen' if growth is None else f'{growth:+.1f}':>36}")
            is_flat = is_flat and (growth is None or growth <= GROWTH_MAX_MB)
    return is_flat


if __name__ == "__main__":
    main()
