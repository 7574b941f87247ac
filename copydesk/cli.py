"""The command line. It parses arguments, calls the library and prints; it decides nothing about articles."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

import copydesk
from copydesk import (
    cli_articles,
    cli_dead,
    cli_dedupe,
    cli_doctor,
    cli_feeds,
    cli_ingest,
    cli_keys,
    cli_reclean,
    cli_retention,
    cli_roles,
    cli_sources,
    cli_webhooks,
)
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.cli_plain import PlainTable, hand_over, say
from copydesk.errors import CopydeskError, DependencyError, SettingsError
from copydesk.settings import PREFIX, Settings, is_secret, load, origins_of

if TYPE_CHECKING:  # parsers and lexicons are loaded by the one command that needs them
    from copydesk.cleaning import Row
    from copydesk.delivery.accounting import Audit

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="Cleans news text, tells articles from duplicates and revisions, and loses nothing on the way to Postgres.",
)

app.add_typer(cli_feeds.app, name="feeds")
app.add_typer(cli_articles.app, name="articles")
app.add_typer(cli_dead.app, name="dead")
app.add_typer(cli_webhooks.app, name="webhooks")
app.add_typer(cli_keys.app, name="keys")
app.add_typer(cli_sources.app, name="sources")
app.add_typer(cli_retention.app, name="retention")
app.command()(cli_articles.export)
app.command()(cli_ingest.ingest)
app.command()(cli_reclean.reclean)
app.command()(cli_doctor.doctor)
app.add_typer(cli_dedupe.app, name="dedupe")
app.add_typer(cli_roles.app, name="database")

# Exit codes: 1 the input or the run failed, 2 the command or the settings cannot be used.
FAILED, UNUSABLE = 1, 2

COLOURS = {
    "title": "bold",
    "body": "",
    "section": "cyan",
    "metadata": "blue",
    "rights": "magenta",
    "caption": "green",
    "correction": "yellow",
    "dropped": "red",
}


@app.command()
def clean(
    file: Annotated[Path, typer.Argument(help="A file of any format that copydesk reads; - for standard input.")],
    source: Annotated[str, typer.Option(help="Clean as for this configured sender.")] = "inbox",
    as_json: Annotated[bool, typer.Option("--json", help="Print every field, and what was removed, as JSON.")] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print each line with its class and the rule that said so.")
    ] = False,
) -> None:
    """Clean one file in this process and print the article. No server is needed."""
    from copydesk import cleaning, pipeline
    from copydesk.models import Hints, RawItem

    settings = _settings()
    rules = cleaning.load_rules([settings.rules_dir] if settings.rules_dir else [])
    data = sys.stdin.buffer.read() if str(file) == "-" else _read(file)
    item = RawItem(data, source, datetime.now(UTC), Hints(filename=None if str(file) == "-" else file.name))
    found = pipeline.read(item, rules)
    for parsed in found:
        if parsed.error:
            say(f"copydesk: {parsed.error}", is_error=True)
    results = [(parsed, pipeline.clean(parsed, item, rules)) for parsed in found if not parsed.error]
    if as_json:
        answers = [cleaning.to_json(cleaned, parsed.encoding) for parsed, cleaned in results]
        print_json(answers[0] if len(answers) == 1 else answers)
        return
    console = Console()
    for parsed, cleaned in results:
        if explain:
            console.print(_explained(cleaning.explain(cleaned, parsed.lines)))
        elif cleaned.is_article:
            hand_over("\n\n".join([*([cleaned.title] if cleaned.title else []), *cleaned.body]) + "\n")
        else:
            console.print(f"not an article: {cleaned.reason}", style="red")


def _explained(rows: Sequence[Row]) -> PlainTable:
    table = PlainTable(box=None, padding=(0, 1), show_header=True, header_style="dim")
    for name in ("line", "class", "rule", "text"):
        table.add_column(name, justify="right" if name == "line" else "left", overflow="fold")
    for row in rows:
        kind = str(row.kind.value)
        style = COLOURS[kind]
        mark = "  └ " if row.is_piece else ""
        table.add_row(str(row.line), Text(kind, style), Text(row.rule, "dim"), Text(mark + row.text, style))
    return table


@app.command()
def up(
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Run Valkey and Postgres from the wheels, data in the data folder.")
    ] = False,
) -> None:
    """Run every service and worker of this checkout until Ctrl-C."""
    from copydesk import stack

    stack.run_forever(_settings(), embedded=embedded)


@app.command()
def demo(
    seeds: Annotated[Path, typer.Option(help="Folder of sample inputs.")] = Path("seeds"),
) -> None:
    """Start everything on throw-away servers, take the sample inputs through both doors, show what was stored."""
    from copydesk import demo as demonstration

    demonstration.run(seeds)


@app.command()
def migrate(
    wait: Annotated[float, typer.Option(help="Seconds to wait for the servers.")] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Bring the database to this version's schema, grant its roles, create the stream's group. Safe to repeat."""
    from copydesk.queue import streams
    from copydesk.storage import connection as database
    from copydesk.storage import roles, schema

    settings = _settings()
    deadline = time.monotonic() + wait
    while True:
        try:
            with database.connect(settings.postgres_url.get_secret_value()) as connection:
                applied = schema.install(connection)
                # What is new in the schema is granted as well.
                roles.set_up(connection, roles.logins(settings))
            streams.ArticleStream(streams.connect(settings.redis_url.get_secret_value())).create_group()
            break
        except DependencyError as error:
            if time.monotonic() > deadline:
                raise
            say(f"waiting: {error}", is_error=True)
            time.sleep(1)
    text = f"applied: {', '.join(applied)}" if applied else "nothing to apply"
    print_answer(text, {"applied": applied}, as_json=as_json)


@app.command()
def where(
    what: Annotated[str, typer.Argument(help="An item, job or article id, a file's name, or a URL.")],
    as_json: AsJson = False,
) -> None:
    """Tell where a document is: at a door, or how it ended. Exit 1 when nothing is known of it."""
    from copydesk.delivery import accounting

    places = accounting.locate(_settings().of("operator"), what)
    if as_json:
        print_json([dataclasses.asdict(place) for place in places])
    for place in () if as_json else places:
        say(f"{place.where:10} {place.since:%Y-%m-%d %H:%M:%S} {place.source}  {place.item_id}")
        say(f"{'':10} {place.detail}" + (f" (article {place.article_id})" if place.article_id else ""))
    if not places:
        say(f"copydesk: nothing is known of {what}", is_error=True)
        raise typer.Exit(FAILED)


@app.command()
def audit(
    as_json: AsJson = False,
) -> None:
    """Prove that nothing is in between, or list what is. Exit 1 when something is, or cannot be looked into."""
    from copydesk.delivery import accounting

    found = accounting.audit(_settings().of("operator"))
    if as_json:
        answer = dataclasses.asdict(found) | {"is_settled": found.is_settled}
        answer["open_jobs"] = [job._asdict() for job in found.open_jobs]
        print_json(answer)
    else:
        say(_audited(found))
    if not found.is_settled:
        raise typer.Exit(FAILED)


def _audited(found: Audit) -> str:
    lines = [f"{count:>9} {outcome}" for outcome, count in sorted(found.totals.items())]
    lines += [
        f"{len(found.claims):>9} claims of the inbox without an outcome",
        f"{len(found.spooled):>9} jobs in the spool without an outcome",
        f"{found.jobs_in_redis:>9} jobs queued or in hand",
        f"{found.articles_in_stream:>9} articles on their way to storage",
        f"{len(found.open_jobs):>9} jobs that lack receipts"
        + (" (the oldest 100)" if len(found.open_jobs) == 100 else ""),
        f"{found.dead:>9} dead letters",
        f"{found.deleted:>9} articles deleted since they were stored",
    ]
    lines += [f"   open: {job.id} of {job.source}, {job.done} of {job.total or '?'}" for job in found.open_jobs[:20]]
    lines += [f"problem: {problem}" for problem in found.problems]
    lines.append("nothing is in between" if found.is_settled else "not settled")
    return "\n".join(lines)


@app.command()
def config(as_json: AsJson = False) -> None:
    """Print every setting as this process reads it, and where it is from; secrets are masked."""
    settings = _settings()
    origins = origins_of(os.environ)
    rows = [
        {
            "setting": PREFIX + name.upper(),
            "value": "****" if is_secret(field) else getattr(settings, name),
            "from": origins[name],
            "description": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json(rows)
        return
    table = table_of("setting", "value", "from", "what it is")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        print(copydesk.__version__)
        raise typer.Exit


def _settings() -> Settings:
    return load(os.environ)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{error.strerror}: {file}") from error


def main() -> None:
    """The entry point: our errors become one line and an exit code."""
    try:
        app()
    except SettingsError as error:
        say(f"copydesk: {error}", is_error=True)
        sys.exit(UNUSABLE)
    except CopydeskError as error:
        say(f"copydesk: {error}", is_error=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
