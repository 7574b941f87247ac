"""`copydesk ingest`: files, folders, archives and addresses to the workers, few or millions."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from copydesk.cli_output import AsJson, print_json, progress
from copydesk.errors import UsageError
from copydesk.models import Outcome
from copydesk.settings import Settings, load

if TYPE_CHECKING:  # Celery and the parsers are loaded by the command that needs them
    from copydesk.delivery.bulk_run import BulkRun

# Everything ended, and some of it not as an article.
WITH_FAULTS = 3

STOPPED = 130

_FAULTS = (Outcome.REJECTED, Outcome.DEAD)


def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders, archives, lists (JSONL, CSV, mbox) or addresses.")
    ],
    source: Annotated[str, typer.Option(help="The source that they belong to.")] = "inbox",
    *,
    is_bulk: Annotated[
        bool, typer.Option("--bulk", help="Keep the place: stopped or killed, the same command goes on where it was.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="With --bulk: forget the place and begin at the start.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Come back when all is stored, with how it ended.")] = False,
    as_json: AsJson = False,
) -> None:
    """Hand documents to the running workers; files stay where they are.

    It comes back when everything is accepted: on the disk of the spool. Exit 0; 1 when it failed; 2 when the command or
    the settings cannot be used; 3 when some documents could not be read, or with --wait were rejected or are dead; 130
    when it was stopped.
    """
    if anew and not is_bulk:
        raise UsageError("--anew", "only a run with --bulk has a place")
    settings = load(os.environ).of("operator")
    begun = time.monotonic()
    with ExitStack() as stack:
        folder = settings.spool / "bulk" if is_bulk else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        run = stack.enter_context(_run(folder, source, paths))
        run.begin(anew=anew)
        for problem in run.progress.unreadable:
            print(f"copydesk: a folder cannot be read: {problem}", file=sys.stderr)
        is_over, outcomes = _carry(settings, run, wait=wait)
        answer = _answer(run, outcomes, time.monotonic() - begun)
        if is_over:
            run.forget()
    if as_json:
        print_json(answer | {"is_over": is_over})
    else:
        print(_told(answer))
    if not is_over:
        further = ", and the same command goes on where it was" if is_bulk else ""
        print(f"copydesk: stopped; what is accepted is carried on{further}", file=sys.stderr)
        raise typer.Exit(STOPPED)
    if answer["refused"] or answer["unreadable"] or any((outcomes or {}).get(fault) for fault in _FAULTS):
        raise typer.Exit(WITH_FAULTS)


def _run(folder: Path, source: str, paths: list[str]) -> BulkRun:
    from pydantic import TypeAdapter, ValidationError

    from copydesk.delivery.bulk_run import BulkRun
    from copydesk.models import Name

    try:
        TypeAdapter(Name).validate_python(source)
    except ValidationError as error:
        raise UsageError(source, "no name of a source") from error
    return BulkRun(folder, source, paths)


def _carry(settings: Settings, run: BulkRun, *, wait: bool) -> tuple[bool, dict[Outcome, int] | None]:
    """Hand over, and wait where that is wanted; returns whether that came to its end, and the outcomes."""
    from copydesk.delivery.bulk import Bulk
    from copydesk.delivery.manners import client_of
    from copydesk.queue.app import make_app

    size = _size(run)
    with progress("ingest", size or run.progress.inputs) as tell, _stopping() as stop:

        def told(why: str) -> None:
            done = run.progress
            words = f"{done.documents:,} documents handed over, {len(bulk.open)} jobs on their way"
            tell(bulk.read_bytes if size else done.place.inputs, f"{words}; {why}" if why else words)

        bulk = Bulk(settings, make_app(settings), run, fetch=client_of(settings).fetch, told=told, stop=stop)
        try:
            is_over = bulk.hand_over() and (not wait or bulk.wait())
            return is_over, bulk.counts() if wait and is_over else None
        finally:
            bulk.close()


def _size(run: BulkRun) -> int:
    """Bytes of the one file that a run is about; 0 where there are more."""
    if run.progress.inputs != 1:
        return 0
    try:
        return run.only_path().stat().st_size
    except OSError:
        return 0


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM while the block runs."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answer(run: BulkRun, outcomes: dict[Outcome, int] | None, seconds: float) -> dict[str, Any]:
    done = run.progress
    return {
        "run": done.run_id,
        "source": run.source,
        "is_resumed": run.is_resumed,
        "inputs": done.inputs,
        "documents": done.documents,
        "jobs": done.jobs,
        "refused": done.refused,
        "unreadable": done.unreadable,
        "outcomes": outcomes,
        "seconds": round(seconds, 3),
    }


def _told(answer: dict[str, Any]) -> str:
    lines = [
        f"{answer['documents']:>9} documents of {answer['inputs']:,} files accepted, as {answer['jobs']:,} jobs",
        f"{answer['refused']:>9} of them could not be read" if answer["refused"] else "",
    ]
    lines += [f"{count:>9} {outcome}" for outcome, count in (answer["outcomes"] or {}).items()]
    return "\n".join(line for line in lines if line)
