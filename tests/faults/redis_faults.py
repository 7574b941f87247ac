"""What happens to Redis: killed, crashed with its machine, flushed, full, suspended, silent, failed over."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import redis as redis_client

from copydesk.embedded import ValkeyServer, binaries, ports
from copydesk.queue.app import INGEST_QUEUE
from tests.faults.driver import Act, Run, suspend
from tests.faults.process_faults import LASTS_S
from tests.processes import die_with_parent
from tests.waiting import wait_until

# Of an append-only file that is synced once a second, what a machine that goes down may lose.
UNSYNCED_S = 1.0


def _client(run: Run) -> redis_client.Redis:
    return redis_client.Redis.from_url(run.redis.url, socket_timeout=5)


def killed(run: Run) -> None:
    run.redis.kill()
    run.last(LASTS_S)
    run.redis.start()


def restarted(run: Run) -> None:
    """Often and quickly: a worker that comes back amid this must not stand still."""
    for _ in range(3):
        run.redis.stop()
        run.redis.start()
        run.last(LASTS_S / 3)


def crashed_with_its_machine(run: Run) -> None:
    """With appendfsync everysec: the append-only file loses what came in its last second."""
    assert isinstance(run.redis, ValkeyServer)
    with _client(run) as client:
        client.config_set("appendfsync", "everysec")
    (log,) = run.redis.data_dir.glob("appendonlydir/*.incr.aof")
    sizes: list[tuple[float, int]] = []
    until = time.monotonic() + LASTS_S
    while time.monotonic() < until:
        run.tend()
        sizes.append((time.monotonic(), log.stat().st_size))
        time.sleep(0.05)
    run.redis.kill()
    synced = max(size for at, size in sizes if at <= sizes[-1][0] - UNSYNCED_S)
    os.truncate(log, synced)
    run.redis.start()


def clients_killed(run: Run) -> None:
    with _client(run) as client:
        for _ in range(4):
            client.execute_command("CLIENT", "KILL", "TYPE", "normal")
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
            run.last(LASTS_S / 4)


def suspended(seconds: float) -> Act:
    def act(run: Run) -> None:
        assert isinstance(run.redis, ValkeyServer)
        assert run.redis.pid
        suspend([run.redis.pid], run, seconds)

    return act


def flushed(run: Run) -> None:
    """While jobs lie in it that no worker has taken: the worker is held until some do."""
    os.kill(run.stack.pid("ingest"), signal.SIGSTOP)
    try:
        with _client(run) as client:
            wait_until(lambda: client.llen(INGEST_QUEUE) >= 4, 30, "jobs that nobody has taken")
            client.flushall()
    finally:
        os.kill(run.stack.pid("ingest"), signal.SIGCONT)


def full(run: Run) -> None:
    """It takes nothing more (noeviction); what is in it may go on."""
    with _client(run) as client:
        used = int(client.info("memory")["used_memory"])  # type: ignore[index]  # redis-py types it as awaitable too
        client.config_set("maxmemory", max(used - 100_000, 1))
        try:
            run.last(LASTS_S)
        finally:
            client.config_set("maxmemory", 0)


def silent(run: Run) -> None:
    """Half-open connections: every byte is acknowledged by the network, and nobody answers."""
    assert run.redis_proxy
    run.redis_proxy.silent.set()
    try:
        run.last(2 * LASTS_S)
    finally:
        run.redis_proxy.speak()


def failed_over(run: Run) -> None:
    """Sentinel makes a replica the master; the address, as of a service, leads to whom Sentinel names."""
    assert isinstance(run.redis, ValkeyServer)
    assert run.redis_proxy
    old = run.redis
    new = ValkeyServer(
        old.data_dir.with_name(f"{old.data_dir.name}-replica"),
        appendfsync="always",
        settings={"replicaof": f"127.0.0.1 {old.port}"},
    )
    new.start()
    with _sentinel(old.data_dir, old.port) as asked:
        wait_until(lambda: _knows_replica(asked), 30, "Sentinel knows the replica")
        old.kill()
        wait_until(lambda: _master(asked) == new.port, 60, "Sentinel has made the replica the master")
        run.redis_proxy.target = new.port
        run.redis_proxy.speak()
        run.redis = new
        run.closing.callback(new.kill)
        run.last(LASTS_S / 2)


@contextlib.contextmanager
def _sentinel(folder: Path, master: int) -> Iterator[redis_client.Redis]:
    port = next(filter(ports.is_free, ports.candidates(f"{folder}/sentinel")))
    configuration = folder / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor copydesk 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds copydesk 1000\nsentinel failover-timeout copydesk 5000\n"
    )
    with subprocess.Popen(
        [str(binaries.valkey_server()), str(configuration), "--sentinel"],
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no threads use the child before exec
    ) as process:
        try:
            with redis_client.Redis(port=port, socket_timeout=2) as client:
                yield client
        finally:
            process.kill()


def _knows_replica(asked: redis_client.Redis) -> bool:
    with contextlib.suppress(redis_client.RedisError):
        return bool(asked.execute_command("SENTINEL", "REPLICAS", "copydesk"))
    return False


def _master(asked: redis_client.Redis) -> int:
    address = asked.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "copydesk")
    return int(address[1]) if address else 0
