"""What one transaction does about likeness: where leaders went, and what becomes of those that follow them.

A document names the one that it is like before either is stored, so it may arrive first. Then it is told the article
that its leader would be, kept whole, and put right, or judged again, when the leader's own outcome is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from copydesk.delivery.settlement import Plan, article_id
from copydesk.queue.entries import ArticleEntry, Incoming
from copydesk.storage import sketches
from copydesk.storage.connection import Connection
from copydesk.storage.rows import Row
from copydesk.storage.sketches import Move

Article = tuple[Incoming, ArticleEntry]


def take(connection: Connection, fresh: Sequence[Article]) -> dict[str, str | None]:
    """Enter the documents of a batch; returns where those that they name, or were taken for, went."""
    # One without a number was not judged, since Redis was full; it will be (`rejudging.py`).
    own = {article_id(e): _row(i, e) for i, e in fresh if (e.is_indexed or e.number is None) and i.sketch}
    sketches.add(connection, list(own.values()))
    named = {e.likeness.document for _, e in fresh if e.likeness} | set(own)
    found = sketches.find(connection, named)
    missing = named - set(found)
    if missing:
        sketches.expect(connection, missing)
        found |= sketches.find(connection, missing)
    # A leader may itself follow one that is not settled.
    further = {a for a in found.values() if a is not None} - named
    found |= sketches.find(connection, further)
    return {document: article for document, article in found.items() if not (document in own and article == document)}


def settle(connection: Connection, plan: Plan, fresh: Iterable[Article]) -> list[str]:
    """Write where the batch's documents went, and put their followers right; returns those that came to no article."""
    places = plan.places
    sketches.place(connection, {d: p and p.article_id for d, p in places.items() if p is None or p.article_id != d})
    sketches.move(connection, [Move(d, *p) for d, p in places.items() if p is not None and set(p) != {d}])
    waited_for = {leader for leader, _ in plan.waiting}
    lost = [d for d, p in places.items() if p is None]
    articles = {p.article_id for p in places.values() if p is not None} | set(places)
    sketches.let_go(connection, sorted(articles - waited_for - set(lost)))
    if plan.waiting:
        as_read = {(e.job.id, e.item_id): i for i, e in fresh}
        for leader, entry in plan.waiting:
            incoming = as_read[entry.job.id, entry.item_id]
            sketches.keep_follower(
                connection, leader, entry.job.id, entry.item_id, payload=incoming.payload, data=incoming.sketch
            )
    return lost


def take_back(connection: Connection, lost: Sequence[str]) -> list[Article]:
    """Undo how the followers of documents that came to nothing ended; returns them, to be judged again."""
    sketches.bury(connection, lost)
    followers = []
    for payload, sketch in sketches.take_back(connection, lost):
        incoming = Incoming("follower", payload, None, sketch=sketch)
        entry = incoming.decode()
        if isinstance(entry, ArticleEntry):
            followers.append((incoming, entry))
    return followers


def _row(incoming: Incoming, entry: ArticleEntry) -> Row:
    return {
        "document_id": article_id(entry),
        "number": entry.number,
        "source": entry.job.source,
        "received_at": entry.job.received_at.isoformat(),
        "data": (incoming.sketch or b"").hex(),
    }
