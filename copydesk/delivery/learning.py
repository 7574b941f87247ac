"""Counts the lines of new stories, so that cleaning knows what a source prints under all of them.

What is counted is what `cleaning.learnt.sight` sees; `delivery.knowledge` gives the counts to the workers.
"""

from __future__ import annotations

from collections import Counter

from copydesk.cleaning.learnt import FEWEST_STORIES, Sighting, sight, teaches
from copydesk.liveness.pulse import pulse
from copydesk.models import Piece
from copydesk.storage import readers, sources
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.rows import Row

READER = "learning"

# Stories of one transaction: 15 lines each, 40 ms.
BATCH = 100

# Lines that were shown once are remembered for so long.
ONCE_DAYS = 30


def learn_lines(connection: Connection) -> None:
    """Count everything that was stored. Raises `DatabaseUnavailable`."""
    with translated_errors("learning"):
        while _step(connection) == BATCH:
            pulse.finish("a batch of lines")


def forget_lines(connection: Connection) -> None:
    """Drop what was shown once long ago. Raises `DatabaseUnavailable`."""
    with translated_errors("learning"), connection.transaction():
        sources.forget(connection, ONCE_DAYS)


def _step(connection: Connection) -> int:
    with connection.transaction():
        stories = sources.next_stories(connection, readers.take(connection, READER), BATCH)
        if not stories:
            return 0
        seen = [(s.source, sight(Piece.model_validate(piece) for piece in s.pieces)) for s in stories]
        wanted = {(source, line.key) for source, lines in seen for line in lines}
        sources.count(connection, _rows(seen, sources.shown_before(connection, wanted, FEWEST_STORIES)))
        readers.move(connection, READER, stories[-1].position)
    return len(stories)


def _rows(seen: list[tuple[str, tuple[Sighting, ...]]], known: set[tuple[str, str]]) -> list[Row]:
    """The counts of a batch, each line once; a story that shows much of an earlier one teaches nothing."""
    stories: Counter[tuple[str, str]] = Counter()
    edges: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], Sighting] = {}
    shown = set(known)
    for source, lines in seen:
        if not teaches(lines, {key for of, key in shown if of == source}):
            continue
        for line in lines:
            place = (source, line.key)
            stories[place] += 1
            edges[place] += line.at_edge
            first.setdefault(place, line)
            shown.add(place)
    return [
        {
            "source": source,
            "key": key,
            "text": first[source, key].text[:500],
            "stories": number,
            "at_edge": edges[source, key],
            "is_prose": first[source, key].is_prose,
        }
        for (source, key), number in sorted(stories.items())
    ]
