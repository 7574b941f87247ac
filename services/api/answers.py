"""What the door says of items: accepted, or how they ended. Pure, but for the questions it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from copydesk.delivery.outcomes import of_file
from copydesk.models import Outcome
from copydesk.storage.receipts import Receipt
from services.api.ids import status_url
from services.api.memory import Acceptance
from services.api.schemas import Accepted, AcceptedItem, ArticleOutcome, Settled, Stored


def accepted(acceptance: Acceptance) -> Accepted:
    """The 202 of a request."""
    items = accepted_items(acceptance)
    return Accepted(job=items[0].job, jobs=acceptance.jobs, items=items, status_url=items[0].status_url)


def accepted_items(acceptance: Acceptance) -> list[AcceptedItem]:
    """Every document of a request, in its order."""
    return [
        AcceptedItem(id=item_id, job=job_id, status_url=status_url(acceptance.source, item_id))
        for item_id, job_id in acceptance.items
    ]


def settled(source: str, item_id: str, own: Sequence[Receipt]) -> Settled:
    """How an item ended, from its receipts; there is at least one."""
    outcome = of_file(own)
    first = next(r for r in own if r.outcome is outcome)
    return Settled(
        id=item_id,
        job=first.ingest_id,
        status_url=status_url(source, item_id),
        outcome=outcome,
        article=first.article_id,
        revision=first.revision,
        code=first.code,
        reason=first.reason,
        articles=[
            ArticleOutcome(
                id=r.item_id, outcome=r.outcome, article=r.article_id, revision=r.revision, code=r.code, reason=r.reason
            )
            for r in own
        ],
    )


def own_receipts(
    acceptance: Acceptance, found: Mapping[str, Sequence[Receipt]]
) -> dict[tuple[str, str], list[Receipt]]:
    """The receipts of each (item, job). A job refused as a whole has one under its own id, which counts for each."""
    out: dict[tuple[str, str], list[Receipt]] = {}
    by_parent: dict[tuple[str, str], list[Receipt]] = {}
    for job_id, of_job in found.items():
        for receipt in of_job:
            by_parent.setdefault((receipt.parent_id, job_id), []).append(receipt)
    for item_id, job_id in acceptance.items:
        out[item_id, job_id] = by_parent.get((item_id, job_id)) or by_parent.get((job_id, job_id), [])
    return out


def is_repeated(own: Sequence[Receipt]) -> bool:
    """Whether an earlier delivery under the same id may be what settled the item."""
    return bool(own) and all(r.outcome is Outcome.UNCHANGED for r in own)


def stored(acceptance: Acceptance, items: list[Settled]) -> Stored:
    """The 200 of a request that waited."""
    return Stored(job=items[0].job, jobs=acceptance.jobs, items=items, status_url=items[0].status_url)
