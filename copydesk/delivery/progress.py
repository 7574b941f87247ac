"""Moves a feed's place in the transaction that closes its job: validators, next poll and log row, or none of them."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from copydesk.delivery import pace
from copydesk.delivery.full_text import RENAMED_MIN, RENAMED_SHARE
from copydesk.delivery.pace import Bounds
from copydesk.storage import feeds
from copydesk.storage.connection import Connection

log = structlog.get_logger(__name__)


def advance(connection: Connection, ingest_ids: Sequence[str]) -> None:
    """Take over what was fetched under these jobs, all of whose items have their outcome. Repeating it is harmless."""
    moves = []
    for closing in feeds.closing(connection, ingest_ids):
        bounds = Bounds(closing.min_s, closing.max_s)
        has_renamed = closing.fresh >= RENAMED_MIN and closing.duplicates >= RENAMED_SHARE * closing.fresh
        if has_renamed:
            log.warning(
                "a feed has given its items new ids; their texts were known",
                url=closing.url,
                items=closing.items,
                fresh=closing.fresh,
                duplicates=closing.duplicates,
            )
        # What came under a new id only says nothing about how often the feed brings news.
        interval_s = closing.interval_s
        if not has_renamed:
            interval_s = pace.learn(interval_s, items=closing.items, fresh=closing.fresh, bounds=bounds)
        # What was left is fetched as soon as the feed and its server allow.
        wait_s = pace.wait(bounds.min_s if closing.is_partial else interval_s, (closing.wait_s,), bounds)
        counts = (closing.items, closing.fresh, closing.unchanged, closing.duplicates)
        moves.append(feeds.Move(closing.ingest_id, *counts, interval_s, wait_s))
    feeds.advance(connection, moves)
