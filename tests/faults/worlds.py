"""The stacks that faults act on: servers and processes of a run's own, and what stands between them.

Each world is a context manager that gives a `Run`, all of it ready. One that this machine cannot have skips its tests
and says why.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias

import psycopg
import pytest

from copydesk.embedded import PostgresServer, ValkeyServer
from copydesk.storage import schema
from tests import servers
from tests.faults.driver import PROCESSES, Run
from tests.faults.moments import FOLDER
from tests.feed_server import feed_server
from tests.http_door import http_door
from tests.integration.silence import silent_proxy
from tests.servers import OwnPostgres, OwnServer
from tests.waiting import wait_until

SETTINGS = {
    "fetch_allow_private": True,
    "feed_interval_min_s": 1,
    # After a fault of the server's own too, so that the time to recover is ours and not a feed's wait.
    "feed_interval_max_s": 3,
    # A document that takes for ever is given up after so long, some times.
    "item_seconds_max": 10,
}

# Of the disks that a fault fills up: those of the inputs, and that of Postgres (an empty cluster has 40 MB).
INPUTS_DISK_MB = 32
POSTGRES_DISK_MB = 500


@contextlib.contextmanager
def _run_on(
    folder: Path,
    redis: OwnServer,
    postgres: OwnPostgres,
    *,
    redis_url: str | None = None,
    postgres_url: str | None = None,
    surroundings: Mapping[str, str] | None = None,
    **settings: object,
) -> Iterator[Run]:
    """All processes, ready; they speak to the servers by the URLs given, which may be those of proxies."""
    moments = folder / "moments"
    moments.mkdir()
    with psycopg.connect(postgres.url) as connection:
        schema.install(connection)
    with (
        feed_server() as feeds,
        http_door(
            folder / "stack", redis_url or redis.url, postgres_url or postgres.url, **{**SETTINGS, **settings}
        ) as door,
    ):
        door.stack.launcher = ("-m", "tests.faults.moments", *door.stack.launcher[1:])
        door.stack.surroundings |= {FOLDER: str(moments), **(surroundings or {})}
        door.stack.start(*PROCESSES)
        wait_until(
            lambda: all(door.stack.ask(name, "/readyz")[0] == 200 for name in PROCESSES),
            120,
            f"all to be ready; {door.stack.tail()}",
        )
        run = Run(door, redis, postgres, feeds, moments)
        with run.closing:
            yield run


@contextlib.contextmanager
def plain(folder: Path, template: Path | None) -> Iterator[Run]:
    """Servers from the wheels."""
    with _wheels(folder, template) as (redis, postgres), _run_on(folder, redis, postgres) as run:
        yield run


@contextlib.contextmanager
def proxied(folder: Path, template: Path | None) -> Iterator[Run]:
    """The same behind proxies, which can fall silent, be slow, and lead elsewhere."""
    with (
        _wheels(folder, template) as (redis, postgres),
        silent_proxy(redis.url) as (redis_proxy, redis_url),
        silent_proxy(postgres.url) as (postgres_proxy, postgres_url),
        _run_on(folder, redis, postgres, redis_url=redis_url, postgres_url=postgres_url) as run,
    ):
        run.redis_proxy, run.postgres_proxy = redis_proxy, postgres_proxy
        yield run


@contextlib.contextmanager
def small_disks(folder: Path, template: Path | None) -> Iterator[Run]:
    """Inbox, spool and the cluster of Postgres each on a small disk of its own."""
    disks = (folder / "stack" / "inbox", folder / "stack" / "spool")
    with (
        _disk(disks[0], INPUTS_DISK_MB),
        _disk(disks[1], INPUTS_DISK_MB),
        _disk(folder / "postgres", POSTGRES_DISK_MB),
        _wheels(folder, template) as (redis, postgres),
        # Below the door's own mark the disk would never be full.
        _run_on(folder, redis, postgres, spool_free_bytes_min=0) as run,
    ):
        run.disks = disks
        yield run


@contextlib.contextmanager
def containers(folder: Path, template: Path | None) -> Iterator[Run]:
    """redis:8 and postgres:17."""
    from tests import containers as engine

    fault = engine.engine_fault()
    if fault:
        pytest.skip(f"no Docker engine answers ({fault})")
    with (
        engine.removed_at_the_end(engine.run_name(os.getpid())),
        servers.container("redis") as redis,
        servers.container("postgres") as postgres,
        _run_on(folder, redis, postgres) as run,
    ):
        yield run


@contextlib.contextmanager
def clocks(folder: Path, template: Path | None) -> Iterator[Run]:
    """The processes and Redis have a clock that a fault can set; that of Postgres stays right."""
    found = importlib.util.find_spec("libfaketime")
    library = found and found.origin and Path(found.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    if not library or not library.exists():
        pytest.skip("libfaketime is not installed")
    clock = folder / "clock"
    clock.write_text("+0\n")
    surroundings = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "NO_FAKE_STAT": "1",
        # A jump of the clock on the wall is none of the one that counts up.
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(folder / "postgres", fsync=False, template=template))
        with pytest.MonkeyPatch.context() as patch:  # what the server inherits
            for name, value in surroundings.items():
                patch.setenv(name, value)
            redis = stack.enter_context(ValkeyServer(folder / "redis", appendfsync="always"))
        run = stack.enter_context(_run_on(folder, redis, postgres, surroundings=surroundings))
        run.clock = clock
        yield run


@contextlib.contextmanager
def _wheels(folder: Path, template: Path | None) -> Iterator[tuple[ValkeyServer, PostgresServer]]:
    with (
        ValkeyServer(folder / "redis", appendfsync="always") as redis,
        PostgresServer(folder / "postgres", fsync=False, template=template) as postgres,
    ):
        yield redis, postgres


@contextlib.contextmanager
def _disk(place: Path, megabytes: int) -> Iterator[None]:
    """A file system in memory, which only root may mount."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "copydesk-test", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk of its own may be mounted: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


World: TypeAlias = Callable[[Path, Path | None], AbstractContextManager[Run]]
