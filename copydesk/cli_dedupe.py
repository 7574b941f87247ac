"""`copydesk dedupe …`: what the judge of duplicates makes of two files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from copydesk.errors import UsageError
from copydesk.settings import load

app = typer.Typer(no_args_is_help=True, help="Duplicates: why two texts are one story, or not.")

FileArgument = Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)]


@app.command()
def explain(first: FileArgument, second: FileArgument) -> None:
    """Print every score, every guard and what the second file is to the first. No server is needed.

    Both are cleaned as files of the source `inbox`, without learnt lines. Time does not count.
    """
    from copydesk import pipeline
    from copydesk.cleaning import load_rules
    from copydesk.dedupe.explanation import explain as explain_sketches
    from copydesk.dedupe.sketch import Sketch, sketch
    from copydesk.models import Hints, RawItem

    settings = load(os.environ)
    rules = load_rules([settings.rules_dir] if settings.rules_dir else [])

    def draw(file: Path) -> Sketch:
        item = RawItem(file.read_bytes(), "inbox", datetime.now(UTC), Hints(filename=file.name))
        found = [each.document for each in pipeline.process(item, rules) if each.document]
        if len(found) != 1:
            raise UsageError(str(file), f"holds {len(found)} articles instead of one")
        return sketch(found[0].title, found[0].body)

    told = explain_sketches(draw(first), draw(second))
    measured = Table("measured", "found", "threshold", box=None, padding=(0, 1))
    for row in told.measured:
        measured.add_row(*row)
    guards = Table("speaks against it", "", box=None, padding=(0, 1))
    for reason, holds in told.guards:
        guards.add_row(reason, "yes" if holds else "no")
    console = Console()
    console.print(measured, guards, sep="\n\n")
    console.print(f"\nthe second is: {told.verdict}")
