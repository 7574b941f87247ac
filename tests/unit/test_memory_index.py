"""The index in memory, beyond the contract that it shares with the one in Redis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from copydesk.dedupe.memory import CANDIDATES_MAX, GENERATION, MemoryIndex
from copydesk.dedupe.sketch import sketch
from tests.entries import text

NOON = datetime(2026, 5, 25, 12, tzinfo=UTC)


def _found(index: MemoryIndex, document: str, body: list[str], moment: datetime = NOON) -> list[str]:
    return [candidate.document for candidate in index.add(document, sketch(None, body), moment)[1]]


def test_the_candidate_with_most_keys_comes_first_and_there_are_at_most_sixteen() -> None:
    index = MemoryIndex()
    parts = [text(number, words=30) for number in range(30)]
    _found(index, "much", parts)
    for number in range(29, 20, -1):
        _found(index, f"part {number}", [parts[number]])

    found = _found(index, "copy", parts)

    assert found[0] == "much"
    assert len(found) == len(set(found)) <= CANDIDATES_MAX


@pytest.mark.parametrize(("later", "is_found"), [(GENERATION, True), (2 * GENERATION, False), (10 * GENERATION, False)])
def test_a_key_is_gone_after_two_generations(later: timedelta, is_found: bool) -> None:
    index = MemoryIndex()
    _found(index, "first", [text(1)])

    assert bool(_found(index, "second", [text(1)], NOON + later)) is is_found


def test_a_key_that_is_met_again_stays() -> None:
    index = MemoryIndex()
    _found(index, "first", [text(1)])
    _found(index, "second", [text(1)], NOON + GENERATION)

    assert _found(index, "third", [text(1)], NOON + 2 * GENERATION) == ["second"]


def test_a_late_document_is_still_taken() -> None:
    index = MemoryIndex()
    _found(index, "first", [text(1)])

    assert _found(index, "late", [text(1)], NOON - 3 * GENERATION) == ["first"]


def test_a_text_without_words_meets_nothing() -> None:
    index = MemoryIndex()
    _found(index, "first", ["***"])

    assert _found(index, "second", ["***"]) == []
