"""`copydesk feeds`: which feeds are polled and how they are doing. Polling itself is done by the running stack."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.cli_plain import plain, say
from copydesk.errors import AddressRefused, UsageError
from copydesk.settings import Settings, load

if TYPE_CHECKING:  # 0.2 s of imports that the other commands do not need
    from copydesk.storage.feeds import FeedRow, NewFeed

app = typer.Typer(no_args_is_help=True, help="Find, test, add, change, list and poll feeds.")


class FullText(StrEnum):
    """Of which items the linked page is fetched."""

    NEVER = "never"
    SHORT = "short"
    ALWAYS = "always"


Source = Annotated[str | None, typer.Option(help="The source they belong to; the address's host when not given.")]
Pages = Annotated[
    FullText | None,
    typer.Option("--full-text", help="Fetch the linked page of no item, of those cut short, or of all."),
]
Least = Annotated[float | None, typer.Option("--at-least", min=0.1, help="Least minutes between two polls of it.")]
Most = Annotated[float | None, typer.Option("--at-most", min=0.1, help="Most minutes between two polls of it.")]
Tested = Annotated[bool, typer.Option("--test", help="Fetch it first; where it is no feed, nothing is changed.")]
Title = Annotated[str | None, typer.Option(help="A name for people.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Address of an RSS, RDF, Atom or CDF feed.")],
    *,
    source: Source = None,
    title: Title = None,
    full_text: Pages = None,
    at_least: Least = None,
    at_most: Most = None,
    is_tested: Tested = False,
    as_json: AsJson = False,
) -> None:
    """Poll a feed from now on."""
    settings = load(os.environ)
    wanted = _subscription(url, settings, source, title)._replace(
        full_text=full_text.value if full_text else settings.feed_full_text,
        interval_min_s=_seconds(at_least),
        interval_max_s=_seconds(at_most),
    )
    if is_tested:
        _try(url, settings, wanted.source, is_shown=not as_json)
    _report(_add([wanted]), 1, as_json=as_json)


@app.command("set")
def set_(
    url: Annotated[str, typer.Argument(help="Address of a feed that is polled.")],
    *,
    new_url: Annotated[str | None, typer.Option("--url", help="Its new address, polled at once.")] = None,
    title: Title = None,
    full_text: Pages = None,
    at_least: Least = None,
    at_most: Most = None,
    is_on: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is polled.")] = None,
    is_tested: Tested = False,
    as_json: AsJson = False,
) -> None:
    """Change a feed; what is not given stays as it is."""
    from copydesk.errors import RowRefused
    from copydesk.storage import feed_changes

    settings = load(os.environ)
    target = _subscription(new_url, settings, None, None).url if new_url else None
    if is_tested:
        _try(target or url, settings, "test", is_shown=not as_json)
    change = feed_changes.Change(
        url=url,
        title=title,
        full_text=full_text.value if full_text else None,
        interval_min_s=_seconds(at_least),
        interval_max_s=_seconds(at_most),
        enabled=is_on,
        new_url=target,
    )
    try:
        with connected() as connection:
            is_there = feed_changes.change(connection, change)
    except RowRefused as error:
        raise UsageError(target or url, "there is a feed at this address already") from error
    if not is_there:
        raise UsageError(url, "no such feed")
    print_answer("changed", {"changed": url}, as_json=as_json)


@app.command()
def remove(
    url: Annotated[str, typer.Argument(help="Address of a feed that is polled.")], as_json: AsJson = False
) -> None:
    """Forget a feed and its log; its articles stay."""
    from copydesk.storage import feed_changes

    with connected() as connection:
        number = feed_changes.number_of(connection, url)
        if number is None:
            raise UsageError(url, "no such feed")
        feed_changes.remove(connection, number)
    print_answer("removed", {"removed": url}, as_json=as_json)


@app.command("test")
def try_(
    url: Annotated[str, typer.Argument(help="Address of a feed, polled or not.")],
    source: Annotated[str, typer.Option(help="Whose profile cleans it.")] = "test",
    items: Annotated[int, typer.Option(min=0, help="How many items are shown.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Fetch a feed and show what would come in: items, fields, warnings. Nothing is stored."""
    from copydesk import cli_feed_trials

    trial = cli_feed_trials.run(url, load(os.environ), source=source)
    if as_json:
        print_json(cli_feed_trials.as_json(trial, items))
    else:
        cli_feed_trials.show(trial, items)


@app.command()
def discover(
    url: Annotated[str, typer.Argument(help="A site's front page, or any page of it.")], as_json: AsJson = False
) -> None:
    """Look for the feeds and news sitemaps of a site: what it names, then common places. Nothing is stored."""
    from copydesk.delivery import feed_trials
    from copydesk.delivery.manners import client_of, page_client_of

    settings = load(os.environ)
    found = []
    fetch, fetch_page = client_of(settings).fetch, page_client_of(settings).fetch
    for candidate, count in feed_trials.discover(url, fetch, fetch_page, datetime.now(UTC)):
        found.append({"url": candidate.url, "items": count, "title": candidate.title})
        if not as_json:
            say(f"{candidate.url}\t{count} items" + (f"\t{candidate.title}" if candidate.title else ""))
    if as_json:
        print_json(found)
    if not found:
        raise UsageError(url, "no feed was found, neither on the page nor where sites often have one")


@app.command("log")
def log_(
    url: Annotated[str, typer.Argument(help="Address of a feed.")],
    limit: Annotated[int, typer.Option(min=1, help="How many polls.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show the latest polls of a feed, the newest first: what each brought, or why nothing."""
    from copydesk.storage import feed_changes

    with connected() as connection:
        polls = feed_changes.polls(connection, url, limit=limit)
        if not polls and not feed_changes.has(connection, url):
            raise UsageError(url, "no such feed")
    if as_json:
        print_json([poll._asdict() for poll in polls])
        return
    table = table_of("polled", "result", "status", "items", "new", "known text", "unchanged", "pages", "next", "error")
    for poll in polls:
        counts = (poll.status, poll.items, poll.fresh, poll.duplicates, poll.unchanged, poll.pages)
        shown = ("–" if count is None else str(count) for count in counts)
        table.add_row(_moment(poll.fetched_at), poll.result, *shown, _moment(poll.due_at), poll.error or "")
    Console().print(table)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it.")],
    source: Source = None,
    as_json: AsJson = False,
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
            console.print(plain(f"left out: {error}"), style="yellow", markup=False)
    _report(_add(wanted), len(wanted), as_json=as_json)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to write it; standard output when not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write every polled feed as OPML, a folder a source, for another feed reader or copydesk."""
    from copydesk.formats import opml
    from copydesk.storage import feeds

    if as_json and file is None:
        raise UsageError("feeds export", "with --json name a file; `feeds list --json` prints the feeds")
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
    print_answer(f"{len(rows)} written", {"feeds": len(rows)}, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every feed: when it was read, when it last brought something new, and what is wrong with it."""
    from copydesk.storage import feeds

    with connected() as connection:
        found = feeds.everything(connection)
    if as_json:
        print_json([feed._asdict() | {"state": _state(feed)} for feed in found])
        return
    table = table_of("source", "feed", "read", "new", "next", "every", "pages", "state")
    for feed in found:
        every = f"{feed.interval_s / 60:.0f} min"
        times = (_moment(feed.fetched_at), _moment(feed.changed_at), _moment(feed.due_at))
        table.add_row(feed.source, feed.url, *times, every, feed.full_text, _state(feed))
    Console().print(table)


@app.command()
def poll(
    urls: Annotated[list[str] | None, typer.Argument(help="Which feeds.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    as_json: AsJson = False,
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
    print_answer(f"{len(found)} due now", {"due": sorted(found)}, as_json=as_json)


def _try(url: str, settings: Settings, source: str, *, is_shown: bool) -> None:
    from copydesk import cli_feed_trials

    trial = cli_feed_trials.run(url, settings, source=source)
    if is_shown:
        cli_feed_trials.show(trial, 3)


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


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


def _report(added: list[str], wanted: int, *, as_json: bool) -> None:
    known = wanted - len(added)
    text = f"{len(added)} added" + (f", {known} known before" if known else "")
    print_answer(text, {"added": added, "known": known}, as_json=as_json)


def _state(feed: FeedRow) -> str:
    if not feed.enabled:
        return f"off: {feed.last_error}" if feed.last_error else "off"
    parts = [f"failed {feed.failures} times: {feed.last_error}"] if feed.failures else []
    parts += [f"silent since {_moment(feed.silent_since)}"] if feed.silent_since else []
    parts += [f"moved to {feed.moved_to}"] if feed.moved_to else []
    return "; ".join(parts) or "ok"


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "–"
