"""Texts of strangers on a terminal: no control character in a title, a file's name or a server's error gets through.

An escape sequence could clear the screen, rewrite what stands there, or type for whoever reads it; a mark of direction
shows a text in another order. Both are shown as what they are. Markup of rich's own is text too.
"""

from __future__ import annotations

import re
import sys

from rich.style import StyleType
from rich.table import Table
from rich.text import Text

# C0 but for tab and line feed, DEL and C1, and what overrides the direction of writing; the marks and isolates that
# Arabic and Hebrew texts have stay.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202d\u202e]")

# In JSON: what json.dumps leaves as it is.
_LEFT_BY_JSON = re.compile("[\x7f-\x9f\u202d\u202e]")


def plain(text: object) -> str:
    r"""The text with control characters as `\x1b` or `\u202e`."""
    return _CONTROL.sub(lambda m: f"\\x{ord(m[0]):02x}" if ord(m[0]) < 256 else f"\\u{ord(m[0]):04x}", str(text))


def plain_json(text: str) -> str:
    """JSON that says the same, without control characters."""
    return _LEFT_BY_JSON.sub(lambda m: f"\\u{ord(m[0]):04x}", text)


def say(text: object, *, is_error: bool = False) -> None:
    """Print a line."""
    print(plain(text), file=sys.stderr if is_error else sys.stdout)


def hand_over(text: str) -> None:
    """Print what was asked for: on a terminal as `say` does, into a file or a pipe as it is."""
    if sys.stdout.isatty():
        say(text)
    else:
        print(text)


class PlainTable(Table):
    """A table whose cells are shown as they are; a `Text` keeps its style."""

    def add_row(self, *cells: object, style: StyleType | None = None, end_section: bool = False) -> None:
        """Cells are texts, or `Text` without spans of its own."""
        shown = [Text(plain(cell.plain), cell.style) if isinstance(cell, Text) else Text(plain(cell)) for cell in cells]
        super().add_row(*shown, style=style, end_section=end_section)
