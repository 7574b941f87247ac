"""What the receipts of a file's items mean for the file: one outcome and the folder it ends in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from copydesk.delivery import claims
from copydesk.delivery.claims import Claim, ClaimedFile
from copydesk.models import Json, Outcome
from copydesk.storage.receipts import Receipt

# Mildest first. A file of several items is done when any of them was stored or revised, else as mild as its mildest.
_MILDEST = (
    Outcome.STORED,
    Outcome.REVISED,
    Outcome.WITHDRAWN,
    Outcome.UNCHANGED,
    Outcome.DUPLICATE,
    Outcome.SUPPRESSED,
    Outcome.REJECTED,
    Outcome.DEAD,
)

FOLDERS = {
    Outcome.STORED: claims.DONE,
    Outcome.REVISED: claims.DONE,
    Outcome.WITHDRAWN: claims.DONE,
    Outcome.UNCHANGED: claims.DUPLICATE,
    Outcome.DUPLICATE: claims.DUPLICATE,
    Outcome.SUPPRESSED: claims.REJECTED,
    Outcome.REJECTED: claims.REJECTED,
    Outcome.DEAD: claims.DEAD,
}


# A file of many documents names so many of those that were rejected or are dead; the others are in Postgres.
FAULTS_TOLD = 100


def of_file(receipts: Sequence[Receipt]) -> Outcome:
    """The outcome of a file from those of its items; there is at least one."""
    return mildest(r.outcome for r in receipts)


def mildest(outcomes: Iterable[Outcome]) -> Outcome:
    """The one that a file is filed under; there is at least one."""
    return min(outcomes, key=_MILDEST.index)


def describe_parts(
    claim: Claim,
    file: ClaimedFile,
    counts: Mapping[Outcome, int],
    faults: Sequence[tuple[str, str, str, str]],
    *,
    jobs: int,
) -> Json:
    """The `.outcome.json` of a file that was cut: how many documents ended in which way, and the first faults."""
    return _head(claim, file, mildest(counts)) | {
        "jobs": jobs,
        "counts": {outcome.value: count for outcome, count in sorted(counts.items())},
        "faults": [
            {"id": item_id, "outcome": outcome, "code": code, "reason": reason}
            for item_id, outcome, code, reason in faults
        ],
    }


def describe(claim: Claim, file: ClaimedFile, receipts: Sequence[Receipt]) -> Json:
    """The `.outcome.json` that stands beside a settled file."""
    return _head(claim, file, of_file(receipts)) | {
        "items": [
            {
                "id": r.item_id,
                "outcome": r.outcome.value,
                "article": r.article_id,
                "revision": r.revision,
                "reason": r.reason,
                **({"code": r.code} if r.code else {}),
                **({"scores": r.scores} if r.scores else {}),
            }
            for r in receipts
        ],
    }


def _head(claim: Claim, file: ClaimedFile, outcome: Outcome) -> Json:
    return {
        "outcome": outcome.value,
        "file": claims.printable(file.name),
        "source": claims.source_name(claim.source),
        "job": claim.id,
        "received_at": claim.received_at.isoformat(),
    }
