"""Feeds tried for somebody who waits at the HTTP door, which opens no connection to the outside itself.

The fetch worker does it as `copydesk feeds test` would; the answer is JSON (`TrialAnswer`), and nothing is stored.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Literal

import structlog

from copydesk.cleaning import load_rules
from copydesk.delivery.feed_trials import Trial, try_feed
from copydesk.delivery.knowledge import Knowledge
from copydesk.delivery.manners import client_of
from copydesk.errors import AddressRefused, FetchError, FetchHard, InvalidJob, QueueUnavailable
from copydesk.liveness.pulse import pulse
from copydesk.models import Wire
from copydesk.queue import answers
from copydesk.queue.jobs import TrialJob, read_asked
from copydesk.queue.streams import connect
from copydesk.settings import Settings

log = structlog.get_logger(__name__)

# What a person looks through; the count says how many there are.
ITEMS_SHOWN = 50


class TriedItem(Wire):
    """What would come in of one item."""

    title: str | None = None
    url: str | None = None
    published_at: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    letters: int = 0
    is_short: bool = False
    """It seems to carry a summary only."""
    warnings: tuple[str, ...] = ()
    reason: str = ""
    """Why it would be no article; empty for an article."""


class TrialResult(Wire):
    """What would come in of a feed."""

    url: str
    """Where it is, after redirects."""
    moved_to: str | None
    """Where its server says that it has moved for good."""
    format: str
    bytes: int
    asks_s: float
    """Seconds between two polls that it asks for; 0 where it does not."""
    has_validators: bool
    """Its server can tell that nothing is new."""
    items: int
    articles: int
    short: int
    """Items that seem to carry a summary only."""
    shown: tuple[TriedItem, ...]


class TrialFailure(Wire):
    """Why there is none."""

    code: Literal["address_refused", "nothing_there", "not_fetched"]
    reason: str
    status: int | None


class TrialAnswer(Wire):
    """One of both."""

    result: TrialResult | None = None
    failure: TrialFailure | None = None


class Trying:
    """One fetch worker's; any number of threads may try feeds at once. Lexicons are read when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = client_of(settings)
        self._redis = connect(settings.redis_url.get_secret_value())
        self._lock = threading.Lock()
        self._knowledge: Knowledge | None = None

    def carry(self, payload: object, *, task_id: str) -> None:
        """Try the feed that a job names and answer; nobody is told of a job that is none, or too late."""
        try:
            job = read_asked(TrialJob, payload, task_id=task_id)
        except InvalidJob as error:
            log.warning("a message on the fetch queue was refused", task_id=task_id, error=str(error))
            return
        if datetime.now(UTC) > job.until:
            log.info("nobody waits for this trial any more", url=job.url)
            return
        with pulse.holding("fetch", f"of {job.url} to try it", limit_s=self._settings.fetch_whole_s * 2):
            answer = self._answer(job)
        try:
            answers.give(self._redis, job.id, answer.model_dump_json().encode())
        except QueueUnavailable as error:
            log.warning("a trial could not be answered", url=job.url, error=str(error))

    def _answer(self, job: TrialJob) -> TrialAnswer:
        with self._lock:
            rules = self._known().rules()
        try:
            trial = try_feed(job.url, self._client.fetch, rules, source=job.source, now=datetime.now(UTC))
        except FetchError as error:
            code: Literal["address_refused", "nothing_there", "not_fetched"] = "not_fetched"
            if isinstance(error, FetchHard):
                code = "address_refused" if isinstance(error, AddressRefused) else "nothing_there"
            return TrialAnswer(failure=TrialFailure(code=code, reason=str(error), status=error.status))
        return TrialAnswer(result=result_of(trial))

    def _known(self) -> Knowledge:
        if self._knowledge is None:
            files = load_rules([self._settings.rules_dir] if self._settings.rules_dir else [])
            self._knowledge = Knowledge(files, self._settings.postgres_url.get_secret_value())
        return self._knowledge


def result_of(trial: Trial) -> TrialResult:
    """A trial as JSON has it."""
    return TrialResult(
        url=trial.url,
        moved_to=trial.moved_to,
        format=trial.format,
        bytes=trial.size,
        asks_s=trial.asked_s,
        has_validators=trial.has_validators,
        items=len(trial.items),
        articles=sum(item.document is not None for item in trial.items),
        short=sum(item.is_short for item in trial.items),
        shown=tuple(
            TriedItem(reason=item.reason, is_short=item.is_short)
            if (document := item.document) is None
            else TriedItem(
                title=document.title,
                url=document.url,
                published_at=document.published_at,
                authors=document.authors,
                language=document.language,
                letters=sum(len(paragraph) for paragraph in document.body),
                is_short=item.is_short,
                warnings=document.warnings,
            )
            for item in trial.items[:ITEMS_SHOWN]
        ),
    )
