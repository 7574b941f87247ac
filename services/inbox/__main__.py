"""Starts the inbox service: reads the settings, wires, runs."""

import os
import signal

from copydesk import logs
from copydesk.delivery.vitals import Vitals, postgres_check, redis_check
from copydesk.queue.app import make_app
from copydesk.settings import load
from services.inbox.app import InboxService


def main() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = load(os.environ).of("inbox")
    logs.set_up(settings, "inbox")
    service = InboxService(settings, make_app(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: service.stop())
    Vitals(settings, "inbox", {"redis": redis_check(settings), "postgres": postgres_check(settings, "inbox")}).start()
    service.run()


if __name__ == "__main__":
    main()
