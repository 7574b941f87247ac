"""`copydesk webhooks`: which services are told of changes by HTTP, and how that goes."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Tell other services of changes by HTTP.")

Number = Annotated[int, typer.Argument(help="The webhook's number.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="Where events are posted to.")],
    event: Annotated[
        list[str] | None, typer.Option(help="An event to tell; all but `duplicate` when not given.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Only of this sender.")] = None,
    since: Annotated[int | None, typer.Option(min=0, help="Behind this position; from now on when not given.")] = None,
    secret: Annotated[str | None, typer.Option(help="Your own secret; a new one is made when not given.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Tell an address of changes from now on. Prints the secret that it checks signatures with."""
    from copydesk.fetching import signing
    from copydesk.fetching.client import parsed
    from copydesk.storage import outbox, webhooks

    wanted = event or [name for name in outbox.EVENTS if name != "duplicate"]
    if unknown := sorted(set(wanted) - set(outbox.EVENTS)):
        raise UsageError(", ".join(unknown), f"the events are {', '.join(outbox.EVENTS)}")
    own = secret or signing.secret_of(secrets.token_bytes(32))
    signing.key_of(own)
    address = str(parsed(url))
    with connected() as connection:
        position = outbox.newest(connection) if since is None else since
        number = webhooks.add(connection, webhooks.NewWebhook(address, own, wanted, source, position))
    if number is None:
        raise UsageError(address, "it is told already")
    text = f"webhook {number} is told of {', '.join(wanted)} behind position {position}\nsecret: {own}"
    print_answer(text, {"webhook": number, "events": wanted, "position": position, "secret": own}, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List webhooks and how far each is behind."""
    from copydesk.storage import webhooks

    with connected() as connection:
        found = webhooks.listed(connection)
    if as_json:
        print_json(found)
        return
    table = table_of("number", "address", "events", "source", "behind", "failures", "last error")
    for row in found:
        off = "" if row["enabled"] else " (off)"
        cells = (", ".join(row["events"]), row["source"] or "", str(row["behind"]), str(row["failures"]))
        table.add_row(str(row["id"]), row["url"] + off, *cells, row["last_error"] or "")
    Console().print(table)


@app.command()
def calls(number: Number, limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20) -> None:
    """Show a webhook's latest calls as JSON, newest first."""
    from copydesk.storage import webhooks

    with connected() as connection:
        found = webhooks.calls(connection, number, limit)
    print_json(found)


@app.command()
def replay(number: Number, since: Annotated[int, typer.Option(min=0, help="Everything behind this position.")]) -> None:
    """Tell a webhook again what it was told before; receivers know repeated events by their position."""
    from copydesk.storage import webhooks

    with connected() as connection:
        _require(webhooks.rewind(connection, number, since), number)


@app.command()
def disable(number: Number) -> None:
    """Stop telling a webhook; its place is kept."""
    _switch(number, enabled=False)


@app.command()
def enable(number: Number) -> None:
    """Go on where a webhook was stopped, or try one at once that failed."""
    _switch(number, enabled=True)


@app.command()
def remove(number: Number) -> None:
    """Forget a webhook."""
    from copydesk.storage import webhooks

    with connected() as connection:
        _require(webhooks.remove(connection, number), number)


def _switch(number: int, *, enabled: bool) -> None:
    from copydesk.storage import webhooks

    with connected() as connection:
        _require(webhooks.enable(connection, number, enabled=enabled), number)


def _require(is_there: bool, number: int) -> None:
    if not is_there:
        raise UsageError(str(number), "there is no such webhook")
