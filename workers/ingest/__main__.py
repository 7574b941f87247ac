"""Starts an ingest worker: solo pool, since a process of its own is what can be killed and replaced."""

import os
import socket

from copydesk import logs
from copydesk.liveness.pulse import pulse
from copydesk.queue.jobs import DEFAULT_QUEUE, INGEST_QUEUE
from workers.ingest.vitals import settings, vitals

# Loading the rules takes some seconds of CPU; a machine that starts everything at once has ten times as many.
START_S = 300.0


def main() -> None:
    """Run until SIGTERM, which lets the job in hand come to its end."""
    logs.set_up(settings, "ingest")
    vitals.start()
    with pulse.holding("start", limit_s=START_S):
        from workers.ingest.celery import app

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
