"""The index in Redis behind the interface of the one in memory, for a scorer that names documents as it likes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from copydesk.dedupe.likeness import Candidate
from copydesk.dedupe.memory import GENERATION
from copydesk.dedupe.sketch import Sketch, pack, unpack
from copydesk.queue import streams
from copydesk.queue.likeness_index import Keyed, LikenessIndex, Record
from copydesk.queue.streams import job_key


class RedisIndex:
    """A new and empty index on a Redis of its own: what was there before is not used any more."""

    def __init__(self, redis_url: str, *, window: timedelta = GENERATION) -> None:
        self._redis = streams.connect(redis_url)
        self._index = LikenessIndex(self._redis, window_s=window.total_seconds(), bytes_max=1 << 40)
        self._names: dict[str, str] = {}

    def add(self, document: str, sketch: Sketch, moment: datetime) -> tuple[int, tuple[Candidate, ...]]:
        """(the document's number, earlier documents that share a key)."""
        if not self._names:
            self._index.begin(moment, expected=0)
            self._index.lock("benchmark")
            self._index.finish("benchmark", self._index.state().server_run, 0)
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, document))
        self._names[name] = document
        (answer,) = self._index.add(name, [Keyed(Record(name, moment, pack(sketch, keys=False)), sketch.keys)], moment)
        self._redis.delete(job_key(name))
        found = (Candidate(self._names[r.document], unpack(r.sketch), r.received_at) for r in answer.candidates)
        return answer.number, tuple(found)
