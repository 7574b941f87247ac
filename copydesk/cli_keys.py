"""`copydesk keys`: who may use the HTTP door."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke keys of the HTTP door.")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whose it is, for people.")],
    scope: Annotated[list[str], typer.Option(help="ingest, read or admin; may be given several times.")],
    per_minute: Annotated[int | None, typer.Option(min=1, help="Requests a minute; no limit when not given.")] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="Days it lasts; for ever when not given.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it; it cannot be shown again."""
    from copydesk.storage import api_keys

    if unknown := sorted(set(scope) - set(api_keys.SCOPES)):
        raise UsageError(", ".join(unknown), f"the scopes are {', '.join(api_keys.SCOPES)}")
    key_id, secret = f"cd_{secrets.token_hex(4)}", secrets.token_urlsafe(32)
    wanted = sorted(set(scope))
    with connected() as connection:
        api_keys.add(
            connection, key_id=key_id, name=name, secret=secret, scopes=wanted, per_minute=per_minute, days=days
        )
    key = f"{key_id}.{secret}"
    print_answer(key, {"id": key_id, "key": key, "scopes": wanted}, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List keys, the revoked ones too."""
    from copydesk.storage import api_keys

    with connected() as connection:
        found = api_keys.listed(connection)
    if as_json:
        print_json(found)
        return
    table = table_of("key", "name", "scopes", "a minute", "made", "until")
    for row in found:
        until = "revoked" if row["revoked_at"] else f"{row['expires_at']:%Y-%m-%d}" if row["expires_at"] else ""
        made = f"{row['created_at']:%Y-%m-%d}"
        table.add_row(row["id"], row["name"], ", ".join(row["scopes"]), str(row["per_minute"] or ""), made, until)
    Console().print(table)


@app.command()
def revoke(key: Annotated[str, typer.Argument(help="The part of the key before the full stop.")]) -> None:
    """End a key; every process forgets it within five seconds."""
    from copydesk.storage import api_keys

    with connected() as connection:
        is_ended = api_keys.revoke(connection, key)
    if not is_ended:
        raise UsageError(key, "there is no such key in force")
