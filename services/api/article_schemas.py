"""What the door answers of articles, as the OpenAPI document shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from copydesk.models import Piece


class Listed(BaseModel):
    """An article as a list shows it: its current revision, without the text."""

    id: str
    source: str = Field(description="Who sent it.")
    revision: int
    publisher: str | None = Field(description="Whom the text credits.")
    language: str | None
    title: str | None
    section: str | None
    published_at: datetime | None = Field(description="Only where the text settles the instant.")
    published_text: str | None = Field(description="As the text has it: ISO 8601 as far as it goes.")
    zone_unknown: bool = Field(description="A clock time stands in the text without a zone that could be told.")
    updated_text: str | None
    authors: list[str]
    dateline: str | None
    rights: list[str]
    format: str
    url: str | None
    guid: str | None
    name: str | None = Field(description="The file's name.")
    warnings: list[str]
    received_at: datetime
    stored_at: datetime
    changed_at: datetime = Field(description="When its content last changed.")
    position: int | None = Field(description="Of its latest change; null for a moment after it.")


class _Text(BaseModel):
    id: str
    source: str
    revision: int
    publisher: str | None
    language: str | None
    title: str | None
    section: str | None
    published_at: datetime | None
    published_text: str | None
    zone_unknown: bool
    updated_text: str | None
    authors: list[str]
    credits: Any = Field(description="Further people by role.")
    dateline: str | None
    body: list[str] = Field(description="The story's paragraphs.")
    text: str = Field(description="The paragraphs, a blank line between two.")
    rights: list[str]
    captions: list[str]
    corrections: list[str]
    removed: list[Piece] = Field(description="Everything that is neither title nor story, and why.")
    format: str
    url: str | None
    guid: str | None
    name: str | None
    encoding: str | None
    warnings: list[str]
    meta: Any = Field(description="The sender's own JSON.")
    raw_sha256: str
    rules_version: str
    received_at: datetime
    stored_at: datetime


class Article(_Text):
    """The current revision of an article."""

    changed_at: datetime


class Revision(_Text):
    """One revision of an article."""

    is_current: bool


class Page(BaseModel):
    """Articles, and where the next page begins."""

    articles: list[Listed]
    next: str | None = Field(description="`before` of the next page; null on the last one.")


class Gone(BaseModel):
    """An article that is not to be shown any more."""

    id: str
    source: str
    event: Literal["deleted", "withdrawn"] = Field(description="By an operator for good, or by its sender's word.")
    reason: str
    at: datetime
    position: int


class Changes(BaseModel):
    """Articles in the order of their latest change."""

    articles: list[Listed]
    gone: list[Gone] = Field(description="Forget these. Of the filters only `source` holds for them.")
    next: int = Field(description="`changed_since` of the next request; the same again where nothing has changed.")


class Tombstone(BaseModel):
    """What stays of a deleted article."""

    article: str
    source: str
    reason: str
    deleted_by: str = Field(description="The key, or who ran the command.")
    deleted_at: datetime
    is_banned: bool = Field(description="What comes of it again is suppressed.")
    lifted_at: datetime | None
    lifted_by: str | None


class RevisionRow(BaseModel):
    """A revision in an article's list of them."""

    revision: int
    is_current: bool
    title: str | None
    publisher: str | None
    published_text: str | None
    updated_text: str | None
    raw_sha256: str
    rules_version: str
    received_at: datetime
    stored_at: datetime


class Revisions(BaseModel):
    """The revisions of an article, oldest first."""

    revisions: list[RevisionRow]


class ParagraphChange(BaseModel):
    """A paragraph of either revision."""

    kind: Literal["kept", "added", "removed", "changed"]
    before: str | None
    after: str | None


class Difference(BaseModel):
    """What changed between two revisions."""

    id: str
    before: int
    after: int
    title_before: str | None
    title_after: str | None
    changes: list[ParagraphChange]


class Sighting(BaseModel):
    """Where else the article was seen, and what made it the same."""

    job: str
    item: str
    source: str
    url: str | None
    name: str | None
    relation: str
    scores: dict[str, Any]
    raw_sha256: str
    seen_at: datetime


class Sightings(BaseModel):
    """Where else an article was seen, oldest first."""

    sightings: list[Sighting]
