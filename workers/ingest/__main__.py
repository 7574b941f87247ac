"""Starts an ingest worker: solo pool, since a process of its own is what can be killed and replaced."""

import os
import socket

from copydesk import logs
from copydesk.queue.jobs import DEFAULT_QUEUE, INGEST_QUEUE
from workers.ingest.celery import app, settings


def main() -> None:
    """Run until SIGTERM, which lets the job in hand come to its end."""
    logs.set_up(settings, "ingest")
    app.worker_main(
        [
            "--quiet",  # the banner would be lines that are no JSON
            "worker",
            "--pool=solo",
            f"--queues={INGEST_QUEUE},{DEFAULT_QUEUE}",
            f"--hostname=ingest-{os.getpid()}@{socket.gethostname()}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
