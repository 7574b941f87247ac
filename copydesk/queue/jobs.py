"""Job names and payloads: what a door, or a stranger's Celery program, puts on the queue.

The JSON schema of `Job` is published as docs/job.schema.json. Nothing here talks to Redis.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import time
import uuid
from datetime import datetime, timedelta
from typing import Any, Literal, Self, TypeVar

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from copydesk.errors import InvalidJob, UnsupportedJobVersion
from copydesk.models import Hints, Json, Label, Moment, Name, Wire

VERSION = 1

INGEST_TASK = "copydesk.ingest"
INGEST_QUEUE = "copydesk.ingest"

FETCH_TASK = "copydesk.fetch"
FETCH_QUEUE = "copydesk.fetch"

# On the fetch queue too: its workers are the only processes that open connections to the outside.
WEBHOOK_TASK = "copydesk.webhook"

# And a feed is looked at there before anybody subscribes to it.
TRIAL_TASK = "copydesk.try_feed"

# A stock producer that names no queue sends to this one.
DEFAULT_QUEUE = "celery"

# More would make one job's work too large to lose to a kill and repeat; 50 articles a task bring the cost of Celery
# from 770 to 46 µs an article (docs/benchmarks.md).
ITEMS_MAX = 50

# Opaque: it names a claim or spool entry, never a path or URL.
REF_PATTERN = r"^[a-z0-9]{1,64}(/[0-9]{1,4})?$"

# More than clocks of machines differ by. Older news never overwrites newer, so a later one would hold its place.
FUTURE_MAX = timedelta(days=1)

Door = Literal["file", "feed", "http", "bulk", "celery"]

_NAME: TypeAdapter[str] = TypeAdapter(Name)


class Refusal(Wire):
    """Why a door could not take an item that it knows of; the item is recorded as rejected."""

    code: str = Field(pattern=r"^[a-z_]{1,60}$")
    reason: Label


class JobItem(Wire):
    """One thing to ingest: exactly one of `body` (text), `body_base64` (bytes), `ref` (spool, claim) and `refused`."""

    id: Name
    body: str | None = None
    body_base64: str | None = None
    ref: str | None = Field(None, pattern=REF_PATTERN)
    refused: Refusal | None = None
    hints: Hints = Hints()
    meta: Json | None = None
    """The caller's own JSON; it comes back untouched on the row and in events."""

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        given = [n for n in ("body", "body_base64", "ref", "refused") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(f"exactly one of body, body_base64, ref and refused is needed, got {given or 'none'}")
        return self

    def inline_bytes(self) -> bytes:
        """The body as bytes. Raises `InvalidJob` when `body_base64` is not base64 or the item carries a `ref`."""
        if self.body is not None:
            return self.body.encode()
        try:
            return base64.b64decode(self.body_base64 or "", validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidJob(self.id, f"body_base64 is not base64: {error}") from error


class Job(Wire):
    """Version 1 of the envelope. `id` defaults to the Celery task id, `received_at` to when a worker reads it."""

    v: Literal[1]
    id: Name
    source: Name = "celery"
    kind: Door = "celery"
    """The door that the job came through."""
    origin: Label | None = None
    """Where exactly, for people: a file's path in the inbox, a URL, a client's name."""
    received_at: Moment
    items: tuple[JobItem, ...] = Field(min_length=1, max_length=ITEMS_MAX)

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({item.id for item in self.items}) != len(self.items):
            raise ValueError("two items have the same id")
        return self


def read_job(payload: object, *, task_id: str, now: datetime) -> Job:
    """Check a payload as it came off the queue.

    Raises `UnsupportedJobVersion` when `v` is another version, `InvalidJob` that names every fault otherwise.
    """
    if not isinstance(payload, dict):
        raise InvalidJob(task_id, f"the job is {type(payload).__name__}, not an object")
    version = payload.get("v")
    if version != VERSION or isinstance(version, bool):
        raise UnsupportedJobVersion(task_id, f"v is {version!r}, this copydesk speaks {VERSION}")
    filled = {"id": task_id, "received_at": now.isoformat(), **payload}
    try:
        # JSON mode, as the published schema says; kombu turns its own datetime marks back into objects, hence str.
        job = Job.model_validate_json(json.dumps(filled, default=str, allow_nan=False))
    except ValidationError as error:
        raise InvalidJob(task_id, "; ".join(_faults(error))) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidJob(task_id, f"not JSON: {error}") from error
    if job.received_at > now + FUTURE_MAX:
        raise InvalidJob(task_id, f"received_at: {job.received_at.isoformat()} lies in the future")
    return job


class FetchJob(Wire):
    """Version 1 of what the scheduler asks of a fetch worker: a feed, and the lease it is to be fetched under."""

    v: Literal[1]
    feed_id: int
    lease: Moment


class WebhookJob(Wire):
    """Version 1 of what the scheduler asks of a fetch worker: a webhook, and the lease it is called under."""

    v: Literal[1]
    webhook_id: int
    lease: Moment


class TrialJob(Wire):
    """Version 1 of what the HTTP door asks of a fetch worker: to fetch a feed and say what would come in of it."""

    v: Literal[1]
    id: Name
    """Names the answer."""
    url: str = Field(max_length=2000)
    source: Name
    until: Moment
    """Nobody waits for the answer after this."""


Asked = TypeVar("Asked", FetchJob, WebhookJob, TrialJob)


def read_asked(kind: type[Asked], payload: object, *, task_id: str) -> Asked:
    """Check a payload of the fetch queue as it came. Raises `InvalidJob`."""
    try:
        return kind.model_validate_json(json.dumps(payload, default=str))
    except ValidationError as error:
        raise InvalidJob(task_id, "; ".join(_faults(error))) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidJob(task_id, f"not JSON: {error}") from error


def safe_id(task_id: str) -> str:
    """The id of a task as an id of ours: a stranger's client may have chosen one that is none."""
    try:
        return _NAME.validate_python(task_id)
    except ValidationError:
        return f"task-{sha256(task_id.encode('utf-8', 'surrogatepass'))[:32]}"


def sent_job(args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    """The job among a task's arguments; anything else comes back whole, for `read_job` to refuse."""
    if len(args) == 1 and not kwargs:
        return args[0]
    if not args and list(kwargs) == ["job"]:
        return kwargs["job"]
    return {"args": list(args), "kwargs": kwargs}


def payload_of(job: Job) -> dict[str, Any]:
    """The job as JSON-ready values, without what is left at its default."""
    return job.model_dump(mode="json", exclude_defaults=True) | {"v": job.v}


def schema() -> Json:
    """The published JSON schema of the envelope; `id` and `received_at` may be left out by a producer."""
    described = Job.model_json_schema()
    described["required"] = [n for n in described["required"] if n not in ("id", "received_at")]
    return described


def new_id() -> str:
    """A job id that sorts by time and fits a `ref`."""
    return f"{time.time_ns() // 1_000_000:012x}{uuid.uuid4().hex[:20]}"


def sha256(data: bytes) -> str:
    """Hex digest by which raw inputs are kept."""
    return hashlib.sha256(data).hexdigest()


def _faults(error: ValidationError) -> list[str]:
    """One line a fault; a fault of a whole that only says that a part of it is wrong is left out."""
    faults = error.errors()
    places = [fault["loc"] for fault in faults]
    lines = []
    for fault in faults:
        where = fault["loc"]
        if where and any(len(place) > len(where) and place[: len(where)] == where for place in places):
            continue
        what = "unknown field" if fault["type"] == "extra_forbidden" else fault["msg"]
        lines.append(f"{'.'.join(map(str, where))}: {what}" if where else what)
    return lines
