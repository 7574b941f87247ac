"""Starts the scheduler: reads the settings, wires, runs."""

import os
import signal
import sys

from copydesk import logs
from copydesk.dedupe.likeness import read_thresholds
from copydesk.delivery.changes import number_changes
from copydesk.delivery.due_feeds import DueFeeds
from copydesk.delivery.event_stream import EventStream
from copydesk.delivery.feed_upkeep import FeedUpkeep
from copydesk.delivery.learning import forget_lines, learn_lines
from copydesk.delivery.measuring import Measuring
from copydesk.delivery.reconciler import SpoolReconciler
from copydesk.delivery.rejudging import LateJudging
from copydesk.delivery.replays import Replays, ask_passing
from copydesk.delivery.retention import Retention
from copydesk.delivery.search_index import index_texts
from copydesk.delivery.unreadable import Unreadable
from copydesk.delivery.vitals import Vitals, postgres_check, redis_check
from copydesk.delivery.webhooks import DueWebhooks
from copydesk.queue.app import make_app
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import connect
from copydesk.settings import load
from services.scheduler.app import Chore, Lane, Scheduler

RECONCILE_EVERY_S = 2.0
NUMBER_EVERY_S = 0.5
INDEX_EVERY_S = 1.0
REPLAY_EVERY_S = 1.0
MEASURE_EVERY_S = 5.0
LEARN_EVERY_S = 2.0
FORGET_EVERY_S = 3600.0
TELL_EVERY_S = 0.5
UNREADABLE_EVERY_S = 1.0
PASSING_EVERY_S = 60.0
KEEP_FEEDS_EVERY_S = 60.0
RETAIN_EVERY_S = 10.0
JUDGE_LATE_EVERY_S = 60.0

# Of chores that Postgres and Redis answer, within the deadlines of their own; a catalogue of millions of rows is
# indexed and learnt from in batches.
CHORE_LIMIT_S = 300.0


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load(os.environ).of("scheduler")
    logs.set_up(settings, "scheduler")
    app = make_app(settings)
    redis_url = settings.redis_url.get_secret_value()
    of_disk = [
        Chore(
            "reconcile spool",
            RECONCILE_EVERY_S,
            SpoolReconciler(settings.spool, app, redis_url, overdue_s=settings.overdue_s).turn,
        ),
        Chore("replays", REPLAY_EVERY_S, Replays(settings.spool, app).turn),
        Chore("measure", MEASURE_EVERY_S, Measuring(settings).turn),
    ]
    others = [
        Chore("number changes", NUMBER_EVERY_S, number_changes),
        Chore("index texts", INDEX_EVERY_S, index_texts),
        Chore("learn lines", LEARN_EVERY_S, learn_lines),
        Chore("forget lines", FORGET_EVERY_S, forget_lines),
        Chore("record unreadable messages", UNREADABLE_EVERY_S, Unreadable(redis_url).turn),
        Chore("replays that may pass", PASSING_EVERY_S, ask_passing),
        Chore("tell events", TELL_EVERY_S, EventStream(redis_url).turn),
        Chore("due webhooks", TELL_EVERY_S, DueWebhooks(settings, app).turn),
        Chore("due feeds", settings.feeds_look_every_s, DueFeeds(settings, app).turn),
        Chore("retention", RETAIN_EVERY_S, Retention(settings).turn),
        Chore(
            "judge late",
            JUDGE_LATE_EVERY_S,
            LateJudging(
                LikenessIndex.on(connect(redis_url), settings), read_thresholds(settings.dedupe_thresholds)
            ).turn,
        ),
        Chore("keep feeds in order", KEEP_FEEDS_EVERY_S, FeedUpkeep(settings).turn),
    ]
    scheduler = Scheduler(
        [Lane(settings, "disk", of_disk, limit_s=None), Lane(settings, "others", others, limit_s=CHORE_LIMIT_S)]
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: scheduler.stop())
    checks = {"redis": redis_check(settings), "postgres": postgres_check(settings, "scheduler")}
    Vitals(settings, "scheduler", checks).start()
    sys.exit(0 if scheduler.run() else 1)


if __name__ == "__main__":
    main()
