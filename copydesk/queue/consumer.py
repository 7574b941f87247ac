"""Celery's consumer, made to lose nothing it cannot read.

Stock Celery logs a message of an unknown task, format or serializer and throws it away. Here it goes to
`app.refuse(task_id, error, payload)` first, which records it as rejected with its bytes.
"""

from __future__ import annotations

import logging
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer

from copydesk.errors import InvalidJob

log = logging.getLogger(__name__)


class Consumer(CeleryConsumer):  # type: ignore[misc]  # celery is untyped
    """Named in `worker_consumer`; each method overrides Celery's of the same name."""

    def on_unknown_message(self, body: Any, message: Any) -> None:
        """A message that is no task at all."""
        self._refuse(message, "the message is no Celery task")

    def on_unknown_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A task that this worker does not have."""
        self._refuse(message, f"there is no task named {exc}")

    def on_invalid_task(self, body: Any, message: Any, exc: Exception) -> None:
        """A task whose message is malformed, or pickled."""
        self._refuse(message, f"{type(exc).__name__}: {exc}")

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """A message whose body cannot be decoded."""
        self._refuse(message, f"{type(exc).__name__}: {exc}")

    def cancel_active_requests(self) -> None:
        """Neither pool of ours can: a second Ctrl-C or SIGQUIT would fail the task in hand, and lose its job."""

    def _refuse(self, message: Any, detail: str) -> None:
        headers = message.headers if isinstance(message.headers, dict) else {}
        task_id = str(headers.get("id") or message.delivery_tag)
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body or b"")
        self.app.refuse(task_id, InvalidJob(task_id, detail), body)
        message.ack_log_error(log, self.connection_errors)
