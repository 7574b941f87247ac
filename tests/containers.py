"""redis:8 and postgres:17 in containers, with the life that the embedded servers have: start, stop, kill, start again.

testcontainers makes them. Its reaper is an image of its own that an engine without a registry cannot have, so they
are removed here: each carries the label of its test run, and `remove` takes what a run left, also after Ctrl-C and
what a killed run left before this one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

import docker
import psycopg
import redis
from docker.errors import APIError, DockerException, NotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from copydesk.embedded import ports
from copydesk.errors import ServerStartError

REDIS_IMAGE = "redis:8"
POSTGRES_IMAGE = "postgres:17"

LABEL = "copydesk.test-run"

_ANSWER_S = 60

testcontainers_config.ryuk_disabled = True


def engine_fault() -> str | None:
    """Why no Docker engine can be used, None when one answers."""
    try:
        with contextlib.closing(docker.from_env(timeout=10)) as client:
            client.ping()
    except DockerException as error:
        return str(error)
    return None


def run_name(pid: int) -> str:
    """Of the test run in the process `pid` of this machine: the value of its containers' label."""
    return f"{socket.gethostname()}/{pid}"


def remove(is_over: Callable[[str], bool]) -> None:
    """Remove the containers of every test run, by its name, that `is_over`, with their volumes."""
    with contextlib.closing(docker.from_env()) as client:
        for container in client.containers.list(all=True, filters={"label": LABEL}, ignore_removed=True):
            if is_over(container.labels[LABEL]):
                # Another run may be removing the same leftovers.
                with contextlib.suppress(NotFound, APIError):
                    container.remove(force=True, v=True)


def is_gone(run: str) -> bool:
    """Whether it was on this machine and its process has ended; where the id is used again, the next run removes."""
    host, _, pid = run.rpartition("/")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class ContainerServer:
    """One server in a container, on a port of 127.0.0.1 that lasts through stops; `url` is known from the start on.

    `stop` and `kill` leave its data, `remove` does not.
    """

    def __init__(
        self,
        image: str,
        inner_port: int,
        url: str,
        *,
        run: str,
        command: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        papers: Path | None = None,
    ) -> None:
        """`papers`: a folder that it sees as /papers."""
        self.port = next(filter(ports.is_free, ports.candidates(f"{image}/{run}/{time.monotonic_ns()}")))
        self.url = url.format(port=self.port)
        # The superuser's: the role of the container is one, as it is in docker-compose.yml.
        self.admin_url = self.url
        self._container = (
            DockerContainer(image)
            .with_kwargs(labels={LABEL: run})
            .with_command(list(command))
            .with_envs(**(environment or {}))
        )
        if papers:
            self._container.with_volume_mapping(str(papers), "/papers", "ro")
        self._container.ports[f"{inner_port}/tcp"] = ("127.0.0.1", self.port)  # type: ignore[assignment]  # as docker has it
        self._is_made = False

    def start(self) -> None:
        """Start it and return when it answers. Raises ServerStartError."""
        try:
            if self._is_made:
                self._container.get_wrapped_container().start()
            else:
                self._container.start()
                self._is_made = True
        except DockerException as error:
            raise ServerStartError(self._container.image, str(error)) from error
        give_up = time.monotonic() + _ANSWER_S
        while not _answers(self.url):
            if time.monotonic() > give_up:
                log = self._container.get_wrapped_container().logs(tail=15).decode(errors="replace")
                raise ServerStartError(self._container.image, f"does not answer; its log ends with\n{log}")
            time.sleep(0.05)

    def stop(self, how: signal.Signals | None = None) -> None:
        """End it by `how`, None for the clean stop of its image."""
        container = self._container.get_wrapped_container()
        if how is not None:
            with contextlib.suppress(APIError):  # it has ended already
                container.kill(how.name)
            container.wait(timeout=30)
        else:
            container.stop(timeout=30)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        self.stop(signal.SIGKILL)

    def remove(self) -> None:
        with contextlib.suppress(NotFound):  # made, or not even that
            self._container.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


def redis_container(run: str) -> ContainerServer:
    """Redis as docker-compose.yml starts it, without a limit of memory."""
    settings = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}
    command = ["redis-server", *(part for name, value in settings.items() for part in (f"--{name}", value))]
    return ContainerServer(REDIS_IMAGE, 6379, "redis://127.0.0.1:{port}/0", run=run, command=command)


def postgres_container(run: str) -> ContainerServer:
    """Postgres with the role and the database of docker-compose.yml; fsync off, since only its process is killed."""
    return ContainerServer(
        POSTGRES_IMAGE,
        5432,
        "postgresql://copydesk:copydesk@127.0.0.1:{port}/copydesk",
        run=run,
        command=["postgres", "-c", "fsync=off", "-c", "max_connections=200"],
        environment={"POSTGRES_USER": "copydesk", "POSTGRES_PASSWORD": "copydesk", "POSTGRES_DB": "copydesk"},
    )


def _answers(url: str) -> bool:
    """By TCP: while the image sets up a new cluster, its server answers on the socket only."""
    if url.startswith("redis"):
        try:
            with redis.Redis.from_url(url, socket_timeout=1, retry=None) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@contextlib.contextmanager
def removed_at_the_end(run: str) -> Iterator[None]:
    """Nothing of this run is left after the block, nor of a run that was killed before it."""
    remove(is_gone)
    # A stop by a supervisor ends the run as Ctrl-C does, through every `finally`.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        remove(lambda found: found == run)
