"""Starts a fetch worker: a pool of threads, since a fetch is waiting and little else."""

import os
import socket

# Celery reads it when it is imported: SIGTERM then ends softly, see copydesk.queue.app.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")


def main() -> None:
    """Run until SIGTERM."""
    from copydesk import logs
    from copydesk.queue.jobs import FETCH_QUEUE
    from workers.fetch.celery import app, settings

    logs.set_up(settings, "fetch")
    app.worker_main(
        [
            "worker",
            "--pool=threads",
            f"--concurrency={settings.fetch_threads}",
            f"--queues={FETCH_QUEUE}",
            f"--hostname=fetch-{os.getpid()}@{socket.gethostname()}",
            f"--loglevel={settings.log_level}",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
