"""What the receipts of a file's items mean for the file, and which jobs are offered again."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta

import pytest

from copydesk.delivery.claims import RESERVED, Claim, ClaimedFile
from copydesk.delivery.outcomes import FOLDERS, describe, of_file, overtaken
from copydesk.models import Outcome
from copydesk.storage.receipts import Receipt
from tests.entries import NOON


def _receipt(outcome: str, item_id: str = "job/0", **changes: object) -> Receipt:
    return Receipt("job", item_id, "job/0", "wire", Outcome(outcome), "because", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcomes", "of_all"),
    [
        ("stored", "stored"),
        ("rejected stored dead", "stored"),
        ("revised duplicate", "revised"),
        ("unchanged rejected", "unchanged"),
        ("duplicate unchanged", "unchanged"),
        ("rejected duplicate", "duplicate"),
        ("dead rejected", "rejected"),
        ("dead dead", "dead"),
        ("suppressed rejected", "suppressed"),
        ("withdrawn duplicate", "withdrawn"),
    ],
)
def test_a_file_of_several_items_is_as_well_as_its_best(outcomes: str, of_all: str) -> None:
    for order in itertools.permutations(outcomes.split()):
        assert of_file([_receipt(o) for o in order]) == of_all


def test_every_outcome_has_a_folder_that_is_no_source() -> None:
    assert set(FOLDERS) == set(Outcome)
    assert set(FOLDERS.values()) <= RESERVED
    assert {str(o) for o, folder in FOLDERS.items() if folder == "done"} == {"stored", "revised", "withdrawn"}


def test_the_outcome_file_names_the_file_the_job_and_every_item() -> None:
    file = ClaimedFile(0, "caf\udce9\x07.txt", 10, 1)
    claim = Claim("job", "wi\nre", NOON, (file,))
    items = [
        _receipt("revised", "job/0#a", article_id="A", revision=2, scores={"jaccard": 0.7}),
        _receipt("rejected", "job/0#b", code="not_article"),
    ]
    told = json.loads(json.dumps(describe(claim, file, items)))

    assert (told["outcome"], told["job"], told["received_at"]) == ("revised", "job", NOON.isoformat())
    assert (told["file"], told["source"]) == ("caf\\xe9\\x07.txt", "wi\\x0are")
    assert told["items"] == [
        {
            "id": "job/0#a",
            "outcome": "revised",
            "article": "A",
            "revision": 2,
            "reason": "because",
            "scores": {"jaccard": 0.7},
        },
        {
            "id": "job/0#b",
            "outcome": "rejected",
            "article": None,
            "revision": None,
            "reason": "because",
            "code": "not_article",
        },
    ]


def _at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("offered", "newest_closed", "is_idle", "is_overdue"),
    [
        pytest.param(0, 10, False, True, id="a later one is done"),
        pytest.param(0, None, True, True, id="nothing is queued any more"),
        pytest.param(0, None, False, False, id="the queue is at work and nothing is done"),
        pytest.param(0, -10, False, False, id="only earlier ones are done"),
        pytest.param(0, 0, False, False, id="one of the same moment is done"),
        pytest.param(86, 10, False, False, id="offered a moment ago"),
        pytest.param(86, None, True, False, id="offered a moment ago and not yet seen in the queue"),
        pytest.param(85, None, True, True, id="offered just long enough ago"),
    ],
)
def test_a_job_is_offered_again_when_it_was_overtaken(
    offered: float, newest_closed: float | None, is_idle: bool, is_overdue: bool
) -> None:
    found = overtaken(
        [("job", _at(0), _at(offered))],
        now=_at(100),
        newest_closed=None if newest_closed is None else _at(newest_closed),
        is_idle=is_idle,
        overdue_s=15,
    )

    assert found == (["job"] if is_overdue else [])


def test_only_the_overtaken_ones_are_named() -> None:
    waiting = [("old", _at(0), _at(1)), ("new", _at(50), _at(51)), ("just offered", _at(0), _at(99))]

    assert overtaken(waiting, now=_at(100), newest_closed=_at(20), is_idle=False, overdue_s=15) == ["old"]
