"""What the HTTP door reads and answers, as the OpenAPI document shows it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from copydesk.models import Hints, Json, Name, Outcome, Wire

# It travels inside the job, fifty of them in one message.
META_BYTES_MAX = 64 * 1024

HINT_MAX = 2000


class DocumentIn(Wire):
    """One document: exactly one of `body` (text) and `body_base64` (bytes)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "desk-4711",
                    "body": "Old bridge to close\n\nThe harbour council voted on Monday to close the old bridge.",
                    "hints": {"url": "https://example.org/bridge", "language": "en"},
                    "meta": {"desk": "city"},
                }
            ]
        }
    )

    id: Name | None = Field(None, description="Your id of this delivery: sent again, it is not stored again.")
    body: str | None = Field(None, description="The document as text.")
    body_base64: str | None = Field(None, description="The document as bytes.")
    hints: Hints = Field(Hints(), description="What you know about it.")
    meta: Json | None = Field(None, description="JSON of your own, up to 64 KiB; it comes back on the row.")

    @model_validator(mode="after")
    def _has_one_body(self) -> Self:
        if (self.body is None) == (self.body_base64 is None):
            raise ValueError("exactly one of body and body_base64 is needed")
        return self

    @field_validator("hints")
    @classmethod
    def _hints_are_plain(cls, hints: Hints) -> Hints:
        for name, value in hints.model_dump(exclude_none=True).items():
            for text in _texts(value):
                check_hint(name, text)
        return hints

    @field_validator("meta")
    @classmethod
    def _meta_is_small_json(cls, meta: Json | None) -> Json | None:
        if meta is not None and len(json.dumps(meta, allow_nan=False)) > META_BYTES_MAX:
            raise ValueError(f"larger than {META_BYTES_MAX:,} bytes")
        return meta

    def data(self) -> bytes:
        """The document's bytes. Raises `ValueError` when `body_base64` is not base64."""
        if self.body is not None:
            return self.body.encode()
        try:
            return base64.b64decode(self.body_base64 or "", validate=True)
        except binascii.Error as error:
            raise ValueError(f"body_base64 is not base64: {error}") from error


def _texts(value: str | Mapping[str, str | list[str]]) -> Iterator[str]:
    """Every text in a hint: itself, or the keys and values of a map."""
    if isinstance(value, str):
        yield value
        return
    for key, held in value.items():
        yield key
        yield from [held] if isinstance(held, str) else held


def check_hint(name: str, value: str) -> None:
    """Raises `ValueError` for what no name, address or title is."""
    if len(value) > HINT_MAX:
        raise ValueError(f"{name}: longer than {HINT_MAX} characters")
    if any(ord(char) < 32 or ord(char) == 127 or "\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{name}: control characters")


class AcceptedItem(BaseModel):
    """A document that is on disk."""

    id: str = Field(description="Names the document from now on.", examples=["019abc3d2e1f4b6a/0"])
    job: str = Field(description="The job that carries it.")
    status_url: str = Field(examples=["/v1/items/019abc3d2e1f4b6a/0?source=http"])


class Accepted(BaseModel):
    """202: every document of the request is on disk and will end in exactly one outcome."""

    job: str = Field(description="The job of the first document.")
    jobs: list[str] = Field(description="All jobs of the request, in order.")
    items: list[AcceptedItem] = Field(description="The documents in the order of the request.")
    status_url: str = Field(description="Where the first document is told of.")


class ArticleOutcome(BaseModel):
    """One article that came out of a document; a feed gives several."""

    id: str
    outcome: Outcome
    article: str | None = Field(description="`article.id` in Postgres.")
    revision: int | None
    code: str
    reason: str


class Settled(AcceptedItem):
    """How a document ended. Of several articles the mildest outcome counts, and the first with it is named."""

    state: Literal["settled"] = "settled"
    outcome: Outcome
    article: str | None = Field(description="`article.id` in Postgres.")
    revision: int | None
    code: str = Field(description="Why it was rejected or is dead; else empty.")
    reason: str
    articles: list[ArticleOutcome]


class Pending(AcceptedItem):
    """A document that is accepted and has not ended yet."""

    state: Literal["accepted"] = "accepted"


class Stored(BaseModel):
    """200 with `wait=stored`: every document of the request has ended, and Postgres has committed it."""

    job: str
    jobs: list[str]
    items: list[Settled]
    status_url: str


class Problem(BaseModel):
    """RFC 9457. Further members depend on the problem."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:copydesk:problem:too_large"])
    title: str
    status: int
    code: str = Field(examples=["too_large"])
    detail: str
    items: list[AcceptedItem] | None = Field(None, description="What was accepted all the same (`wait=stored`).")


class Live(BaseModel):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(BaseModel):
    """Whether documents are taken, and how each dependency is. Only the spool decides."""

    ready: bool
    spool: Literal["ok", "not writable", "below its mark"]
    spool_free_bytes: int
    redis: Literal["up", "down"]
    postgres: Literal["up", "down"]
