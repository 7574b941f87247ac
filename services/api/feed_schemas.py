"""What the door takes and answers of feeds, as the OpenAPI document shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from copydesk.models import Name, Wire

Address = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000, pattern=r"^[^\x00-\x20\x7f]+$"),
    Field(examples=["https://example.org/feed.xml"]),
]
FullText = Literal["never", "short", "always"]
Seconds = Annotated[float, Field(ge=6, le=31_536_000)]
Title = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


class _Bounds(Wire):
    title: Title | None = Field(None, description="A name for people.")
    full_text: FullText | None = Field(
        None, description="Fetch the linked page of no item, of those cut short, or of all."
    )
    interval_min_s: Seconds | None = Field(None, description="Least seconds between two polls.")
    interval_max_s: Seconds | None = Field(None, description="Most seconds between two polls.")
    enabled: bool | None = Field(None, description="Whether it is polled.")

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        least, most = self.interval_min_s, self.interval_max_s
        if least is not None and most is not None and least > most:
            raise ValueError("interval_min_s is above interval_max_s")
        return self


class NewFeed(_Bounds):
    """A feed to poll from now on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://example.org/feed.xml", "source": "example", "full_text": "short"}]
        }
    )

    url: Address
    source: Name | None = Field(None, description="The source it belongs to; the address's host when not given.")


class FeedChange(_Bounds):
    """What of a feed is to be another; what is not given stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"enabled": False}]})

    url: Address | None = Field(None, description="Its new address, polled at once.")


class Tried(Wire):
    """A feed to look at; nothing is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://example.org/feed.xml"}]})

    url: Address
    source: Name = Field("test", description="Whose profile cleans it.")


class Feed(BaseModel):
    """A feed and how it is doing."""

    id: int
    url: str
    source: str
    title: str | None
    enabled: bool
    full_text: FullText
    interval_s: float = Field(description="Seconds between two polls, learnt from it.")
    interval_min_s: float | None = Field(description="Bounds of its own; null where the settings' hold.")
    interval_max_s: float | None
    due_at: datetime
    fetched_at: datetime | None
    changed_at: datetime | None = Field(description="When it last brought something new.")
    silent_since: datetime | None
    failures: int = Field(description="Polls in a row that brought nothing.")
    last_error: str | None
    moved_to: str | None
    added_at: datetime


class Feeds(BaseModel):
    """Feeds, and where the next page begins."""

    feeds: list[Feed]
    next: int | None = Field(description="`after` of the next page; null on the last one.")


class Poll(BaseModel):
    """One poll; its counts are null where it brought no new body."""

    id: int
    fetched_at: datetime
    result: Literal["taken_in", "not_modified", "same_body", "failed"]
    status: int | None
    job: str | None
    items: int | None
    fresh: int | None
    duplicates: int | None
    unchanged: int | None
    pages: int | None
    error: str | None
    due_at: datetime


class Polls(BaseModel):
    """Polls, the newest first, and where the next page begins."""

    polls: list[Poll]
    next: int | None = Field(description="`before` of the next page; null on the last one.")
