"""An embedded Postgres: a role and a database `copydesk`, and a superuser behind a socket of our own."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from copydesk.embedded import binaries, cluster
from copydesk.embedded.identity import choose
from copydesk.embedded.server import Server
from copydesk.embedded.surroundings import look_around
from copydesk.errors import ServerStartError

# The kernel's limit for the path of a socket is 107 bytes on Linux and 103 on macOS, with the file's own name in it.
_LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.65535")


class PostgresServer(Server):
    """Postgres with its cluster in `data_dir/cluster`.

    `fsync` False: a crash of the machine may destroy the data; for tests. `template` is a stopped cluster to copy
    instead of making one; also for tests. `settings` are further settings of the server, by name. `programs` is the
    folder of another `postgres` and `initdb`.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": sessions are ended; SIGTERM would wait for them
    death_signal = signal.SIGQUIT  # "immediate": committed work is in the log, and shared memory is cleaned up

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        fsync: bool = True,
        template: Path | None = None,
        settings: Mapping[str, str] | None = None,
        programs: Path | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self._fsync = fsync
        self._template = template
        self._programs = programs
        self._settings = {
            "fsync": "on" if fsync else "off",
            "listen_addresses": "127.0.0.1",
            "log_timezone": "UTC",
            "timezone": "UTC",
            "unix_socket_permissions": "0700",
            **(settings or {}),
        }

    @property
    def url(self) -> str:
        """The role that owns the database; it may create databases and is not a superuser."""
        return f"postgresql://{cluster.ROLE}@127.0.0.1:{self.port}/{cluster.DATABASE}"

    @property
    def admin_url(self) -> str:
        """The superuser, over the socket."""
        host = quote(str(self.socket_folder), safe="")
        return f"postgresql://{cluster.SUPERUSER}@/{cluster.DATABASE}?host={host}&port={self.port}"

    @property
    def cluster(self) -> Path:
        return self.data_dir / "cluster"

    @property
    def socket_folder(self) -> Path:
        """`data_dir/socket`, or where that path is too long for a socket, a folder of ours for temporary files."""
        inside = self.data_dir / "socket"
        if len(os.fsencode(inside)) <= _LONGEST_SOCKET_FOLDER:
            return inside
        mark = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:12]
        for base in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - checked in `_make_socket_folder`
            outside = Path(base) / f"copydesk-{os.geteuid()}-{mark}"
            if len(os.fsencode(outside)) <= _LONGEST_SOCKET_FOLDER:
                break
        return outside

    def kill(self) -> None:
        started = self._process is not None
        super().kill()
        if started and self.socket_folder.parent != self.data_dir:
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def _prepare(self, lock: int) -> None:
        programs = self._programs or binaries.postgres_programs()
        cluster.remove_unfinished(self.data_dir)
        around = look_around(programs / "postgres", self.data_dir, self.cluster)
        self._identity = choose(around)
        if self.cluster.exists():
            self._check_owner(around.euid)
            self._remove_stale_pid()
        elif self._template is not None:
            cluster.copy(self._template, self.cluster, identity=self._identity)
        else:
            cluster.make(self.cluster, programs, lock, identity=self._identity, sync=self._fsync)
        self._make_socket_folder()

    def _command(self, port: int) -> Sequence[str]:
        programs = self._programs or binaries.postgres_programs()
        settings = self._settings | {"port": str(port), "unix_socket_directories": str(self.socket_folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(programs / "postgres"), "-D", str(self.cluster), *options]

    def _answers(self, pid: int, port: int) -> bool:
        """Postgres writes its state into the eighth line of its pid file."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _check_owner(self, euid: int) -> None:
        """The cluster must belong to whom Postgres runs as. Raises ServerStartError where we cannot make it so."""
        owner = self.cluster.stat().st_uid
        if euid not in {0, owner}:
            raise ServerStartError("postgres", f"{self.cluster} belongs to uid {owner}, and we are uid {euid}")
        if owner == 0:
            cluster.give(self.cluster, self._identity)

    def _remove_stale_pid(self) -> None:
        """Postgres takes a dead server's pid file for a live one when anything else has that pid now.

        We hold the folder's lock, so no server of ours is left; what remains is one that somebody else started.
        """
        pid_file = self.cluster / "postmaster.pid"
        try:
            pid = int(pid_file.read_text("utf-8").split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            pid_file.unlink(missing_ok=True)
            return
        if is_postgres(pid):
            raise ServerStartError("postgres", f"pid {pid} may already run from {self.cluster}")
        pid_file.unlink()

    def _make_socket_folder(self) -> None:
        folder = self.socket_folder
        folder.mkdir(mode=0o700, exist_ok=True)
        cluster.give(folder, self._identity)
        found = folder.lstat()
        ours = found.st_uid in {os.geteuid(), self.cluster.stat().st_uid}
        if not stat.S_ISDIR(found.st_mode) or not ours or found.st_mode & 0o077:
            raise ServerStartError("postgres", f"{folder} is not a folder of ours that is closed to others")


def is_postgres(pid: int) -> bool:
    """Whether the process `pid` is a Postgres server, whoever runs it."""
    if Path("/proc/self/comm").exists():
        try:
            return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "postgres"
        except OSError:
            return False
    shown = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return Path(shown.stdout.strip()).name == "postgres"
