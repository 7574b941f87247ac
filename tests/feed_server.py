"""A web server for tests, on loopback: serves what a test put there, and misbehaves as it is told.

Every path is a list of answers, or one for ever; the requests are kept. It is a real server on a real socket.
"""

from __future__ import annotations

import http.server
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

Handler = http.server.BaseHTTPRequestHandler


@dataclass(frozen=True)
class Answer:
    """One answer. `behave` replaces the writing of the body: it gets the handler, after the headers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    honours_validators: bool = True
    behave: Callable[[Handler], None] | None = None

    def writes(self, handler: Handler) -> None:
        validators = (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified"))
        asked = [handler.headers[name] == self.headers.get(own) for name, own in validators if handler.headers[name]]
        is_known = self.honours_validators and asked != [] and all(asked)
        handler.send_response(304 if is_known else self.status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        if self.behave is None and "Content-Length" not in self.headers and not is_known:
            handler.send_header("Content-Length", str(len(self.body)))
        handler.end_headers()
        if self.behave is not None:
            self.behave(handler)
        elif not is_known:
            handler.wfile.write(self.body)


@dataclass(frozen=True)
class Request:
    """What was asked for."""

    path: str
    headers: dict[str, str]


class FeedServer:
    """Listens on 127.0.0.1 from the start; `put` says what it serves."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        owner = self

        class OwnHandler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.close_connection = True
                owner.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}))
                owner._next(self.path).writes(self)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        class OwnServer(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up on us is what is tested; anything else is a fault of this server."""
                if not isinstance(sys.exception(), OSError):
                    super().handle_error(request, client_address)  # type: ignore[arg-type]  # handed through

        self._server = OwnServer(("127.0.0.1", 0), OwnHandler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https" if certificate else "http"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self._scheme}://{host}:{self.port}{path}"

    def put(self, path: str, *answers: Answer) -> str:
        """Serve these one after the other, the last for ever; returns the address."""
        self._answers[path] = list(answers)
        return self.url(path)

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    def _next(self, path: str) -> Answer:
        with self._lock:
            answers = self._answers.get(path, [Answer(status=404)])
            return answers.pop(0) if len(answers) > 1 else answers[0]

    def drip(self, handler: Handler, chunks: Iterator[bytes] | Sequence[bytes], pause_s: float = 0.0) -> None:
        """Write chunk after chunk, with a pause between, until the client goes or the test ends."""
        try:
            for chunk in chunks:
                handler.wfile.write(chunk)
                handler.wfile.flush()
                if self._stopped.wait(pause_s):
                    return
        except OSError:
            return

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@contextmanager
def feed_server(certificate: Path | None = None) -> Iterator[FeedServer]:
    """A server that ends with the block."""
    server = FeedServer(certificate)
    try:
        yield server
    finally:
        server.stop()


def rss(*items: tuple[str, str], title: str = "Harbour Post", head: str = "") -> bytes:
    """A feed of (guid, text) entries; the title of each is its guid and its text a paragraph."""
    entries = "".join(
        f"<item><title>About {guid}</title><link>https://harbour.example/{guid}</link>"
        f'<guid isPermaLink="false">{guid}</guid><pubDate>Mon, 02 Mar 2026 08:00:00 +0000</pubDate>'
        f"<description><![CDATA[<p>{text}</p>]]></description></item>"
        for guid, text in items
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel>'
        f"<title>{title}</title><link>https://harbour.example/</link><description>News</description>{head}{entries}"
        "</channel></rss>"
    ).encode()


def refused_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
