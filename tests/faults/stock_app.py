"""What a careful team writes with Celery alone: a task that puts each document of its job into Postgres.

`celery -A tests.faults.stock_app worker`. Late acknowledgements, rejected on a lost worker, one message in hand, tries
again with a back-off when Postgres is away. Its table has no unique key, so that what is carried twice is seen twice.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import psycopg
from celery import Celery

REDIS_URL, POSTGRES_URL = os.environ["COPYDESK_TEST_STOCK_REDIS"], os.environ["COPYDESK_TEST_STOCK_POSTGRES"]

QUEUE = "copydesk.ingest"

# So often a task is tried again when Postgres does not take it; Celery's own default is 3.
RETRIES_MAX = 10

app = Celery("stock", broker=REDIS_URL, set_as_current=False)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    task_default_queue=QUEUE,
    task_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Short, so that what a killed worker held comes back while it is waited for; an hour is the default.
    broker_transport_options={
        "visibility_timeout": 15,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 10,
        "socket_connect_timeout": 3,
        "socket_keepalive": True,
        "health_check_interval": 3,
        "retry_on_timeout": False,
    },
)


@app.task(
    name="copydesk.ingest",
    autoretry_for=(psycopg.OperationalError, psycopg.InternalError),
    retry_backoff=1,
    retry_backoff_max=5,
    max_retries=RETRIES_MAX,
)
def store(job: dict[str, Any]) -> None:
    """One row a document, one transaction a job."""
    with psycopg.connect(POSTGRES_URL, connect_timeout=3) as connection:
        for item in job["items"]:
            if item["id"].startswith("poison"):
                os.kill(os.getpid(), signal.SIGKILL)
            connection.execute("insert into stored (id, body) values (%s, %s)", (item["id"], item["body"]))
