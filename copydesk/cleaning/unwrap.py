"""Decides which physical lines were broken by a printer and belong to one paragraph.

A printer of fixed width breaks a line only where the next word no longer fits. So a file is wrapped when most of its
line ends, between lines with no blank one between them, are such places for the file's own width; poems, results and
one-sentence-a-line files are not. Markup (lines with a role) is never unwrapped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from copydesk.models import Line

_NARROWEST, _WIDEST = 36, 82
"""Widths of printers, in columns; 40 to 72 with some slack for hanging punctuation."""
_FEWEST_FULL = 3
_SHARE_FULL = 0.5
_INDENTS = ("  ", "\t", "\u3000")


def measure_width(text: str) -> int:
    """Columns that `text` takes in a fixed-width font: East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def group_lines(lines: Sequence[Line]) -> list[tuple[Line, ...]]:
    """The non-empty lines, each run that a printer made of one paragraph as one group."""
    solid = [line for line in lines if line.text.strip()]
    if len(solid) < _FEWEST_FULL or any(line.role for line in solid):
        return [(line,) for line in solid]
    widths = [measure_width(line.text.rstrip()) for line in solid]
    width = _find_width(solid, widths)
    if not width:
        return [(line,) for line in solid]
    groups: list[list[Line]] = []
    for i, line in enumerate(solid):
        if groups and i and _is_continued(solid[i - 1], line, widths[i - 1], width):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [tuple(group) for group in groups]


def _find_width(lines: Sequence[Line], widths: Sequence[int]) -> int:
    """The printer's width, 0 where the file was not wrapped."""
    width = max(widths)
    if width > _WIDEST:
        # A long heading or address may stand out of an otherwise wrapped file.
        inside = [w for w in widths if w <= _WIDEST]
        if len(inside) < 0.95 * len(widths):
            return 0
        width = max(inside)
    if width < _NARROWEST:
        return 0
    joints = [
        _is_full(lines[i], lines[i + 1], widths[i], width)
        for i in range(len(lines) - 1)
        if not lines[i + 1].blank_before and not _is_indented(lines[i + 1])
    ]
    full = sum(joints)
    return width if full >= _FEWEST_FULL and full >= _SHARE_FULL * len(joints) else 0


def _is_indented(line: Line) -> bool:
    return line.text.startswith(_INDENTS)


def _is_full(line: Line, following: Line, width: int, limit: int) -> bool:
    """True when the first word of `following` would not have fitted behind `line`."""
    text = following.text.strip()
    if not text:
        return False
    if unicodedata.east_asian_width(text[0]) in "WF":
        # A character that may not open a line (，。) pulls its neighbour down with it.
        return width + 4 > limit
    first = text.split(maxsplit=1)[0]
    return width + 1 + measure_width(first) > limit


def _is_continued(line: Line, following: Line, width: int, limit: int) -> bool:
    if following.blank_before or _is_indented(following):
        return False
    return _is_full(line, following, width, limit)
