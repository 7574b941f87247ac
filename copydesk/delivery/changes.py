"""Gives committed changes their positions: what the scheduler does so that readers can follow."""

from __future__ import annotations

from copydesk.liveness.pulse import pulse
from copydesk.storage import outbox
from copydesk.storage.connection import Connection, translated_errors

# Of one transaction: a reader's statements wait for none of them longer than 50 ms.
BATCH = 1000


def number_changes(connection: Connection) -> None:
    """Number everything that waits, batch by batch. Raises `DatabaseUnavailable`."""
    with translated_errors("number changes"):
        while outbox.number(connection, BATCH) == BATCH:
            pulse.finish("a batch of changes")
