"""`copydesk dead`: what was rejected or could not be carried, and carrying it again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.errors import UsageError

if TYPE_CHECKING:  # 0.2 s of imports that the other commands do not need
    from copydesk.storage.dead_letters import Chosen

app = typer.Typer(no_args_is_help=True, help="List, show, replay and discard what did not become an article.")

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of letters, as `copydesk dead list` shows them.")]
Code = Annotated[str | None, typer.Option(help="Only with this cause, as `row_refused`.")]
Source = Annotated[str | None, typer.Option(help="Only of this sender.")]
Outcome = Annotated[str | None, typer.Option(help="Only `dead`, or only `rejected`.")]
Every = Annotated[bool, typer.Option("--all", help="All that nobody has dealt with.")]


@app.command("list")
def list_(
    *,
    code: Code = None,
    source: Source = None,
    outcome: Outcome = None,
    everything: Annotated[bool, typer.Option("--resolved", help="Those that were dealt with too.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List letters, newest first."""
    from copydesk.storage import dead_letters

    with connected() as connection:
        chosen = _chosen(None, code, source, outcome)
        found = dead_letters.page(connection, chosen, before=None, limit=limit, resolved=everything)
    if as_json:
        print_json(found)
        return
    table = table_of("number", "recorded", "outcome", "cause", "source", "item", "reason", "since")
    for row in found:
        when = f"{row['recorded_at']:%Y-%m-%d %H:%M}"
        since = row["resolution"] or ""
        cells = (str(row["id"]), when, row["outcome"], row["code"], row["source"], row["item"], row["reason"], since)
        table.add_row(*cells)
    Console().print(table)


@app.command()
def causes(as_json: AsJson = False) -> None:
    """Count the letters that nobody has dealt with, by cause."""
    from copydesk.storage import dead_letters

    with connected() as connection:
        found = dead_letters.causes(connection)
    if as_json:
        print_json(found)
        return
    table = table_of("letters", "outcome", "cause", "first", "last", "the newest says")
    for row in found:
        first, last = (f"{row[n]:%Y-%m-%d %H:%M}" for n in ("first_at", "last_at"))
        table.add_row(str(row["letters"]), row["outcome"], row["code"], first, last, row["reason"])
    Console().print(table)


@app.command()
def show(
    number: Annotated[int, typer.Argument(help="The letter's number.")],
    raw: Annotated[
        Path | None, typer.Option(help="Write the input as it came to this file; `-` is standard output.")
    ] = None,
) -> None:
    """Show a letter whole, with its traceback; or write its input to a file."""
    from copydesk.storage import dead_letters, raws

    with connected() as connection:
        found = dead_letters.page(connection, _chosen([number]), before=None, limit=1, resolved=True)
        if not found:
            raise UsageError(str(number), "there is no such letter")
        digest = found[0]["raw_sha256"]
        data = raws.load(connection, digest) if raw and digest else None
    if raw is None:
        print_json(found[0])
        return
    if data is None:
        raise UsageError(str(number), "its input is not kept")
    if str(raw) == "-":
        sys.stdout.buffer.write(data)
    else:
        raw.write_bytes(data)


@app.command()
def replay(
    ids: Ids = None,
    code: Code = None,
    source: Source = None,
    outcome: Outcome = None,
    *,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Hand letters over again, from the input that was kept; the running scheduler does it within seconds."""
    from copydesk.storage import dead_letters

    chosen = _some(ids, code, source, outcome, every=every)
    with connected() as connection:
        count = dead_letters.ask_replay(connection, chosen)
    _report(count, "asked for again", ids, as_json=as_json)


@app.command()
def discard(
    reason: Annotated[str, typer.Option(prompt=True, help="Why; kept with the letter.")],
    ids: Ids = None,
    *,
    code: Code = None,
    source: Source = None,
    outcome: Outcome = None,
    every: Every = False,
    as_json: AsJson = False,
) -> None:
    """Mark letters as dealt with; they stay, with the reason."""
    from copydesk.storage import dead_letters

    chosen = _some(ids, code, source, outcome, every=every)
    with connected() as connection:
        count = dead_letters.discard(connection, chosen, reason)
    _report(count, "discarded", ids, as_json=as_json)


def _some(ids: list[int] | None, code: str | None, source: str | None, outcome: str | None, *, every: bool) -> Chosen:
    """What is meant; nothing said is not everything."""
    if not (ids or code or source or outcome or every):
        raise UsageError("dead", "name letters by number, or by --code, --source or --outcome, or say --all")
    return _chosen(ids, code, source, outcome)


def _chosen(
    ids: list[int] | None, code: str | None = None, source: str | None = None, outcome: str | None = None
) -> Chosen:
    from copydesk.storage.dead_letters import Chosen

    return Chosen(tuple(ids) if ids else None, code, source, outcome)


def _report(count: int, what: str, ids: list[int] | None, *, as_json: bool) -> None:
    print_answer(f"{count} letters {what}", {"letters": count}, as_json=as_json)
    if ids and count < len(set(ids)):
        raise UsageError("dead", f"{len(set(ids)) - count} of the numbers are no letters")
