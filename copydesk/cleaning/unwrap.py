"""Decides which physical lines were broken by a printer and belong to one paragraph.

A printer of fixed width breaks a line only where the next word no longer fits. So a file is wrapped when most of its
line ends, between lines with no blank one between them, are such places for the file's own width; poems, results and
one-sentence-a-line files are not. Markup (lines with a role) is never unwrapped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from copydesk.cleaning.patterns import has_unspaced
from copydesk.models import Line

_NARROWEST, _WIDEST = 36, 82
"""Widths of printers, in columns; 40 to 72 with some slack for hanging punctuation."""
_FEWEST_FULL = 3
_SHARE_FULL = 0.5
_SHARE_WIDE = 0.05
_SHARE_CUT = 0.6
"""Of the full lines, how many must end within a sentence: a printer does not look at full stops."""
_WIDTHS_TRIED = 3
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", '."', ".”", "。”", "。」", "।", "؟")
# Ranges of East Asian width W and F, and of the marks that stand over or under a letter in the scripts we meet.
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]"
)
_WITHOUT_WIDTH = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0901-\u0902\u093c\u0941-\u0948\u094d\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u200b-\u200f]"
)
_INDENTS = ("  ", "\t", "\u3000")


def measure_width(text: str) -> int:
    """Columns that `text` takes in a fixed-width font: East Asian wide characters take two."""
    if text.isascii():
        return len(text)
    return len(text) + len(_WIDE.findall(text)) - len(_WITHOUT_WIDTH.findall(text))


def group_lines(lines: Sequence[Line]) -> list[tuple[Line, ...]]:
    """The non-empty lines, each run that a printer made of one paragraph as one group."""
    solid = [line for line in lines if line.text.strip()]
    if len(solid) < _FEWEST_FULL or any(line.role for line in solid):
        return [(line,) for line in solid]
    long = sum(len(line.text) > (2 * _WIDEST if line.text.isascii() else _WIDEST) for line in solid)
    if long > _SHARE_WIDE * len(solid):
        return [(line,) for line in solid]
    widths = [measure_width(line.text.rstrip()) for line in solid]
    width = _find_width(solid, widths)
    if not width:
        return [(line,) for line in solid]
    groups: list[list[Line]] = []
    for i, line in enumerate(solid):
        if groups and i and _is_continued(line, widths[i - 1], width):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [tuple(group) for group in groups]


def _find_width(lines: Sequence[Line], widths: Sequence[int]) -> int:
    """The printer's width, 0 where the file was not wrapped."""
    joints = [i for i in range(len(lines) - 1) if not lines[i + 1].blank_before and not _is_indented(lines[i + 1])]
    inside = sorted({widths[i] for i in joints if _NARROWEST <= widths[i] <= _WIDEST}, reverse=True)
    # A headline or an address may be wider than the printer's lines.
    for width in inside[:_WIDTHS_TRIED]:
        full = [i for i in joints if widths[i] <= width and _is_full(lines[i + 1], widths[i], width)]
        cut = sum(not lines[i].text.rstrip().endswith(_SENTENCE_ENDS) for i in full)
        if cut >= _FEWEST_FULL and cut >= _SHARE_CUT * len(full) and len(full) >= _SHARE_FULL * len(joints):
            return width
    return 0


def _is_indented(line: Line) -> bool:
    return line.text.startswith(_INDENTS)


def _is_full(following: Line, width: int, limit: int) -> bool:
    """True when the first word of `following` would not have fitted behind a line of `width` columns."""
    text = following.text.strip()
    if has_unspaced(text[:3]):
        # A character that may not open a line (，。) pulls its neighbour down with it.
        return width + 4 > limit
    first = text.split(maxsplit=1)[0] if text else ""
    return width + 1 + measure_width(first) > limit


def _is_continued(following: Line, width: int, limit: int) -> bool:
    if following.blank_before or _is_indented(following) or width > limit:
        return False
    return _is_full(following, width, limit)
