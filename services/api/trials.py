"""Feeds tried before they are saved: a fetch worker does it, since nothing else opens connections to the outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import anyio
from anyio import to_thread
from celery import Celery

from copydesk.delivery.trial_answers import TrialAnswer, TrialResult
from copydesk.errors import QueueUnavailable
from copydesk.queue import answers
from copydesk.queue.app import ask_to_try
from copydesk.queue.jobs import TrialJob, new_id
from copydesk.queue.streams import connect
from services.api.problems import Refused, come_back

# Each holds a thread and a connection to Redis while it waits.
AT_ONCE = 4

# Under the socket's own timeout: a wait longer than that would look like a silent Redis.
_STEP_S = 5.0


class Trials:
    """Asks the fetch workers and waits for their answers."""

    def __init__(self, redis_url: str, app: Celery) -> None:
        self._redis_url = redis_url
        self._app = app
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def of(self, url: str, source: str, timeout_s: float) -> TrialResult:
        """What would come in of a feed. Raises `Refused`: it is none, or no worker answered in time."""
        until = datetime.now(UTC) + timedelta(seconds=timeout_s)
        job = TrialJob(v=1, id=new_id(), url=url, source=source, until=until)
        try:
            answer = await to_thread.run_sync(self._ask, job, limiter=self._limiter)
        except QueueUnavailable as error:
            raise come_back(503, error.code, "Redis does not take the question to the fetch workers.") from error
        if answer is None:
            raise come_back(503, "no_answer", f"No fetch worker answered within {timeout_s:g} s.")
        if answer.result is None:
            reason, status = (answer.failure.reason, answer.failure.status) if answer.failure else ("", None)
            code = answer.failure.code if answer.failure else "not_fetched"
            raise Refused(422, code, reason, upstream_status=status)
        return answer.result

    def _ask(self, job: TrialJob) -> TrialAnswer | None:
        client = connect(self._redis_url)
        try:
            ask_to_try(self._app, job)
            while (left_s := (job.until - datetime.now(UTC)).total_seconds()) > 0:
                answer = answers.wait(client, job.id, min(_STEP_S, left_s))
                if answer is not None:
                    return TrialAnswer.model_validate_json(answer)
            return None
        finally:
            client.close()
