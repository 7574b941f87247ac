"""How the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json

from copydesk.cli_plain import PlainTable, plain_json


def print_json(value: object) -> None:
    """Print a value; times and ids as text."""
    print(plain_json(json.dumps(value, default=str, ensure_ascii=False, indent=1)))


def table_of(*headings: str) -> PlainTable:
    """An empty table without a frame, whose cells are folded and never cut."""
    table = PlainTable(box=None, padding=(0, 1), header_style="dim")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
