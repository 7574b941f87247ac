"""The worker's Celery application and its one task; `celery -A workers.fetch` finds it by this file's name."""

from __future__ import annotations

import os
from typing import Any

from celery import Task

from copydesk.delivery.polling import Polling
from copydesk.queue.app import make_app
from copydesk.queue.jobs import FETCH_TASK, sent_job
from copydesk.settings import load

settings = load(os.environ)
app = make_app(settings)
polling = Polling(settings, app)


app.refuse = polling.refuse


@app.task(name=FETCH_TASK, bind=True)
def fetch(self: Task, *args: Any, **kwargs: Any) -> None:
    """Poll one feed, sent as `args=[job]` or `kwargs={"job": job}`."""
    polling.carry(sent_job(args, kwargs), task_id=self.request.id)
