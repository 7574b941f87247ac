"""Plain text: bytes to physical lines with their layout facts.

Makes no judgement about any line; unwrapping paragraphs and finding the title is cleaning's work.
"""

from __future__ import annotations

import re

from copydesk.formats.encoding import decode
from copydesk.formats.opening import Opening
from copydesk.models import Hints, Line, Parsed

# A form feed ends a page, hence a line. U+0085 is a line break only of its kind (EBCDIC's), as is U+000B.
_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")

_INVISIBLE = " \t\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\u3000\ufeff"


def matches(opening: Opening) -> bool:
    """True for what is neither marked up nor of a kind that has no parser: the last in the order of trial."""
    return not opening.is_xml and not opening.foreign_kind


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate that holds every line of the input; `raw` is the input."""
    decoded = decode(data, None, hints)
    return [
        Parsed(
            format="text",
            lines=split_lines(decoded.text),
            raw=data,
            encoding=decoded.encoding,
            warnings=decoded.warnings,
        )
    ]


def split_lines(text: str, role: str = "") -> tuple[Line, ...]:
    """The lines that are not blank, each with its physical number and the count of blank lines before it."""
    lines = []
    blank = 0
    for number, line in enumerate(_BREAK.split(text), start=1):
        if not line.strip(_INVISIBLE).strip():
            blank += 1
            continue
        lines.append(Line(number, line, role, blank))
        blank = 0
    return tuple(lines)
