"""What the door takes and answers of sources, as the OpenAPI document shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from copydesk.models import Label, Name, Piece, Wire

Toml = Annotated[str, StringConstraints(min_length=1, max_length=100_000, pattern=r"^[^\x00]*$")]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=2000)]

_PROFILE = 'name = "desk"\nrules = [{ action = "drop", match = "prefix", text = "Our Standards:" }]\n'


class Profile(Wire):
    """A profile as TOML, as a file of one has it (docs/cleaning.md)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"toml": _PROFILE}]})

    toml: Toml


class ProfileTrial(Wire):
    """A text of a source, and the profile to try on it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"source": "desk", "toml": _PROFILE, "text": "Old bridge to close\n\nThe council voted."}]
        }
    )

    source: Name
    toml: Toml | None = Field(None, description="The profile; when not given, what holds for the source now.")
    text: Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
    filename: Line | None = None
    media_type: Line | None = None
    url: Line | None = None


class Learning(Wire):
    """Whether the lines that a source repeats are dropped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"learns": False}]})

    learns: bool
    fewest_stories: int | None = Field(
        None, ge=2, le=1_000_000, description="Stories that must show a line; when not given, it stays."
    )


class Undone(Wire):
    """Whether a line is never dropped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_undone": True}]})

    is_undone: bool


class SourceListed(BaseModel):
    """A source of which something is kept."""

    name: str
    has_profile: bool
    learns: bool
    fewest_stories: int | None = Field(description="Stories that must show a line; null is the shipped number.")
    repeated_lines: int


class Source(SourceListed):
    """A source with its kept profile."""

    toml: str | None
    updated_at: datetime | None = Field(description="When its profile or its learning was last changed.")


class Sources(BaseModel):
    """Sources by name, and where the next page begins."""

    sources: list[SourceListed]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


class LearntLine(BaseModel):
    """A line that several stories of a source showed."""

    key: str
    text: Label
    stories: int
    at_edge: int = Field(description="In how many of them it stood among the first or last paragraphs.")
    is_prose: bool
    is_undone: bool = Field(description="By an operator: never dropped.")
    is_dropped: bool = Field(description="Dropped from stories that are cleaned now.")
    first_seen: datetime
    last_seen: datetime


class Lines(BaseModel):
    """Repeated lines, the most repeated first, and where the next page begins."""

    lines: list[LearntLine]
    next: str | None = Field(description="`after` of the next page; null on the last one.")


class TriedDocument(BaseModel):
    """What a text would become."""

    is_article: bool
    reason: str = Field(description="Why it would be no article; empty for an article.")
    title: str | None = None
    publisher: str | None = None
    published_at: str | None = None
    language: str | None = None
    authors: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    removed: tuple[Piece, ...] = Field((), description="Everything that is neither title nor story, and why.")
    warnings: tuple[str, ...] = ()


class TriedProfile(BaseModel):
    """What a text would become; a container gives several."""

    documents: list[TriedDocument]
