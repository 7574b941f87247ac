"""Tells other services of changes by HTTP: signed, in order, repeated until taken, every call recorded.

The scheduler leases what is due, and fetch workers call. Told means: the receiver answered 2xx. A crash between the
answer and the commit tells the same events again under the same message id.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager

import structlog
from celery import Celery

from copydesk import metrics
from copydesk.delivery.manners import client_of
from copydesk.delivery.polling import printable
from copydesk.errors import DependencyError, FetchError, InvalidJob
from copydesk.fetching import signing
from copydesk.liveness.pulse import pulse
from copydesk.queue.app import ask_to_tell
from copydesk.queue.jobs import WebhookJob, read_asked
from copydesk.settings import Settings
from copydesk.storage import connection as database
from copydesk.storage import outbox, webhooks
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.outbox import Event
from copydesk.storage.webhooks import Call, Lease, Webhook

log = structlog.get_logger(__name__)

# Of one call, and of one turn of a worker at one webhook: the others wait no longer than for these.
EVENTS_A_CALL = 100
CALLS_A_TURN = 20

# What each failure adds to the wait, and the most of it. Never given up: events are kept, and a receiver may be away
# for a weekend.
RETRY_STEP_S = 10.0
RETRY_MAX_S = 3600.0


class DueWebhooks:
    """`turn` is called every half second or so; two schedulers at once ask for different webhooks."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app = app
        self._lease_s = 2 * settings.fetch_whole_s
        self._at_once = 4 * settings.fetch_threads

    def turn(self, connection: Connection) -> None:
        """Look once. Raises `DependencyError`; what was leased and not asked for is leased again later."""
        with translated_errors("due webhooks"), connection.transaction():
            leased = webhooks.lease(connection, limit=self._at_once, lease_s=self._lease_s)
        for held in leased:
            ask_to_tell(self._app, WebhookJob(v=1, webhook_id=held.webhook_id, lease=held.until))


class Telling:
    """One fetch worker's client; any number of threads may carry jobs at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = client_of(settings)
        self._lease_s = 2 * settings.fetch_whole_s

    def carry(self, payload: object, *, task_id: str, is_redelivered: bool = False) -> None:
        """Tell the webhook that a job names. Never raises for what it or a dependency did: its lease ends.

        `is_redelivered`: a worker before this one may have died over it.
        """
        try:
            job = read_asked(WebhookJob, payload, task_id=task_id)
        except InvalidJob as error:
            log.warning("a message on the fetch queue was refused", task_id=task_id, error=str(error))
            return
        held: Lease | None = Lease(job.webhook_id, job.lease)
        try:
            for number in range(CALLS_A_TURN):
                # Beside the call as a whole: its way to the database.
                limit_s = self._settings.fetch_whole_s + self._settings.stuck_after_s
                with pulse.holding("webhook", str(job.webhook_id), limit_s=limit_s):
                    held = held and self._step(held, again=is_redelivered and number == 0)
        except DependencyError as error:
            pulse.back_off(error.dependency)
            log.warning("given up: the webhook is called again when its lease ends", error=str(error))

    def _step(self, held: Lease, *, again: bool) -> Lease | None:
        """One call; the lease for the next one, None when there is nothing more to do now."""
        with self._transaction() as connection:
            webhook = webhooks.begin(connection, held, lease_s=self._lease_s, again=again)
            if webhook is None:
                return None
            newest = outbox.newest(connection)
            found = outbox.after(
                connection, webhook.position, EVENTS_A_CALL, events=webhook.events, source=webhook.source
            )
            if not found:
                webhooks.end(connection, webhook, newest)
                return None
        call, wait_s = self._call(webhook, found)
        with self._transaction() as connection:
            if call.error is not None:
                webhooks.failed(connection, webhook, call, wait_s)
                return None
            webhooks.delivered(connection, webhook, call)
        return Lease(webhook.id, webhook.lease)

    def _call(self, webhook: Webhook, found: Sequence[Event]) -> tuple[Call, float]:
        first, last = found[0].position, found[-1].position
        body = json.dumps({"events": [event.told() for event in found]}, ensure_ascii=False).encode()
        message_id = f"{webhook.id}-{first}-{last}"
        sent = {
            "Content-Type": "application/json",
            **signing.headers(webhook.secret, message_id, int(time.time()), body),
        }
        started = time.monotonic()
        status, error, wait_s = None, None, 0.0
        try:
            status = self._client.post(webhook.url, body, sent)
        except FetchError as failure:
            status, error = failure.status, printable(str(failure))
            wait_s = wait_after(webhook.failures + 1, failure.retry_after_s)
            log.warning("a webhook was not told", url=webhook.url, error=error, wait_s=wait_s)
        metrics.calls.labels("failed" if error else "taken").inc()
        return Call(first, last, len(found), status, error, time.monotonic() - started), wait_s

    def _transaction(self) -> AbstractContextManager[Connection]:
        """A connection a step: between two steps lies the slow part."""
        url, deadline_s = self._settings.postgres_url.get_secret_value(), self._settings.database_deadline_s
        return database.single_transaction(url, "webhook", deadline_s=deadline_s, name="copydesk webhooks")


def wait_after(failures: int, asked_s: float) -> float:
    """Seconds to the next try after `failures` in a row: a step more each time, or what the receiver asks for."""
    return min(max(RETRY_STEP_S * failures, asked_s), RETRY_MAX_S)
