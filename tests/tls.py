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
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import trustme

from copydesk.server_urls import TlsFiles, with_tls

if TYPE_CHECKING:
    from tests.containers import ContainerServer

# As root: the folder of the papers is closed to the servers' own users.
_REDIS = (
    "exec redis-server --protected-mode no --port 0 --tls-port 6379 --tls-ca-cert-file /papers/ca.pem"
    " --tls-cert-file /papers/cert.pem --tls-key-file /papers/key.pem --tls-auth-clients yes"
)
_POSTGRES = (
    "install -o postgres -m 600 /papers/*.pem /tmp/ && exec docker-entrypoint.sh postgres -c ssl=on"
    " -c ssl_cert_file=/tmp/cert.pem -c ssl_key_file=/tmp/key.pem -c ssl_ca_file=/tmp/ca.pem -c fsync=off"
)

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


def in_containers(run: str, shown: Papers) -> tuple[ContainerServer, ContainerServer]:
    """Redis and Postgres that speak TLS themselves; their URLs have what a client of these papers needs."""
    from tests.containers import POSTGRES_IMAGE, REDIS_IMAGE, ContainerServer

    files = TlsFiles(*shown)
    login = {"POSTGRES_USER": "copydesk", "POSTGRES_PASSWORD": "copydesk", "POSTGRES_DB": "copydesk"}
    urls = {
        "redis": "rediss://localhost:{port}/0",
        "postgres": "postgresql://copydesk:copydesk@localhost:{port}/copydesk",
    }
    redis_url, postgres_url = (with_tls(name, url, files) for name, url in urls.items())
    folder = shown.ca.parent
    return (
        ContainerServer(REDIS_IMAGE, 6379, redis_url, run=run, command=["sh", "-c", _REDIS], papers=folder),
        ContainerServer(
            POSTGRES_IMAGE,
            5432,
            postgres_url,
            run=run,
            command=["sh", "-c", _POSTGRES],
            environment=login,
            papers=folder,
        ),
    )


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
