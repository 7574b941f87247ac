"""Watches over this worker, apart from what it carries: loading the rules takes seconds, and it answers meanwhile."""

import os

from copydesk.delivery.vitals import Vitals, redis_check
from copydesk.queue.app import ingests_waiting
from copydesk.settings import load

settings = load(os.environ).of("ingest")
vitals = Vitals(
    settings, "ingest", {"redis": redis_check(settings, ingests_waiting)}, longest_s=settings.item_seconds_max
)
