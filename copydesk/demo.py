"""The demo: real servers on throw-away data, every process, the sample inputs through the doors, the result.

Ends by itself. Nothing else uses this module.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from copydesk import logs, stack
from copydesk.delivery.subscriptions import subscription
from copydesk.errors import ProcessingError, UsageError
from copydesk.formats import opml
from copydesk.settings import Settings, load
from copydesk.storage import connection as database
from copydesk.storage import feeds, samples
from copydesk.storage.connection import Connection
from copydesk.storage.feeds import NewFeed
from copydesk.supervisor import Supervisor

DEADLINE_S = 120.0

FIRST_FILE = "000_270caa0b0e5228a9.txt"


def run(seeds: Path) -> None:
    """Run it. Raises `UsageError` without the sample inputs, `ProcessingError` when not all of them arrive in time."""
    stack.require_checkout()
    if not (seeds / "inbox").is_dir():
        raise UsageError("demo", f"no sample inputs in {seeds / 'inbox'}")
    logs.set_up(load({}, log_level="warning", log_format="console"), "demo")
    folder = Path(tempfile.mkdtemp(prefix="copydesk-demo-"))
    console = Console()
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
        from copydesk.embedded import ports

        port = next(filter(ports.is_free, ports.candidates(f"{folder}/http")))
        settings = load(
            {},
            data_dir=folder,
            log_level="info",
            inbox_poll_s=0.2,
            http_port=port,
            fetch_allow_private=True,
            feeds_look_every_s=0.2,
            # The links of the sample lead nowhere.
            feed_full_text="never",
        )
        console.print("starting Valkey and Postgres …")
        settings, owned = cleanup.enter_context(stack.servers(settings, embedded=True))
        stack.prepare(settings)
        console.print("starting every service and worker …")
        supervisor = cleanup.enter_context(
            Supervisor([*owned, *stack.programs(settings)], log_dir=folder / "logs", terminal=None)
        )
        supervisor.wait_ready(DEADLINE_S)
        url = settings.postgres_url.get_secret_value()
        connection = cleanup.enter_context(database.connect(url, name="copydesk demo"))
        _take_in(settings, connection, seeds, console)
        console.print(_outcomes(samples.outcomes(connection)))
        for title, removed in samples.removed_pieces(connection):
            console.print(_removed(title, removed))
    console.print("\n[bold]make up[/] keeps it running, with its data in ./data")


def _take_in(settings: Settings, connection: Connection, seeds: Path, console: Console) -> None:
    """Door after door, with a progress line; returns when every item has its receipt."""
    files = sorted(p for p in (seeds / "inbox").iterdir() if p.is_file())
    sent = sorted(p for p in (seeds / "celery").iterdir() if p.is_file())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        at_file_door = progress.add_task("file door    (inbox/seeds/)", total=len(files))
        at_celery_door = progress.add_task("Celery door  (send_task)", total=len(sent) + 1)
        _drop(files, settings.inbox / "seeds")
        _until(lambda: samples.closed_items(connection, "file"), len(files), progress, at_file_door)
        # The same story a second time, through another door: it is linked, not stored again.
        _send(settings.redis_url.get_secret_value(), [*sent, seeds / "inbox" / FIRST_FILE])
        _until(lambda: samples.closed_items(connection, "celery"), len(sent) + 1, progress, at_celery_door)
        with _feeds(seeds, settings) as wanted:
            at_feed_door = progress.add_task("feed door    (polled)", total=len(wanted))
            feeds.add(connection, wanted)
            connection.commit()
            _until(lambda: samples.closed_items(connection, "feed"), len(wanted), progress, at_feed_door)


def _drop(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


def _send(broker: str, files: list[Path]) -> None:
    """Exactly what a program would do that imports nothing of copydesk."""
    producer = Celery(broker=broker, set_as_current=False)
    items = [{"id": f.name, "body_base64": base64.b64encode(f.read_bytes()).decode()} for f in files]
    producer.send_task("copydesk.ingest", args=[{"v": 1, "source": "demo", "items": items}])
    producer.close()


@contextmanager
def _feeds(seeds: Path, settings: Settings) -> Iterator[list[NewFeed]]:
    """The feeds of the sample list, served from this machine while the block runs."""
    handler = partial(_QuietHandler, directory=str(seeds / "feeds"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        listed = opml.read((seeds / "feeds.opml").read_bytes(), "feeds.opml")
        here = f"127.0.0.1:{server.server_port}"
        addresses = [(urlsplit(feed.url)._replace(netloc=here).geturl(), feed.title) for feed in listed]
        try:
            yield [subscription(url, settings, source="demo", title=title) for url, title in addresses]
        finally:
            server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The demo prints what became of it, not each request."""


def _until(count: Callable[[], int], wanted: int, progress: Progress, task: Any) -> None:
    give_up = time.monotonic() + DEADLINE_S
    while (done := count()) < wanted:
        if time.monotonic() > give_up:
            raise ProcessingError("demo", f"{done} of {wanted} items have an outcome after {DEADLINE_S:.0f} s")
        progress.update(task, completed=done)
        time.sleep(0.05)
    progress.update(task, completed=wanted)


def _outcomes(rows: list[samples.OutcomeRow]) -> Table:
    table = Table(title="\nwhat was handed over, and what became of it", title_justify="left", box=SIMPLE_HEAD)
    for name in ("door", "item", "outcome", "title", "publisher", "lang"):
        # What came of it is read whole in a terminal of any width; the others give way.
        least = {"door": 6, "outcome": 9, "lang": 4}.get(name)
        most = 40 if name == "title" else 24
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width=least, max_width=most)
    for row in rows:
        style = {"stored": "green", "duplicate": "yellow"}.get(row.outcome, "red")
        table.add_row(row.door, row.item, Text(row.outcome, style), row.title, row.publisher, row.language)
    return table


def _removed(title: str, removed: list[dict[str, Any]]) -> Table:
    table = Table(title=f"\nremoved from “{title}”", title_justify="left", box=SIMPLE_HEAD)
    for name in ("line", "class", "rule", "text"):
        table.add_column(name, overflow="fold", justify="right" if name == "line" else "left")
    for piece in removed:
        table.add_row(str(piece["span"]["line"]), piece["kind"], piece["rule"], piece["text"])
    return table
