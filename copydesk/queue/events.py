"""The stream `copydesk:events`: what changed, for programs that read Redis. Capped: Postgres has it all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import redis

from copydesk.queue.streams import text, translated_errors

EVENTS = "copydesk:events"

# About 20 MB. A reader that was away for longer goes on from `GET /v1/articles?changed_since=`.
EVENTS_KEPT = 50_000


def tell(client: redis.Redis, told: Sequence[dict[str, Any]]) -> None:
    """Append events, each under its position as the id `<position>-0`. Raises `QueueUnavailable`.

    What is there already, because an earlier call was cut off, is left out: Redis refuses an id that is not higher.
    """
    with translated_errors("events"):
        newest = client.xrevrange(EVENTS, count=1)
        last = int(text(newest[0][0]).partition("-")[0]) if newest else 0
        pipe = client.pipeline(transaction=False)
        for event in told:
            if event["position"] > last:
                fields: dict[Any, Any] = {"d": json.dumps(event, ensure_ascii=False)}
                pipe.xadd(EVENTS, fields, id=f"{event['position']}-0", maxlen=EVENTS_KEPT, approximate=True)
        pipe.execute()
