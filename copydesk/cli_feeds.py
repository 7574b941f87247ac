"""`copydesk feeds`: which feeds are polled and how they are doing. Polling itself is done by the running stack."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from copydesk.cli_database import connected
from copydesk.errors import AddressRefused, UsageError
from copydesk.settings import Settings, load

if TYPE_CHECKING:  # 0.2 s of imports that the other commands do not need
    from copydesk.storage.feeds import FeedRow, NewFeed

app = typer.Typer(no_args_is_help=True, help="Add, list and poll feeds.")

Source = Annotated[str | None, typer.Option(help="The source they belong to; the address's host when not given.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Address of an RSS, RDF, Atom or CDF feed.")],
    source: Source = None,
    title: Annotated[str | None, typer.Option(help="A name for people.")] = None,
) -> None:
    """Poll a feed from now on."""
    settings = load(os.environ)
    _report(_add([_subscription(url, settings, source, title)]), 1)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it.")],
    source: Source = None,
) -> None:
    """Poll every feed of an OPML list from now on; those that are polled already are left as they are."""
    from copydesk.formats import opml

    settings = load(os.environ)
    try:
        listed = opml.read(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(str(file), str(error)) from error
    wanted, console = [], Console(stderr=True)
    for outline in listed:
        try:
            wanted.append(_subscription(outline.url, settings, source, outline.title))
        except (AddressRefused, UsageError) as error:  # one bad line does not keep the others out
            console.print(f"left out: {error}", style="yellow", markup=False)
    _report(_add(wanted), len(wanted))


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; standard output when not given.")] = None,
) -> None:
    """Write every polled feed as OPML, a folder a source, for another feed reader or copydesk."""
    from copydesk.formats import opml
    from copydesk.storage import feeds

    with connected() as connection:
        rows = [feed for feed in feeds.everything(connection) if feed.enabled]
    data = opml.write((opml.Outline(row.url, row.title, row.source) for row in rows), "copydesk")
    if file is None:
        sys.stdout.buffer.write(data)
        return
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(str(file), str(error)) from error
    print(f"{len(rows)} written")


@app.command("list")
def list_() -> None:
    """Show every feed: when it was read, when it last brought something new, and what is wrong with it."""
    from copydesk.storage import feeds

    table = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("source", "feed", "read", "new", "next", "every", "state"):
        table.add_column(name, overflow="fold")
    with connected() as connection:
        for feed in feeds.everything(connection):
            every = f"{feed.interval_s / 60:.0f} min"
            times = (_moment(feed.fetched_at), _moment(feed.changed_at), _moment(feed.due_at))
            table.add_row(feed.source, feed.url, *times, every, _state(feed))
    Console().print(table)


@app.command()
def poll(
    urls: Annotated[list[str] | None, typer.Argument(help="Which feeds.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
) -> None:
    """Let feeds be polled now instead of when they are due. The running scheduler and fetch workers do it."""
    from copydesk.storage import feeds

    if bool(urls) == every:
        raise UsageError("feeds poll", "name feeds, or say --all")
    with connected() as connection:
        found = feeds.make_due(connection, None if every else urls or [])
    unknown = sorted(set(urls or ()) - set(found))
    if unknown:
        raise UsageError("feeds poll", f"not polled: {', '.join(unknown)}")
    print(f"{len(found)} due now")


def _subscription(url: str, settings: Settings, source: str | None, title: str | None) -> NewFeed:
    from copydesk.delivery.subscriptions import subscription

    try:
        return subscription(url, settings, source=source, title=title)
    except ValidationError as error:
        raise UsageError(url, "; ".join(fault["msg"] for fault in error.errors())) from error


def _add(wanted: list[NewFeed]) -> list[str]:
    from copydesk.storage import feeds

    with connected() as connection:
        return feeds.add(connection, wanted)


def _report(added: list[str], wanted: int) -> None:
    known = wanted - len(added)
    print(f"{len(added)} added" + (f", {known} known before" if known else ""))


def _state(feed: FeedRow) -> str:
    if not feed.enabled:
        return "off"
    parts = [f"failed {feed.failures} times: {feed.last_error}"] if feed.failures else []
    parts += [f"silent since {_moment(feed.silent_since)}"] if feed.silent_since else []
    parts += [f"moved to {feed.moved_to}"] if feed.moved_to else []
    return "; ".join(parts) or "ok"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "–"
