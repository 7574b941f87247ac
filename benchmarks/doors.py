"""The four doors as a sender has them: put texts in, one by one or as many as the door takes at once.

What the feed door polls is served from a thread of this process.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from celery import Celery

from copydesk import stack
from copydesk.delivery.subscriptions import subscription
from copydesk.embedded import ports
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import feeds, samples
from copydesk.storage.connection import Connection
from copydesk.supervisor import Supervisor

CHUNK = 50

NAMES = ("celery", "file", "http", "feed")


@dataclass
class Doors:
    """A running stack, and its doors. `put` takes a door, a name that no other call has, and the texts."""

    settings: Settings
    supervisor: Supervisor
    connection: Connection
    _site: Site

    def put(self, door: str, name: str, texts: Sequence[str]) -> None:
        put: Callable[[str, Sequence[str]], None] = getattr(self, f"_{door}")
        put(name, texts)

    def closed(self, door: str) -> int:
        """Items of the door whose jobs are complete."""
        return samples.closed_items(self.connection, door)

    def _celery(self, name: str, texts: Sequence[str]) -> None:
        with Celery(broker=self.settings.redis_url.get_secret_value(), set_as_current=False) as producer:
            for start in range(0, len(texts), CHUNK):
                items = [{"id": f"{name}-{start + n}", "body": text} for n, text in enumerate(texts[start:][:CHUNK])]
                producer.send_task("copydesk.ingest", args=[{"v": 1, "source": "bench", "items": items}])

    def _file(self, name: str, texts: Sequence[str]) -> None:
        staging = self.settings.data_dir / f"staging-{name}"
        staging.mkdir()
        for number, text in enumerate(texts):
            (staging / f"{name}-{number}.txt").write_text(text, encoding="utf-8")
        if len(texts) > 1:
            staging.rename(self.settings.inbox / name)
            return
        source = self.settings.inbox / "bench"
        source.mkdir(exist_ok=True)
        (staging / f"{name}-0.txt").rename(source / f"{name}-0.txt")

    def _http(self, name: str, texts: Sequence[str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.settings.http_port)
        lines = "\n".join(json.dumps({"id": f"{name}-{n}", "body": text}) for n, text in enumerate(texts))
        connection.request("POST", "/v1/documents", lines.encode(), {"Content-Type": "application/x-ndjson"})
        answer = connection.getresponse()
        told = answer.read()
        assert answer.status == 202, told
        connection.close()

    def _feed(self, name: str, texts: Sequence[str]) -> None:
        wanted = []
        for start in range(0, len(texts), CHUNK):
            path = f"/{name}-{start}.xml"
            self._site.pages[path] = _rss(path, texts[start:][:CHUNK])
            wanted.append(subscription(self._site.url + path, self.settings, source="bench"))
        feeds.add(self.connection, wanted)
        self.connection.commit()


@contextmanager
def running(folder: Path, **given: Any) -> Iterator[Doors]:
    """The whole stack on embedded servers, with the default settings but those `given`."""
    port = next(filter(ports.is_free, ports.candidates(f"{folder}/http")))
    # All feeds are on one host, which is ours.
    host = {"fetch_host_spacing_s": 0.0, "fetch_host_requests_max": 64, "feed_full_text": "never"}
    settings = load({}, data_dir=folder, http_port=port, fetch_allow_private=True, **host | given)
    with stack.servers(settings, embedded=True) as (settings, owned), _site() as site:
        stack.prepare(settings)
        programs = [*owned, *stack.programs(settings)]
        with Supervisor(programs, log_dir=folder / "logs", terminal=None) as supervisor:
            supervisor.wait_ready(120)
            with database.connect(settings.postgres_url.get_secret_value()) as connection:
                yield Doors(settings, supervisor, connection, site)


@dataclass
class Site:
    url: str
    pages: dict[str, bytes]


@contextmanager
def _site() -> Iterator[Site]:
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Only figures are printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield Site(f"http://127.0.0.1:{server.server_port}", pages)
        finally:
            server.shutdown()


def _rss(path: str, texts: Sequence[str]) -> bytes:
    entries = []
    for number, text in enumerate(texts):
        title, _, story = text.partition("\n\n")
        body = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in story.split("\n\n"))
        entries.append(
            f"<item><title>{escape(title)}</title><guid isPermaLink='false'>{path}-{number}</guid>"
            f"<description>{escape(body)}</description></item>"
        )
    return f"<rss version='2.0'><channel><title>Bench</title>{''.join(entries)}</channel></rss>".encode()
