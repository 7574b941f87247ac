"""What the engine keeps from one line to the next: a desk prints the same notices under each of its texts.

Everything kept is a function of the line and the rules, so forgetting changes no result, only the time.
"""

from __future__ import annotations

from copydesk.cleaning.fieldline import read_fields
from copydesk.cleaning.lexis import find_hits_again
from copydesk.cleaning.names import split_again
from copydesk.cleaning.normalise import fold_again
from copydesk.cleaning.profiles import alias_key
from copydesk.cleaning.recognisers.fields import read_columns

_REMEMBERED = (alias_key, find_hits_again, fold_again, read_columns, read_fields, split_again)


def forget() -> None:
    """Empty every memory of lines, to measure what texts without a line in common cost."""
    for remembered in _REMEMBERED:
        remembered.cache_clear()
