"""Starts a storage worker: reads the settings, wires, runs until SIGTERM, SIGQUIT or SIGINT."""

import os
import signal
import socket
import threading

import structlog

from copydesk import logs
from copydesk.delivery.vitals import Vitals, postgres_check, redis_check
from copydesk.delivery.writer import Writer
from copydesk.errors import QueueUnavailable
from copydesk.queue import streams
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.queue.streams import ArticleStream
from copydesk.settings import load


def main() -> None:
    """Take batches until told to stop; a batch in hand is committed and settled first."""
    settings = load(os.environ).of("storage")
    logs.set_up(settings, "storage")
    log = structlog.get_logger(__name__)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda *_: stop.set())
    client = streams.connect(settings.redis_url.get_secret_value())
    writer = Writer(
        ArticleStream(client),
        LikenessIndex.on(client, settings),
        settings.postgres_url.get_secret_value(),
        settings.worker_name or f"{socket.gethostname()}-{os.getpid()}",
        batch_size=settings.batch_size,
        claim_idle_s=settings.claim_idle_s,
        deadline_s=settings.database_deadline_s,
        pause=stop.wait,
        is_stopping=stop.is_set,
    )
    checks = {
        "redis": redis_check(settings, streams.articles_waiting),
        "postgres": postgres_check(settings, "storage"),
    }
    Vitals(settings, "storage", checks).start()
    log.info("storage worker ready")
    while not stop.is_set():
        try:
            writer.step()
        except QueueUnavailable as error:
            log.warning("redis is away", error=str(error))
            writer.after_error()
            stop.wait(0.5)
    writer.close()


if __name__ == "__main__":
    main()
