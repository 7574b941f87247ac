"""The worker's Celery application and its one task; `celery -A workers.ingest` finds it by this file's name."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from celery import Task
from celery.signals import worker_init

from copydesk.delivery.ingestion import Ingestion
from copydesk.delivery.vitals import Vitals, redis_check
from copydesk.queue.app import ingests_waiting, make_app
from copydesk.queue.jobs import INGEST_TASK, sent_job
from copydesk.settings import load

settings = load(os.environ)
app = make_app(settings)
ingestion = Ingestion(settings)


app.refuse = ingestion.refuse


@worker_init.connect
def start_vitals(**_: object) -> None:
    """In a worker, and not where this module is only imported."""
    checks = {"redis": redis_check(settings, ingests_waiting)}
    Vitals(settings, "ingest", checks, longest_s=settings.item_seconds_max).start()


@app.task(name=INGEST_TASK, bind=True)
def ingest(self: Task, *args: Any, **kwargs: Any) -> None:
    """Carry one job, sent as `args=[job]` or `kwargs={"job": job}`, into the article stream."""
    ingestion.carry(sent_job(args, kwargs), task_id=self.request.id, now=datetime.now(UTC))
