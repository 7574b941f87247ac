"""The faults by name: each does its harm to a run that is under way, and undoes it before it returns."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from tests.faults import document_faults, file_faults, postgres_faults, process_faults, redis_faults, worlds
from tests.faults.driver import PROCESSES, Act
from tests.faults.moments import MOMENTS
from tests.faults.worlds import World


@dataclass(frozen=True)
class Fault:
    """One row of the table."""

    act: Act
    world: World = worlds.plain
    # What Redis forgot of jobs that no worker had taken is lost until it is sent again; nothing else may be.
    may_lose_jobs: bool = False


FAULTS: dict[str, Fault] = {
    "none": Fault(process_faults.nothing),
    # 1. SIGKILL
    **{f"{name} killed 4 times": Fault(process_faults.killed(name)) for name in PROCESSES},
    **{
        f"{name} killed twice: {moment.name}": Fault(process_faults.killed_at(name, moment))
        for name, moments in MOMENTS.items()
        for moment in moments
    },
    "each killed at a telling moment": Fault(process_faults.killed_at_telling_moments),
    # 2. Stops, restarts, more and fewer
    "all stopped by SIGTERM in turn": Fault(process_faults.restarted_in_turn(signal.SIGTERM)),
    "all stopped by SIGQUIT in turn": Fault(process_faults.restarted_in_turn(signal.SIGQUIT)),
    "SIGTERM, again, then SIGKILL": Fault(process_faults.stopped_and_stopped_again),
    "two schedulers": Fault(process_faults.two_schedulers),
    "1, 4, 1 ingest workers": Fault(process_faults.more_and_fewer_workers),
    "ingest suspended beyond its lease": Fault(process_faults.suspended_and_replaced),
    # 3. Redis
    "Redis killed, appendfsync always": Fault(redis_faults.killed),
    "Redis restarted 3 times": Fault(redis_faults.restarted),
    "Redis and its machine crash, everysec": Fault(redis_faults.crashed_with_its_machine, may_lose_jobs=True),
    "Redis flushed": Fault(redis_faults.flushed, may_lose_jobs=True),
    "Redis full": Fault(redis_faults.full),
    "Redis suspended for 30 s": Fault(redis_faults.suspended(30)),
    "Redis cuts all clients": Fault(redis_faults.clients_killed),
    # 4. Postgres
    "Postgres killed": Fault(postgres_faults.killed),
    "Postgres stopped": Fault(postgres_faults.stopped(signal.SIGINT)),
    "Postgres stopped at once": Fault(postgres_faults.stopped(signal.SIGQUIT)),
    "Postgres suspended for 30 s": Fault(postgres_faults.suspended(30)),
    "Postgres read-only": Fault(postgres_faults.read_only),
    "Postgres full of connections": Fault(postgres_faults.full_of_connections),
    "deadlocks": Fault(postgres_faults.deadlocks),
    "a table locked": Fault(postgres_faults.locked),
    "a migration amid it": Fault(postgres_faults.migrated),
    "rows that Postgres refuses": Fault(postgres_faults.rows_refused),
    # 5. Files
    "files written slowly": Fault(file_faults.written_slowly),
    "a file finished while claimed": Fault(file_faults.finished_while_claimed),
    "a file deleted while claimed": Fault(file_faults.deleted_while_claimed),
    "one name three times": Fault(file_faults.same_name_twice),
    "names in any bytes": Fault(file_faults.names_in_any_bytes),
    "links and a forbidden folder": Fault(file_faults.links_and_forbidden_folders),
    "many files at once": Fault(file_faults.many_at_once),
    # 6. Documents
    "jobs and entries twice, shuffled": Fault(document_faults.delivered_twice_and_out_of_order),
    "entries backwards": Fault(document_faults.entries_backwards),
    "messages that are none": Fault(document_faults.unreadable_messages),
    "a document that kills its worker": Fault(document_faults.poison),
    "a document without an end": Fault(document_faults.for_ever),
    # Each in a world of its own
    "Redis silent": Fault(redis_faults.silent, worlds.proxied),
    "Postgres silent": Fault(postgres_faults.silent, worlds.proxied),
    "Postgres slow, 1 s a statement": Fault(postgres_faults.slow, worlds.proxied),
    "Redis's replica promoted by Sentinel": Fault(redis_faults.failed_over, worlds.proxied, may_lose_jobs=True),
    "disk of Postgres full": Fault(postgres_faults.disk_full, worlds.small_disks),
    "disk of inbox and spool full": Fault(file_faults.disk_full, worlds.small_disks),
    "disk of inbox and spool read-only": Fault(file_faults.disk_read_only, worlds.small_disks),
    "Redis 8 full": Fault(redis_faults.full, worlds.containers),
    "Redis 8 killed": Fault(redis_faults.killed, worlds.containers),
    "Postgres 17 stopped at once": Fault(postgres_faults.stopped(signal.SIGQUIT), worlds.containers),
    "clock an hour ahead, then back": Fault(document_faults.clock_jumps(1, 0), worlds.clocks),
    "clock an hour back, then right": Fault(document_faults.clock_jumps(-1, 0), worlds.clocks),
}

# In every run of the suite. None at a named moment: so few documents are through their doors before the last of them.
SHORT = (
    "fetch killed 4 times",
    "all stopped by SIGTERM in turn",
    "Redis flushed",
    "Postgres full of connections",
)
