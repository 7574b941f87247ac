"""Measures what all processes share, for the scheduler's `/metrics`."""

from __future__ import annotations

import contextlib
import shutil

from copydesk import metrics
from copydesk.delivery import spool
from copydesk.errors import SpoolUnavailable
from copydesk.queue.app import jobs_waiting
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import ArticleStream, connect, memory
from copydesk.settings import Settings
from copydesk.storage import gauges
from copydesk.storage.connection import Connection, translated_errors


class Measuring:
    """`turn` is called every few seconds. Two schedulers at once measure the same."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._redis = connect(settings.redis_url.get_secret_value())
        self._stream = ArticleStream(self._redis)
        self._index = LikenessIndex.on(self._redis, settings)
        metrics.stream_mark.set(settings.stream_bytes_max)

    def turn(self, connection: Connection) -> None:
        """Measure once: the disk, Postgres, Redis. Raises `DependencyError`; what was measured before it stands."""
        with contextlib.suppress(OSError, SpoolUnavailable):  # the HTTP door's readiness says so
            metrics.spool_free.set(shutil.disk_usage(self._settings.spool).free)
            metrics.spool_jobs.set(len(spool.ids(self._settings.spool)))
        self._measure_postgres(connection)
        self._measure_redis()
        metrics.measured_at.set_to_current_time()

    def _measure_postgres(self, connection: Connection) -> None:
        with translated_errors("measuring"):
            found = gauges.look(connection)
        metrics.open_jobs.set(found.open_jobs)
        metrics.oldest_open.set(found.oldest_open_s)
        metrics.unnumbered.set(found.unnumbered)
        for gauge, label, values in (
            (metrics.dead_letters, "outcome", {"rejected": 0, "dead": 0} | found.dead_letters),
            (metrics.reader_lag, "reader", {n: found.newest_position - p for n, p in found.readers.items()}),
            (metrics.webhook_lag, "webhook", {n: found.newest_position - p for n, p in found.webhooks.items()}),
            (metrics.feeds, "state", dict.fromkeys(("well", "failing", "silent", "off"), 0) | found.feeds),
        ):
            gauge.clear()  # of what is no more
            for name, value in values.items():
                gauge.labels(**{label: name}).set(value)

    def _measure_redis(self) -> None:
        metrics.jobs_waiting.set(jobs_waiting(self._redis))
        metrics.stream_entries.set(self._stream.depth())
        metrics.stream_bytes.set(self._stream.size_bytes())
        index = self._index.state()
        metrics.likeness_bytes.set(index.size_bytes)
        metrics.likeness_documents.set(index.documents)
        metrics.likeness_keys.set(index.keys)
        used, limit = memory(self._redis)
        metrics.redis_bytes.set(used)
        metrics.redis_bytes_max.set(limit)
