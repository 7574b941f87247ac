"""A proxy before a server that can fall silent (its kernel still acknowledges, and nobody answers), or be slow."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit


class SilentProxy:
    """Passes bytes on until `silent` is set; from then on it takes them and does nothing, not even end.

    What a client sends waits `delay_s` first. `target` is the port of the server that new connections go to.
    """

    def __init__(self, port: int) -> None:
        self.silent = threading.Event()
        self.connections = 0
        self.delay_s = 0.0
        self.target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def speak(self) -> None:
        """To who connects from now on; the connections of before end."""
        self.silent.clear()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.speak()
        for each in (self._listener, *self._sockets):
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            self._sockets += [client, server]
            for source, target, is_client in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, target, is_client), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_client and self.delay_s:
                    time.sleep(self.delay_s)
                if not self.silent.is_set():
                    target.sendall(data)
            if not self.silent.is_set():
                target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def silent_proxy(url: str) -> Iterator[tuple[SilentProxy, str]]:
    """A proxy before the server of `url`, and the URL to use instead."""
    parts = urlsplit(url)
    proxy = SilentProxy(parts.port or 0)
    login = f"{parts.username}:{parts.password}@" if parts.password else f"{parts.username}@" if parts.username else ""
    try:
        yield proxy, parts._replace(netloc=f"{login}127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.close()
