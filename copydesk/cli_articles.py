"""`copydesk articles` and `copydesk export`: what is stored, from a shell."""

from __future__ import annotations

import os
import pwd
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.cli_plain import PlainTable, plain
from copydesk.errors import UsageError

if TYPE_CHECKING:  # 0.2 s of imports that the other commands do not need
    from copydesk.storage.reading import Filters

app = typer.Typer(no_args_is_help=True, help="List, show, search, compare and delete articles.")

Source = Annotated[str | None, typer.Option(help="Only of this sender.")]
Language = Annotated[str | None, typer.Option(help="Only in this language, as `en` or `zh`.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")]


@app.command("list")
def list_(
    source: Source = None,
    language: Language = None,
    since: Annotated[datetime | None, typer.Option(help="Received at this time or later.")] = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List articles, newest first."""
    from copydesk.storage import reading

    filters = replace(_filters(source, language), received_from=since.astimezone() if since else None)
    with connected() as connection:
        found = reading.newest(connection, filters, before=None, limit=limit)
    _print_rows(found, as_json=as_json)


@app.command()
def search(
    query: Annotated[str, typer.Argument(help='Words, "a phrase", -without, this OR that.')],
    source: Source = None,
    language: Language = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Find articles by their words, the best first."""
    from copydesk.delivery import finding

    with connected() as connection:
        found = finding.find(connection, query, language=language, source=source, by_relevance=True, limit=limit)
    _print_rows([row.article for row in found], as_json=as_json)


@app.command()
def show(
    article: Annotated[UUID, typer.Argument(help="The article's id.")],
    revision: Annotated[int | None, typer.Option(min=1, help="This revision; the current one when not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show an article: its fields, its text and what was removed."""
    from copydesk.storage import reading

    with connected() as connection:
        wanted = str(article)
        found = reading.revision(connection, wanted, revision) if revision else reading.article(connection, wanted)
    if found is None:
        raise UsageError(str(article), "there is no such article, or not in this revision")
    if as_json:
        print_json(found)
        return
    console = Console()
    head = PlainTable(box=None, show_header=False, padding=(0, 1))
    for name in ("title", "publisher", "authors", "published_text", "dateline", "language", "source", "url", "rights"):
        value = found[name]
        if value:
            head.add_row(name, ", ".join(value) if isinstance(value, list) else str(value))
    console.print(head)
    console.print(plain("\n" + found["text"] + "\n"), markup=False, highlight=False)
    for piece in found["removed"]:
        console.print(plain(f"{piece['kind']:10} {piece['rule']:28} {piece['text']}"), style="dim", markup=False)


@app.command()
def diff(
    article: Annotated[UUID, typer.Argument(help="The article's id.")],
    before: Annotated[int, typer.Option(min=1, help="The older revision.")],
    after: Annotated[int, typer.Option(min=1, help="The newer one.")],
    as_json: AsJson = False,
) -> None:
    """Show what changed between two revisions."""
    from copydesk.dedupe.difference import changes
    from copydesk.storage import reading

    with connected() as connection:
        old, new = (reading.revision(connection, str(article), number) for number in (before, after))
    if old is None or new is None:
        raise UsageError(str(article), "there is no such article, or not in these revisions")
    found = changes([old["title"] or "", *old["body"]], [new["title"] or "", *new["body"]])
    if as_json:
        print_json([asdict(change) for change in found])
        return
    console = Console()
    for change in found:
        if change.kind != "kept":
            for sign, text, style in (("-", change.before, "red"), ("+", change.after, "green")):
                if text is not None:
                    console.print(plain(f"{sign} {text}"), style=style, markup=False, highlight=False)


@app.command()
def delete(
    article: Annotated[UUID, typer.Argument(help="The article's id.")],
    reason: Annotated[str, typer.Option(prompt=True, help="Why; it stays, and readers are told it.")],
    as_json: AsJson = False,
) -> None:
    """Delete an article's text, revisions and inputs for good; what comes of it again is not stored."""
    from copydesk.storage import deletions

    if not reason.strip():
        raise UsageError(str(article), "say why")
    with connected() as connection:
        found = deletions.delete(connection, str(article), reason=reason.strip(), by=_who())
    if found is None:
        raise UsageError(str(article), "there is no such article")
    text = f"deleted at {found.deleted_at:%Y-%m-%d %H:%M:%S}Z by {found.deleted_by}: {found.reason}"
    print_answer(text, found._asdict(), as_json=as_json)


@app.command()
def undelete(article: Annotated[UUID, typer.Argument(help="The article's id.")], as_json: AsJson = False) -> None:
    """Let what comes of a deleted article be stored again, as an article of its own; its text is gone."""
    from copydesk.storage import deletions

    with connected() as connection:
        found = deletions.lift(connection, str(article), by=_who())
    if found is None:
        raise UsageError(str(article), "it was not deleted")
    print_answer("what comes of it again is stored", found._asdict(), as_json=as_json)


def _who() -> str:
    """Who runs this command, to be noted down; a container's user may have no name."""
    try:
        return f"command line ({pwd.getpwuid(os.getuid()).pw_name})"
    except KeyError:
        return f"command line (user {os.getuid()})"


def export(
    target: Annotated[Path, typer.Argument(help="A .jsonl or .csv file to append to, or a folder for Parquet files.")],
    form: Annotated[
        str | None, typer.Option("--format", help="jsonl, csv or parquet; by the target's ending when not given.")
    ] = None,
    source: Source = None,
    language: Language = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write every article that changed since the last export to the same target, in the order of the changes."""
    from copydesk.delivery import export as exporting

    chosen = form or {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}.get(target.suffix, "parquet")
    if chosen not in ("jsonl", "csv", "parquet"):
        raise UsageError(chosen, "the format is one of jsonl, csv and parquet")
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} articles"), TimeElapsedColumn())
    with connected() as connection, Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("export", total=None)
        place = exporting.export(
            connection,
            target,
            chosen,  # type: ignore[arg-type]  # checked above
            _filters(source, language),
            told=lambda count: progress.advance(task, count),
        )
        count = int(progress.tasks[0].completed)
    text = f"{count} articles written; the position is {place.position}"
    print_answer(text, {"articles": count, "position": place.position}, as_json=as_json)


def _filters(source: str | None, language: str | None) -> Filters:
    from copydesk.storage.reading import Filters

    return Filters(source=source, language=language)


def _print_rows(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    table = table_of("id", "received", "source", "title", "publisher")
    for row in found:
        received = f"{row['received_at']:%Y-%m-%d %H:%M}"
        table.add_row(row["id"], received, row["source"], row["title"] or "", row["publisher"] or "")
    Console().print(table)
