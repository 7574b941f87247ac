"""How one item ended, asked by its id and source."""

from __future__ import annotations

from copydesk.models import Outcome
from copydesk.storage.connection import Connection
from copydesk.storage.receipts import Receipt

# What came out of a container has the container as its parent. Each branch is served by an index of its own.
_OF_ITEM = """
select ingest_id, item_id, parent_id, source, outcome, article_id, revision, code, reason, scores, recorded_at
  from receipt where item_id = any (%(ids)s) and source = %(source)s
union all
select ingest_id, item_id, parent_id, source, outcome, article_id, revision, code, reason, scores, recorded_at
  from receipt where parent_id = %(id)s and parent_id <> item_id and source = %(source)s
 order by recorded_at, ingest_id, item_id
 limit 1000
"""


def of_item(connection: Connection, source: str, item_id: str) -> list[Receipt]:
    """The receipts of the delivery that settled an item, at most 1,000; [] when there are none yet.

    An id may have been delivered more than once: what counts is the first delivery that became something, else the
    last one. A job refused as a whole has one receipt under its own id, which `<job>/<number>` is looked up by too.
    """
    job_id, _, number = item_id.rpartition("/")
    ids = [item_id, job_id] if job_id and number.isdigit() else [item_id]
    deliveries: dict[str, list[Receipt]] = {}
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_OF_ITEM, {"ids": ids, "id": item_id, "source": source})
        for ingest_id, found_id, parent_id, of_source, outcome, article_id, revision, code, reason, scores, _ in cursor:
            receipt = Receipt(
                str(ingest_id),
                str(found_id),
                str(parent_id),
                str(of_source),
                Outcome(outcome),
                str(reason),
                str(code),
                None if article_id is None else str(article_id),
                revision,
                scores,
            )
            deliveries.setdefault(receipt.ingest_id, []).append(receipt)
    settled = [d for d in deliveries.values() if any(r.outcome not in (Outcome.REJECTED, Outcome.DEAD) for r in d)]
    if settled:
        return settled[0]
    return list(deliveries.values())[-1] if deliveries else []
