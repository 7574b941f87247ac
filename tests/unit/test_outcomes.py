"""What the receipts of a file's items mean for the file, and which jobs are offered again."""

from __future__ import annotations

import itertools
import json

import pytest

from copydesk.delivery.claims import RESERVED, Claim, ClaimedFile
from copydesk.delivery.outcomes import FOLDERS, describe, of_file
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
