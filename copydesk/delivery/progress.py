"""Moves a feed's place in the transaction that closes its job: validators, next poll and log row, or none of them."""

from __future__ import annotations

from collections.abc import Sequence

from copydesk.delivery import pace
from copydesk.delivery.pace import Bounds
from copydesk.storage import feeds
from copydesk.storage.connection import Connection


def advance(connection: Connection, ingest_ids: Sequence[str]) -> None:
    """Take over what was fetched under these jobs, all of whose items have their outcome. Repeating it is harmless."""
    moves = []
    for closing in feeds.closing(connection, ingest_ids):
        bounds = Bounds(closing.min_s, closing.max_s)
        interval_s = pace.learn(closing.interval_s, items=closing.items, fresh=closing.fresh, bounds=bounds)
        wait_s = pace.wait(interval_s, (closing.wait_s,), bounds)
        moves.append(feeds.Move(closing.ingest_id, closing.items, closing.fresh, closing.unchanged, interval_s, wait_s))
    feeds.advance(connection, moves)
