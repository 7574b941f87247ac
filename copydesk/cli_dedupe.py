"""`copydesk dedupe …`: what the judge of duplicates makes of two texts, and the index that it finds them by."""

from __future__ import annotations

import os
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json
from copydesk.errors import UsageError
from copydesk.settings import Settings, load

if TYPE_CHECKING:  # the judge's tables are loaded by the command that needs them
    from copydesk.dedupe.sketch import Sketch

app = typer.Typer(no_args_is_help=True, help="Duplicates: why two texts are one story, or not.")

Text = Annotated[str, typer.Argument(help="A file, or the id of an article or sighting that Postgres has a sketch of.")]


@app.command()
def explain(first: Text, second: Text, as_json: AsJson = False) -> None:
    """Print every score, every guard and what the second text is to the first. Files need no server.

    Files are cleaned as those of the source `inbox`, without learnt lines. Time does not count.
    """
    from copydesk.dedupe.explanation import explain as explain_sketches

    settings = load(os.environ)

    def draw(text: str) -> Sketch:
        return _of_file(Path(text), settings) if Path(text).is_file() else _of_document(text)

    told = explain_sketches(draw(first), draw(second))
    if as_json:
        print_json(asdict(told))
        return
    measured = Table("measured", "found", "threshold", box=None, padding=(0, 1))
    for row in told.measured:
        measured.add_row(*row)
    guards = Table("speaks against it", "", box=None, padding=(0, 1))
    for reason, holds in told.guards:
        guards.add_row(reason, "yes" if holds else "no")
    console = Console()
    console.print(measured, guards, sep="\n\n")
    console.print(f"\nthe second is: {told.verdict}")


@app.command()
def rebuild(
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin with an empty index; ingest waits until it is loaded.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load into Redis what the likeness index lacks of the window. Workers do it by themselves when it is missing."""
    from copydesk.delivery import restoring
    from copydesk.queue import streams
    from copydesk.queue.likeness_index import LikenessIndex

    settings = load(os.environ)
    window = timedelta(days=settings.dedupe_window_days)
    index = LikenessIndex(
        streams.connect(settings.redis_url.get_secret_value()),
        window_s=window.total_seconds(),
        bytes_max=settings.dedupe_bytes_max,
    )
    with connected(deadline_s=600) as connection:
        loaded = restoring.rebuild(
            index, connection, now=datetime.now(UTC), window=window, anew=anew or index.state().number < 0
        )
    state = index.state()
    text = f"{loaded} documents loaded, about {state.size_bytes / 1_000_000:.1f} MB; the last has number {state.number}"
    print_answer(text, {"loaded": loaded, "bytes": state.size_bytes, "number": state.number}, as_json=as_json)


def _of_file(file: Path, settings: Settings) -> Sketch:
    from copydesk import pipeline
    from copydesk.cleaning import load_rules
    from copydesk.dedupe.sketch import sketch
    from copydesk.models import Hints, RawItem

    rules = load_rules([settings.rules_dir] if settings.rules_dir else [])
    item = RawItem(file.read_bytes(), "inbox", datetime.now(UTC), Hints(filename=file.name))
    found = [each.document for each in pipeline.process(item, rules) if each.document]
    if len(found) != 1:
        raise UsageError(str(file), f"holds {len(found)} articles instead of one")
    return sketch(found[0].title, found[0].body)


def _of_document(document: str) -> Sketch:
    from copydesk.dedupe.sketch import unpack
    from copydesk.storage import sketches

    try:
        name = str(uuid.UUID(document))
    except ValueError as error:
        raise UsageError(document, "neither a file nor an id") from error
    with connected() as connection:
        data = sketches.load(connection, name)
    if data is None:
        raise UsageError(document, "there is no sketch of it")
    return unpack(data)
