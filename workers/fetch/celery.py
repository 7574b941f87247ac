"""The worker's Celery application and its tasks; `celery -A workers.fetch` finds it by this file's name."""

from __future__ import annotations

import os
from typing import Any

from celery import Task
from celery.signals import worker_init

from copydesk.delivery.polling import Polling
from copydesk.delivery.trial_answers import Trying
from copydesk.delivery.vitals import Vitals, postgres_check, redis_check
from copydesk.delivery.webhooks import Telling
from copydesk.queue.app import fetches_waiting, make_app
from copydesk.queue.jobs import FETCH_TASK, TRIAL_TASK, WEBHOOK_TASK, sent_job
from copydesk.settings import load

settings = load(os.environ).of("fetch")
app = make_app(settings)
polling = Polling(settings, app)
telling = Telling(settings)
trying = Trying(settings)


app.refuse = polling.refuse


@worker_init.connect
def start_vitals(**_: object) -> None:
    """In a worker, and not where this module is only imported."""
    checks = {"redis": redis_check(settings, fetches_waiting), "postgres": postgres_check(settings, "fetch")}
    Vitals(settings, "fetch", checks).start()


@app.task(name=FETCH_TASK, bind=True)
def fetch(self: Task, *args: Any, **kwargs: Any) -> None:
    """Poll one feed, sent as `args=[job]` or `kwargs={"job": job}`."""
    polling.carry(sent_job(args, kwargs), task_id=self.request.id, is_redelivered=_is_redelivered(self))


@app.task(name=WEBHOOK_TASK, bind=True)
def webhook(self: Task, *args: Any, **kwargs: Any) -> None:
    """Tell one webhook what changed, sent as `args=[job]`."""
    telling.carry(sent_job(args, kwargs), task_id=self.request.id, is_redelivered=_is_redelivered(self))


@app.task(name=TRIAL_TASK, bind=True)
def try_feed(self: Task, *args: Any, **kwargs: Any) -> None:
    """Look at a feed for somebody who waits, sent as `args=[job]`."""
    trying.carry(sent_job(args, kwargs), task_id=self.request.id)


def _is_redelivered(task: Task) -> bool:
    return bool((task.request.delivery_info or {}).get("redelivered"))
