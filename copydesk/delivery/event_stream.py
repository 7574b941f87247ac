"""Tells every numbered change on the Redis stream `copydesk:events`."""

from __future__ import annotations

from copydesk.liveness.pulse import pulse
from copydesk.queue import events
from copydesk.queue.streams import connect
from copydesk.storage import outbox, readers
from copydesk.storage.connection import Connection, translated_errors

READER = "events"
BATCH = 500


class EventStream:
    """`turn` is called every half second or so."""

    def __init__(self, redis_url: str) -> None:
        self._redis = connect(redis_url)

    def turn(self, connection: Connection) -> None:
        """Tell all that has not been told. Raises `DependencyError`; what was not reached is told in the next turn."""
        while self._step(connection) == BATCH:
            pulse.finish("a batch of events")

    def _step(self, connection: Connection) -> int:
        """One batch. Told and not noted down, because of a crash in between, it is told again under the same ids."""
        with translated_errors("events"), connection.transaction():
            found = outbox.after(connection, readers.take(connection, READER), BATCH)
            if found:
                events.tell(self._redis, [event.told() for event in found])
                readers.move(connection, READER, found[-1].position)
        return len(found)
