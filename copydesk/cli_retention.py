"""`copydesk retention`: for how long things are kept, and what would go now. The running scheduler carries it out."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.errors import UsageError
from copydesk.settings import load

if TYPE_CHECKING:  # 0.2 s of imports that the other commands do not need
    from copydesk.storage.retention import Old

app = typer.Typer(no_args_is_help=True, help="Show and set for how long inputs, revisions and articles are kept.")

_HELP = "Days, `forever`, or `default` for what the settings say."
FOREVER, DEFAULT = "forever", "default"


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show, by source, for how long what is kept, and what is over that and would go now.

    What somebody still waits for is held back: articles of open jobs or with events that a reader or webhook has not
    passed, inputs that a dead letter needs or that are newer than the oldest open job.
    """
    from copydesk.delivery import retention

    with connected(deadline_s=600) as connection:
        found = retention.due(load(os.environ), connection)
    if as_json:
        print_json([asdict(one) | {name: _as_json(getattr(one, name)) for name in _DUE} for one in found])
        return
    table = table_of("source", "inputs", "would go", "revisions", "would go", "articles", "would go")
    for one in found:
        cells = [one.source or "(several)"]
        for days, old in (
            (one.days.raw, one.raw),
            (one.days.revisions, one.revisions),
            (one.days.articles, one.articles),
        ):
            cells += [FOREVER if days is None else f"{days:g} days", _told(old)]
        table.add_row(*cells)
    Console().print(table)


@app.command("set")
def set_(
    source: Annotated[str, typer.Argument(help="The source's name.")],
    raw: Annotated[str, typer.Option(metavar="DAYS", help=f"Of inputs, since they last came. {_HELP}")] = DEFAULT,
    revisions: Annotated[
        str, typer.Option(metavar="DAYS", help=f"Of revisions, since they were superseded. {_HELP}")
    ] = DEFAULT,
    articles: Annotated[
        str, typer.Option(metavar="DAYS", help=f"Of articles, since they last changed. {_HELP}")
    ] = DEFAULT,
    *,
    as_json: AsJson = False,
) -> None:
    """Set for how long what came of a source is kept; what is not given is kept as the settings say."""
    from copydesk.storage import retention
    from copydesk.storage.retention import OwnDays

    own = OwnDays(source, _days(raw), _days(revisions), _days(articles))
    with connected() as connection:
        retention.keep(connection, own)
    text = (
        f"{source}: inputs {raw}, revisions {revisions}, articles {articles}; `copydesk retention show` says what goes"
    )
    print_answer(text, {"source": source, "raw": raw, "revisions": revisions, "articles": articles}, as_json=as_json)


_DUE = ("raw", "revisions", "articles")


def _as_json(old: Old | None) -> dict[str, int] | None:
    return None if old is None else old._asdict()


def _told(old: Old | None) -> str:
    if old is None or not old.rows:
        return ""
    size = f", {old.size / 1_000_000:.1f} MB" if old.size else ""
    held = f", {old.rows - old.would_go:,} held back" if old.rows > old.would_go else ""
    return f"{old.would_go:,}{held}{size}"


def _days(given: str) -> float | None:
    if given == DEFAULT:
        return None
    if given == FOREVER:
        return math.inf
    try:
        days = float(given)
    except ValueError:
        days = 0.0
    if not (math.isfinite(days) and days >= 1):
        raise UsageError(given, "say a number of days, one or more, `forever` or `default`")
    return days
