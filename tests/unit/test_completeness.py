"""When a file in the inbox may be claimed. Times are numbers here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from copydesk.delivery.claims import Found
from services.inbox.completeness import OPEN_FACTOR, Completeness

FILE = Found(Path("/inbox/wire/a.txt"), "wire", "a.txt", 10, 1)
PATH = str(FILE.path)
GRACE = 2.0


@pytest.fixture
def known() -> Completeness:
    return Completeness(GRACE)


def test_without_events_a_file_is_complete_when_it_stayed_unchanged(known: Completeness) -> None:
    assert [known.is_complete(FILE, now) for now in (0, 1.9, 2.0)] == [False, False, True]


@pytest.mark.parametrize("changed", [replace(FILE, size=11), replace(FILE, mtime_ns=2)])
def test_a_change_starts_the_grace_anew(known: Completeness, changed: Found) -> None:
    known.is_complete(FILE, 0)

    assert [known.is_complete(changed, now) for now in (1.9, 3.8, 3.9)] == [False, False, True]


def test_a_close_makes_it_complete_at_once(known: Completeness) -> None:
    known.finished(PATH)

    assert known.is_complete(FILE, 0)


def test_a_file_written_to_again_waits_again(known: Completeness) -> None:
    known.finished(PATH)
    known.opened(PATH)

    assert [known.is_complete(FILE, now) for now in (0, GRACE)] == [False, True]


def test_a_writer_that_pauses_is_waited_for(known: Completeness) -> None:
    known.opened(PATH)

    assert not known.is_complete(FILE, 0)
    assert not known.is_complete(FILE, GRACE * (OPEN_FACTOR - 1))
    known.finished(PATH)
    assert known.is_complete(FILE, GRACE * (OPEN_FACTOR - 1))


def test_a_writer_whose_end_was_missed_is_not_waited_for_without_end(known: Completeness) -> None:
    known.opened(PATH)
    known.is_complete(FILE, 0)

    assert known.is_complete(FILE, GRACE * OPEN_FACTOR)


def test_new_rights_or_times_after_the_close_cost_the_grace_and_no_more(known: Completeness) -> None:
    for event in (known.opened, known.finished, known.opened, known.opened):
        event(PATH)

    assert [known.is_complete(FILE, now) for now in (0, GRACE)] == [False, True]


@pytest.mark.parametrize("forget", ["claimed", "gone"])
def test_a_file_of_the_same_name_is_looked_at_afresh(known: Completeness, forget: str) -> None:
    known.finished(PATH)
    known.forget(PATH) if forget == "claimed" else known.forget_all_but({"/inbox/other"})

    assert not known.is_complete(FILE, 100)


def test_what_is_still_there_is_remembered(known: Completeness) -> None:
    known.finished(PATH)
    known.forget_all_but({PATH})

    assert known.is_complete(FILE, 0)
