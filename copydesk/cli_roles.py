"""`copydesk database`: the roles of Postgres that processes connect as."""

from __future__ import annotations

import os
from typing import Annotated

import typer
from rich.console import Console

from copydesk.cli_output import print_json, table_of
from copydesk.errors import UsageError
from copydesk.settings import load

app = typer.Typer(no_args_is_help=True, help="The roles of Postgres that processes connect as.")


@app.callback()
def _group() -> None:
    """So that one command is still a command."""


@app.command()
def roles(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Make the roles that COPYDESK_POSTGRES_<KIND>_URL name, with their passwords, and grant what each may do."""
    from copydesk.storage import connection as database
    from copydesk.storage import roles as found

    settings = load(os.environ)
    if not found.logins(settings):
        raise UsageError("roles", "no COPYDESK_POSTGRES_<KIND>_URL is set, so every process connects as the owner")
    with database.connect(settings.postgres_url.get_secret_value(), name="copydesk cli") as connection:
        made = found.set_up(connection, found.logins(settings))
    if as_json:
        print_json([each._asdict() for each in made])
        return
    table = table_of("for", "role", "")
    for each in made:
        table.add_row(*each)
    Console().print(table)
