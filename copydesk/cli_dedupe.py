"""`copydesk dedupe …`: what the judge of duplicates makes of two texts, and the index that it finds them by."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json
from copydesk.cli_plain import PlainTable
from copydesk.errors import UsageError
from copydesk.settings import Settings, load

if TYPE_CHECKING:  # the judge's tables are loaded by the command that needs them
    from copydesk.dedupe.sketch import Sketch
    from copydesk.delivery.rejudging import Change

app = typer.Typer(no_args_is_help=True, help="Duplicates: why two texts are one story, or not.")

Text = Annotated[str, typer.Argument(help="A file, or the id of an article or sighting that Postgres has a sketch of.")]


@app.command()
def explain(first: Text, second: Text, as_json: AsJson = False) -> None:
    """Print every score, every guard and what the second text is to the first. Files need no server.

    Files are cleaned as those of the source `inbox`, without learnt lines. Time does not count.
    """
    from copydesk.dedupe.explanation import explain as explain_sketches
    from copydesk.dedupe.likeness import read_thresholds

    settings = load(os.environ)

    def draw(text: str) -> Sketch:
        return _of_file(Path(text), settings) if Path(text).is_file() else _of_document(text)

    told = explain_sketches(draw(first), draw(second), thresholds=read_thresholds(settings.dedupe_thresholds))
    if as_json:
        print_json(asdict(told))
        return
    measured = PlainTable("measured", "found", "threshold", box=None, padding=(0, 1))
    for row in told.measured:
        measured.add_row(*row)
    guards = PlainTable("speaks against it", "", box=None, padding=(0, 1))
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
    from copydesk.queue.streams import ArticleStream

    settings = load(os.environ).of("operator")
    window = timedelta(days=settings.dedupe_window_days)
    client = streams.connect(settings.redis_url.get_secret_value())
    index = LikenessIndex.on(client, settings)
    with connected(deadline_s=600) as connection:
        loaded = restoring.rebuild(
            index,
            ArticleStream(client),
            connection,
            now=datetime.now(UTC),
            window=window,
            anew=anew or index.state().number < 0,
        )
    state = index.state()
    text = f"{loaded} documents loaded, about {state.size_bytes / 1_000_000:.1f} MB; the last has number {state.number}"
    print_answer(text, {"loaded": loaded, "bytes": state.size_bytes, "number": state.number}, as_json=as_json)


@app.command()
def replay(
    since: Annotated[datetime, typer.Option(help="Judge what was received at this time or later.")],
    apply: Annotated[bool, typer.Option("--apply", help="Join the stories that are one now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line, the counts last.")] = False,
) -> None:
    """Judge stored documents anew, in order, and print what would change: after new rules or thresholds.

    Articles that are one story now join the cluster of the first with --apply; nothing else is ever changed. Duplicates
    that are like nothing any more are only told: their texts were not stored.
    """
    from copydesk.dedupe.likeness import read_thresholds
    from copydesk.delivery.rejudging import Replay

    settings = load(os.environ)
    columns = (TextColumn("{task.completed} documents"), TimeElapsedColumn())
    with (
        connected(deadline_s=600) as connection,
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        task = progress.add_task("replay", total=None)
        replay_ = Replay(
            connection,
            since=since.astimezone(),
            window=timedelta(days=settings.dedupe_window_days),
            thresholds=read_thresholds(settings.dedupe_thresholds),
        )
        changes = replay_.changes(apply=apply, on_progress=lambda count: progress.advance(task, count))
        for change in changes:
            print(_as_line(change) if as_json else _as_words(change))
    found = replay_.found
    if as_json:
        print(json.dumps(asdict(found) | {"is_applied": apply}))
    else:
        done = "joined" if apply else "would join another story (--apply does it)"
        print(f"{found.judged} documents judged: {found.joins} {done}, {found.parts} are like nothing any more", end="")
        print(f"; {found.unreadable} sketches of another version were left out" if found.unreadable else "")


def _as_line(change: Change) -> str:
    likeness = change.likeness
    told = {
        "document": change.document,
        "change": change.kind,
        "article": change.article_id,
        "story": change.story,
        "into": change.into,
        "relation": likeness and likeness.relation,
        "like": likeness and likeness.document,
        "scores": likeness and likeness.scores,
        "reason": likeness and likeness.reason,
    }
    return json.dumps(told)


def _as_words(change: Change) -> str:
    if change.likeness is None:
        return f"{change.document} parts from story {change.story}: it is like nothing any more"
    what = f"{change.likeness.reason}, compared with {change.likeness.document}"
    return f"{change.document} joins story {change.into}: {what}"


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
