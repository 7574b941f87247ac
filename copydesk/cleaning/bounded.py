"""Regular expressions from data files, refused unless their time is bounded.

A pattern may not repeat without an upper limit, and may not repeat something that itself repeats. What is left takes
at most (limit × number of repeats) steps from each starting place, and the callers only match at the head of a line.
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # typeshed does not list the parser's modules
import re._parser as parser  # type: ignore[import-not-found]  # likewise
from typing import Any

LONGEST_REPEAT = 80

_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_MOST_REPEATS = 8


def compile_bounded(source: str) -> re.Pattern[str]:
    """Compile `source`; ValueError where it could take long, or is no pattern at all."""
    try:
        parsed = parser.parse(source)
    except re.error as error:
        raise ValueError(f"is no pattern: {error}") from error
    repeats = _count_repeats(parsed, inside=False)
    if repeats > _MOST_REPEATS:
        raise ValueError(f"has {repeats} repeats, more than {_MOST_REPEATS}")
    return re.compile(source)


def _count_repeats(parsed: Any, *, inside: bool) -> int:
    """Number of loops in the parser's tree (which has no public type); ValueError for one that is not bounded."""
    count = 0
    for code, value in parsed:
        if code in _REPEATS:
            _, highest, repeated = value
            if highest == codes.MAXREPEAT or highest > LONGEST_REPEAT:
                raise ValueError(f"repeats without a limit of at most {LONGEST_REPEAT}; write {{0,{LONGEST_REPEAT}}}")
            # An optional group (`?`) is no loop and may hold one.
            if inside and highest > 1:
                raise ValueError("repeats something that itself repeats")
            count += (highest > 1) + _count_repeats(repeated, inside=inside or highest > 1)
        elif code is codes.SUBPATTERN:
            count += _count_repeats(value[3], inside=inside)
        elif code is codes.BRANCH:
            count += sum(_count_repeats(branch, inside=inside) for branch in value[1])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            count += _count_repeats(value[1], inside=inside)
    return count
