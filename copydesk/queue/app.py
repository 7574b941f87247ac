"""The Celery application: one place for its settings, used by workers and by our own doors.

Producers outside copydesk need none of this: a stock `Celery(broker=…).send_task("copydesk.ingest", …)` will do.
"""

from __future__ import annotations

from typing import Any

import redis
from celery import Celery
from kombu.exceptions import OperationalError

from copydesk.liveness.pulse import pulse
from copydesk.queue import custody, transport
from copydesk.queue.jobs import (
    DEFAULT_QUEUE,
    FETCH_QUEUE,
    FETCH_TASK,
    INGEST_QUEUE,
    INGEST_TASK,
    TRIAL_TASK,
    WEBHOOK_TASK,
    FetchJob,
    Job,
    TrialJob,
    WebhookJob,
    payload_of,
)
from copydesk.queue.streams import ArticleStream, connect, translated_errors, unavailable
from copydesk.settings import Settings


def make_app(settings: Settings) -> Celery:
    """The application with the settings that lose nothing; `broker_transport` stock falls back to Celery's own."""
    transport.register()
    app = Celery("copydesk", set_as_current=False)
    app.conf.update(
        broker_url=broker_url(settings),
        broker_transport_options=transport.transport_options(
            lease_seconds=settings.broker_lease_s,
            renew_seconds=settings.broker_renew_s,
            visibility_timeout=settings.visibility_timeout_s,
        ),
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A job leaves the broker when its entries are in the stream, not when it is handed out.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_acks_on_failure_or_timeout=True,
        worker_prefetch_multiplier=1,
        # Off: SIGTERM lets the task in hand end, and its job comes back by the lease if it is not let. Celery's soft
        # shutdown only stops a solo pool's task meanwhile and then fails it, which loses its job (4 of 4 measured).
        worker_soft_shutdown_timeout=0,
        # Off, since it cancels what is in hand at every blip of the connection.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        task_serializer="json",
        accept_content=["json"],
        result_accept_content=["json"],
        task_create_missing_queues=True,
        task_default_queue=INGEST_QUEUE,
        worker_consumer="copydesk.queue.consumer:Consumer",
        task_queues=None,
        enable_utc=True,
        timezone="UTC",
    )
    return app


def broker_url(settings: Settings) -> str:
    """The Redis URL under the scheme of the transport in use."""
    url = settings.redis_url.get_secret_value()
    if settings.broker_transport == "stock":
        return url
    return transport.SCHEME_PREFIX + url


def offer(app: Celery, job: Job) -> None:
    """Put a job on the ingest queue, its id as the task's. Raises `QueueUnavailable`."""
    _send(app, INGEST_TASK, INGEST_QUEUE, payload_of(job), job.id)


def ask_to_fetch(app: Celery, job: FetchJob) -> None:
    """Put a feed on the fetch queue. Raises `QueueUnavailable`."""
    _send(app, FETCH_TASK, FETCH_QUEUE, job.model_dump(mode="json"), f"feed-{job.feed_id}-{job.lease.isoformat()}")


def ask_to_tell(app: Celery, job: WebhookJob) -> None:
    """Put a webhook on the fetch queue. Raises `QueueUnavailable`."""
    task_id = f"webhook-{job.webhook_id}-{job.lease.isoformat()}"
    _send(app, WEBHOOK_TASK, FETCH_QUEUE, job.model_dump(mode="json"), task_id)


def ask_to_try(app: Celery, job: TrialJob) -> None:
    """Put the trial of a feed on the fetch queue. Raises `QueueUnavailable`."""
    _send(app, TRIAL_TASK, FETCH_QUEUE, job.model_dump(mode="json"), f"trial-{job.id}")


def _send(app: Celery, task: str, queue: str, payload: dict[str, Any], task_id: str) -> None:
    try:
        # Few quick retries: the caller keeps the job and comes back.
        app.send_task(task, args=[payload], task_id=task_id, queue=queue, retry=False, ignore_result=True)
    except (OperationalError, redis.RedisError, OSError) as error:
        raise unavailable(task_id, error) from error
    pulse.finish(f"offer of {task_id}")


def fetches_waiting(client: redis.Redis) -> int:
    """Feeds on the fetch queue that no worker has taken. Raises `QueueUnavailable`."""
    with translated_errors("fetches waiting"):
        length: Any = client.llen(FETCH_QUEUE)
        return int(length)


def ingests_waiting(client: redis.Redis) -> int:
    """Jobs on the ingest queues that no worker has taken. Raises `QueueUnavailable`."""
    with translated_errors("ingests waiting"):
        lengths: list[Any] = [client.llen(INGEST_QUEUE), client.llen(DEFAULT_QUEUE)]
        return sum(int(length) for length in lengths)


def jobs_waiting(client: redis.Redis) -> int:
    """Jobs on the ingest queues and in the hands of workers."""
    with translated_errors("jobs waiting"):
        pipe = client.pipeline(transaction=False)
        pipe.llen(INGEST_QUEUE)
        pipe.llen(DEFAULT_QUEUE)
        pipe.hlen("unacked")
        counts: list[Any] = pipe.execute()
        return sum(int(count) for count in counts) + custody.in_flight(client)


def is_idle(redis_url: str) -> bool:
    """Whether no job is queued or in hand and no article is on its way. Raises `QueueUnavailable`."""
    client = connect(redis_url)
    try:
        return jobs_waiting(client) == 0 and ArticleStream(client).depth() == 0
    finally:
        client.close()
