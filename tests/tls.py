"""Servers that speak TLS, with certificates made for the test.

The wheels' servers are built without TLS: before them stands a proxy that ends it. In containers Redis and Postgres
do it themselves.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import trustme

_SSL_REQUEST = struct.pack("!II", 8, 80877103)


class Papers(NamedTuple):
    """The files of one authority."""

    ca: Path
    cert: Path
    key: Path


def papers(folder: Path, *names: str) -> Papers:
    """A new authority and a certificate from it for `names`, which a client may show as well."""
    folder.mkdir(parents=True)
    authority = trustme.CA()
    issued = authority.issue_cert(*names)
    made = Papers(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(made.ca)
    issued.private_key_pem.write_to_path(made.key)
    for part in issued.cert_chain_pems:
        part.write_to_path(made.cert, append=True)
    made.key.chmod(0o600)  # libpq refuses a key that others can read
    return made


@contextlib.contextmanager
def before(url: str, shown: Papers) -> Iterator[str]:
    """The URL of a proxy that ends TLS before the server at `url` and asks for a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown.cert, shown.key)
    context.load_verify_locations(shown.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    parts = urlsplit(url)
    target = (parts.hostname or "", parts.port or 0)
    listener = socket.create_server(("127.0.0.1", 0))
    is_postgres = parts.scheme == "postgresql"
    threading.Thread(target=_accept, args=(listener, context, target, is_postgres), daemon=True).start()
    user, at, _ = parts.netloc.rpartition("@")
    netloc = f"{user}{at}localhost:{listener.getsockname()[1]}"
    try:
        yield parts._replace(scheme="postgresql" if is_postgres else "rediss", netloc=netloc).geturl()
    finally:
        listener.close()


def _accept(listener: socket.socket, context: ssl.SSLContext, target: tuple[str, int], is_postgres: bool) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, context, target, is_postgres), daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, target: tuple[str, int], is_postgres: bool) -> None:
    with contextlib.suppress(OSError), contextlib.closing(client):
        if is_postgres:
            if client.recv(8, socket.MSG_WAITALL) != _SSL_REQUEST:
                return
            client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as inner, socket.create_connection(target) as server:
            # One thread and not blocking: a TLS socket may not be read and written from two.
            _pump(inner, server)


def _pump(inner: ssl.SSLSocket, server: socket.socket) -> None:

    while True:
        ready = [inner] if inner.pending() else select.select([inner, server], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (server if source is inner else inner).sendall(data)
