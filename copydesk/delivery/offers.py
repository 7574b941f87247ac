"""What a door has on its way, in memory: when each job was received and last offered, and which to offer again.

The truth is on disk (`.work`, the spool) and in Postgres; this is rebuilt from them at every start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

# Where nothing is queued or in hand there is no killed worker whose lease has to end first; only a moment for a job
# that was sent and is not seen in the queue yet.
IDLE_OVERDUE_S = 3.0


@dataclass(frozen=True, slots=True)
class Offer:
    """One job on its way. `offered_at`, monotonic seconds; None: not on the queue yet, as far as we know."""

    job_id: str
    received_at: datetime
    offered_at: float | None
    times: int = 0


class Offers:
    """The jobs that a door waits for."""

    def __init__(self, overdue_s: float) -> None:
        self._overdue_s = overdue_s
        self._offers: dict[str, Offer] = {}

    def __len__(self) -> int:
        return len(self._offers)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._offers

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._offers))

    def add(self, job_id: str, received_at: datetime, offered_at: float | None = None) -> None:
        """A job was accepted; `offered_at` where it is known to have been offered by somebody else."""
        self._offers.setdefault(job_id, Offer(job_id, received_at, offered_at))

    def offered(self, job_id: str, now: float) -> None:
        """It was put on the queue."""
        offer = self._offers[job_id]
        self._offers[job_id] = replace(offer, offered_at=now, times=offer.times + 1)

    def forget(self, job_id: str) -> None:
        """It is settled."""
        self._offers.pop(job_id, None)

    def unsent(self) -> list[str]:
        """Jobs that were never offered, oldest first."""
        waiting = [o for o in self._offers.values() if o.offered_at is None]
        return [o.job_id for o in sorted(waiting, key=lambda o: o.received_at)]

    def overdue(self, *, now: float, newest_closed: datetime | None, is_idle: bool) -> list[str]:
        """Jobs to offer again: one received later is complete, or nothing is queued or in hand any more.

        In both cases only a while after the last offer: a killed worker hands its job back by itself before. The
        while doubles with each offer, so that a job that cannot be carried is no load. `now` is monotonic: a clock that
        is set back would hold up everything that is overdue.
        """
        least_s = min(self._overdue_s, IDLE_OVERDUE_S) if is_idle else self._overdue_s
        return [
            o.job_id
            for o in self._offers.values()
            if o.offered_at is not None
            and now - o.offered_at >= least_s * 2 ** min(max(o.times - 1, 0), 6)
            and (is_idle or (newest_closed is not None and newest_closed > o.received_at))
        ]
