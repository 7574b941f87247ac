"""What a process counts and measures of its work, for Prometheus; served at `/metrics` beside its liveness.

Counters and histograms are this process's own. Gauges of what all share (queues, lags, disks) are the scheduler's.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from copydesk.liveness.pulse import pulse

# From a short text to the longest item that is allowed.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

items = Counter("copydesk_items", "Items that ended, by outcome; counted where the receipt is committed.", ["outcome"])
entries = Counter("copydesk_entries", "What ingest workers made of items.", ["result"])
job_seconds = Histogram("copydesk_job_seconds", "A job in an ingest worker, with its waits.", buckets=_SECONDS)
item_seconds = Histogram("copydesk_item_seconds", "An item read, cleaned and given its keys.", buckets=_SECONDS)
publish_seconds = Histogram("copydesk_publish_seconds", "A chunk judged by likeness and published.", buckets=_SECONDS)
batch_seconds = Histogram("copydesk_batch_seconds", "A batch of a storage worker, with its waits.", buckets=_SECONDS)
batch_entries = Histogram("copydesk_batch_entries", "Entries of a batch.", buckets=(1, 5, 10, 25, 50, 100, 200, 500))
fetches = Counter("copydesk_fetches", "Polls of feeds, by result.", ["result"])
calls = Counter("copydesk_webhook_calls", "Calls of webhooks, by result.", ["result"])
requests = Counter("copydesk_http_requests", "Requests to the HTTP door.", ["method", "route", "status"])
request_seconds = Histogram("copydesk_http_request_seconds", "A request to the HTTP door.", ["route"], buckets=_SECONDS)
files = Counter("copydesk_files", "Files of the inbox that were settled, by folder.", ["folder"])
retention = Counter("copydesk_retention", "Rows that were not kept any longer: raw, revisions, articles.", ["what"])

jobs_waiting = Gauge("copydesk_jobs_waiting", "Jobs queued or in a worker's hands.")
stream_entries = Gauge("copydesk_stream_entries", "Articles on their way to storage.")
stream_bytes = Gauge("copydesk_stream_bytes", "Memory of the article stream.")
stream_mark = Gauge("copydesk_stream_mark_bytes", "Above it, ingest workers pause and the HTTP door answers 429.")
redis_bytes = Gauge("copydesk_redis_bytes", "Memory that Redis uses.")
redis_bytes_max = Gauge("copydesk_redis_max_bytes", "Memory that Redis may use; 0 is no limit.")
likeness_bytes = Gauge("copydesk_likeness_bytes", "Memory of the likeness index.")
likeness_documents = Gauge("copydesk_likeness_documents", "Documents that the likeness index remembers.")
likeness_keys = Gauge("copydesk_likeness_keys", "Candidate keys that the likeness index finds them by.")
spool_jobs = Gauge("copydesk_spool_jobs", "Jobs in the spool, accepted and not committed.")
spool_free = Gauge("copydesk_spool_free_bytes", "Free bytes on the spool's disk.")
open_jobs = Gauge("copydesk_open_jobs", "Jobs that lack receipts.")
oldest_open = Gauge("copydesk_oldest_open_job_seconds", "Age of the oldest job that lacks receipts; 0 for none.")
dead_letters = Gauge("copydesk_dead_letters", "Letters that nobody has dealt with.", ["outcome"])
reader_lag = Gauge("copydesk_reader_lag", "Numbered changes that a reader is behind.", ["reader"])
unnumbered = Gauge("copydesk_changes_unnumbered", "Due changes without a position.")
webhook_lag = Gauge("copydesk_webhook_lag", "Numbered changes that a webhook is behind.", ["webhook"])
feeds = Gauge("copydesk_feeds", "Feeds by state: well, failing, silent, off.", ["state"])
measured_at = Gauge("copydesk_measured_timestamp_seconds", "When the scheduler last measured what all share.")


class _HeldUp(Collector):
    """How often this process waited for a dependency, or paused at a mark."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Called at each scrape."""
        family = CounterMetricFamily(
            "copydesk_held_up", "Back-offs on a dependency and pauses at a mark.", labels=["what"]
        )
        for what, count in pulse.held_up().items():
            family.add_metric([what], count)
        yield family


REGISTRY.register(_HeldUp())


def exposition() -> bytes:
    """Everything, as Prometheus reads it."""
    return generate_latest(REGISTRY)
