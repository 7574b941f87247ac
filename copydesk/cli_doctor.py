"""`copydesk doctor`: what is wrong here, and what to do about it."""

from __future__ import annotations

import dataclasses
import os
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from copydesk.cli_output import print_json, table_of
from copydesk.settings import load

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check versions, servers, settings, disks, clocks and processes. Exit 1 when something fails."""
    from copydesk.doctor import judge, look_around

    findings = judge(look_around(load(os.environ)))
    if as_json:
        print_json([dataclasses.asdict(found) for found in findings])
    else:
        table = table_of("", "check", "", "what to do")
        for found in findings:
            table.add_row(Text(found.level, COLOURS[found.level]), found.check, found.says, found.do)
        Console().print(table)
    if any(found.level == "fail" for found in findings):
        raise typer.Exit(1)
