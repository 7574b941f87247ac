"""How the commands print: tables for people, JSON for programs, and on standard error how far long work has come."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from copydesk.cli_plain import PlainTable, plain_json, say

# Between two lines where there is no terminal to draw a bar on.
TOLD_EVERY_S = 10.0

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

Told = Callable[[float, str], None]
"""Takes how much is done and a few words about it."""


def print_json(value: object) -> None:
    """Print a value; times and ids as text."""
    print(plain_json(json.dumps(value, default=str, ensure_ascii=False, indent=1)))


def print_answer(text: str, value: object, *, as_json: bool) -> None:
    """Print the one thing that a command has to say: a line for people, or a value for programs."""
    if as_json:
        print_json(value)
    else:
        say(text)


def table_of(*headings: str) -> PlainTable:
    """An empty table without a frame, whose cells are folded and never cut."""
    table = PlainTable(box=None, padding=(0, 1), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table


@contextmanager
def progress(what: str, total: float) -> Iterator[Told]:
    """A bar on standard error, or a line now and then where that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(what, total)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console) as bar:
        task = bar.add_task(what, total=total or None, words="")
        yield lambda done, words: bar.update(task, completed=done, words=words)


def _lines(what: str, total: float) -> Told:
    told = time.monotonic()

    def tell(done: float, words: str) -> None:
        nonlocal told
        if time.monotonic() - told >= TOLD_EVERY_S:
            told = time.monotonic()
            print(f"{what}: {done / total if total else 1:.0%}, {words}", file=sys.stderr, flush=True)

    return tell
