"""The worker's Celery application and its one task; `celery -A workers.ingest` finds it by this file's name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from celery import Task
from celery.signals import worker_init

from copydesk.delivery.ingestion import Ingestion
from copydesk.liveness.pulse import pulse
from copydesk.queue.app import make_app
from copydesk.queue.jobs import INGEST_TASK, sent_job
from workers.ingest.vitals import settings, vitals

app = make_app(settings)
ingestion = Ingestion(settings)


app.refuse = ingestion.refuse


@worker_init.connect
def start_vitals(**_: object) -> None:
    """For `celery -A workers.ingest`; `python -m workers.ingest` has started them before this module was loaded."""
    vitals.start()
    pulse.finish("start")


@app.task(name=INGEST_TASK, bind=True)
def ingest(self: Task, *args: Any, **kwargs: Any) -> None:
    """Carry one job, sent as `args=[job]` or `kwargs={"job": job}`, into the article stream."""
    ingestion.carry(sent_job(args, kwargs), task_id=self.request.id, now=datetime.now(UTC))
