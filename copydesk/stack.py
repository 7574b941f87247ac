"""Puts the whole stack together in the foreground: servers, schema, and one program a process folder.

For the demo and `copydesk up`. In containers the same processes are services of docker-compose.yml.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from copydesk import logs
from copydesk.errors import UsageError
from copydesk.queue import streams
from copydesk.queue.streams import ArticleStream
from copydesk.server_urls import without_password
from copydesk.settings import PREFIX, Settings, environment, is_secret, role_urls
from copydesk.storage import connection as database
from copydesk.storage import roles, schema
from copydesk.supervisor import Program, Supervised, Supervisor

CHECKOUT = Path(__file__).resolve().parent.parent

# What each process logs once it is up.
READY = {
    "api": "http door open",
    "fetch": " ready.",
    "inbox": "inbox open",
    "ingest": " ready.",
    "scheduler": "scheduler ready",
    "storage": "storage worker ready",
}

# Ingest and storage workers are asked to stop together: each has its own grace period.
WORKERS = "workers"


def run_forever(settings: Settings, *, embedded: bool) -> None:
    """Run until Ctrl-C or SIGTERM. Raises `UsageError` outside a checkout, `ServerStartError`."""
    logs.set_up(settings, "up")
    with servers(settings, embedded=embedded) as (found, owned):
        prepare(found)
        print(announcement(found), flush=True)
        supervisor = Supervisor([*owned, *programs(found)], log_dir=found.data_dir / "logs", terminal=sys.stderr)
        supervisor.run_forever()


@contextlib.contextmanager
def servers(settings: Settings, *, embedded: bool) -> Iterator[tuple[Settings, list[Supervised]]]:
    """The servers in use: those that the settings name, else embedded ones; all embedded where that is asked for.

    Gives the settings with the addresses filled in, and the servers that are ours. They are stopped at the end.
    """
    require_checkout()
    named = set() if embedded else settings.model_fields_set
    changes: dict[str, SecretStr | None] = {}
    with contextlib.ExitStack() as stack:
        owned: list[Supervised] = []
        if "redis_url" not in named or "postgres_url" not in named:
            from copydesk.embedded import PostgresServer, ValkeyServer
        if "redis_url" not in named:
            # The last wall: twice what the stream may hold before ingest pauses, and room for queue and index.
            wall = 4 * settings.stream_bytes_max + settings.dedupe_bytes_max
            valkey = ValkeyServer(settings.data_dir / "valkey", maxmemory_bytes=wall)
            owned.append(stack.enter_context(valkey))
            changes["redis_url"] = SecretStr(valkey.url)
        if "postgres_url" not in named:
            postgres = PostgresServer(settings.data_dir / "postgres")
            owned.append(stack.enter_context(postgres))
            changes |= dict.fromkeys(role_urls())
            changes["postgres_url"] = SecretStr(postgres.url)
        yield settings.model_copy(update=changes), owned


def prepare(settings: Settings) -> None:
    """Install the schema and the stream's group."""
    with database.connect(settings.postgres_url.get_secret_value()) as connection:
        schema.install(connection)
        roles.set_up(connection, roles.logins(settings))
    ArticleStream(streams.connect(settings.redis_url.get_secret_value())).create_group()
    settings.inbox.mkdir(parents=True, exist_ok=True)


def programs(settings: Settings) -> list[Program]:
    """One program a process, storage first: what is upstream finds what it needs."""
    storage = [f"storage-{n}" for n in range(1, settings.storage_processes + 1)]
    ingest = [f"ingest-{n}" for n in range(1, settings.ingest_processes + 1)]
    return [
        *(_program(name, "workers.storage", settings.of("storage"), group=WORKERS) for name in storage),
        *(_program(name, "workers.ingest", settings.of("ingest"), group=WORKERS) for name in ingest),
        _program("fetch", "workers.fetch", settings.of("fetch"), group=WORKERS),
        _program("inbox", "services.inbox", settings.of("inbox"), group=""),
        _program("scheduler", "services.scheduler", settings.of("scheduler"), group=""),
        _program("api", "services.api", settings.of("api"), group=""),
    ]


def announcement(settings: Settings) -> str:
    """Where everything is, for whoever started it."""
    return "\n".join(
        (
            f"inbox     {settings.inbox.resolve()}",
            f"http      http://{settings.http_host}:{settings.http_port}/v1/documents",
            f"redis     {without_password(settings.redis_url.get_secret_value())}",
            f"postgres  {without_password(settings.postgres_url.get_secret_value())}",
            f"logs      {(settings.data_dir / 'logs').resolve()}",
            "stop with Ctrl-C; everything in hand is finished or handed back",
        )
    )


def require_checkout() -> None:
    """Raises `UsageError` where the services and workers are not: they are not part of the wheel."""
    if not (CHECKOUT / "services").is_dir() or not (CHECKOUT / "workers").is_dir():
        raise UsageError("up", "the services and workers are in a checkout or the image, not in the wheel")


def _program(name: str, module: str, settings: Settings, *, group: str) -> Program:
    told = environment(settings) | {
        # Set for this process alone, or given by file to us: the address itself is what the children get.
        f"{PREFIX}WORKER_NAME": name,
        # A fixed one would be one port for all of them.
        f"{PREFIX}HEALTH_PORT": "0",
        **{f"{PREFIX}{n.upper()}_FILE": "" for n, field in Settings.model_fields.items() if is_secret(field)},
    }
    is_chatty = settings.log_level in ("debug", "info")
    return Program(
        name,
        (sys.executable, "-m", module),
        env=told,
        cwd=CHECKOUT,
        stop_grace_s=settings.soft_stop_s + 5,
        ready=READY[name.partition("-")[0]] if is_chatty else None,
        group=group,
        vitals_file=(settings.run / f"{name}.json").absolute(),
    )
