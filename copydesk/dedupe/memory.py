"""The index of candidate keys in the process's own memory: the contract that the one in Redis keeps.

For one process that sees everything: measuring, replaying, a run over a folder.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from copydesk.dedupe.likeness import Candidate
from copydesk.dedupe.sketch import Sketch

CANDIDATES_MAX: Final = 16
GENERATION: Final = timedelta(days=28)


class MemoryIndex:
    """One slot a key, the newest document in it; a key is found for one to two generations."""

    def __init__(self, *, generation: timedelta = GENERATION) -> None:
        self._generation = generation
        self._current = 0
        self._holders: tuple[dict[int, Candidate], dict[int, Candidate]] = ({}, {})
        self._answers: dict[str, tuple[int, tuple[Candidate, ...]]] = {}

    def add(self, document: str, sketch: Sketch, moment: datetime) -> tuple[int, tuple[Candidate, ...]]:
        """(the document's number, earlier documents that share a key, most keys shared first).

        Asked again for the same document, it gives the answer of the first time.
        """
        if document in self._answers:
            return self._answers[document]
        self._turn(moment)
        new, old = self._holders
        own = Candidate(document, sketch, moment)
        holders: dict[str, list[Candidate]] = {}
        for key in sketch.keys:
            holder = new.get(key) or old.get(key)
            if holder is not None:
                holders.setdefault(holder.document, []).append(holder)
            new[key] = own
        by_keys = sorted(holders.values(), key=len, reverse=True)
        candidates = tuple(same[0] for same in by_keys[:CANDIDATES_MAX])
        self._answers[document] = (len(self._answers) + 1, candidates)
        return self._answers[document]

    def _turn(self, moment: datetime) -> None:
        """Forget what was written two generations before `moment`."""
        generation = int(moment.timestamp() // self._generation.total_seconds())
        for _ in range(min(2, generation - self._current)):
            self._holders = ({}, self._holders[0])
        self._current = max(self._current, generation)
