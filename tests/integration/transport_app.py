"""A Celery program over the safe transport, for the transport's tests: each task notes in a file that it ran.

The file is outside the broker, so it tells what was lost or doubled whatever happens to Redis.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

from copydesk.queue import transport

BROKER = os.environ.get("TRANSPORT_TEST_BROKER", "")
JOURNAL = Path(os.environ.get("TRANSPORT_TEST_JOURNAL", os.devnull))
LEASE_SECONDS = float(os.environ.get("TRANSPORT_TEST_LEASE", "8"))

transport.register()
app = Celery("transport_app", broker=BROKER)
app.conf.update(
    broker_transport_options=transport.transport_options(LEASE_SECONDS, LEASE_SECONDS / 4, visibility_timeout=3600),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=float(os.environ.get("TRANSPORT_TEST_SOFT_SHUTDOWN", "0")),
    worker_cancel_long_running_tasks_on_connection_loss=False,
    task_ignore_result=True,
)


def note(event: str, task_id: str) -> None:
    """Append one line in one write, so that lines of several processes do not mix."""
    with JOURNAL.open("ab", buffering=0) as journal:
        journal.write(f"{event} {task_id} {os.getpid()}\n".encode())


@app.task(name="note")
def run(task_id: str, seconds: float) -> None:
    note("begun", task_id)
    time.sleep(seconds)
    note("done", task_id)


@app.task(name="nothing")
def nothing() -> None:
    """For measurements."""
