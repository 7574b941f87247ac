"""What the client sends and what it is told. Fields that a newer door adds are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from copydesk.models import Hints, Outcome


@dataclass(frozen=True, slots=True)
class Document:
    """A document to send: text or bytes, and what is known about it."""

    body: str | bytes
    id: str | None = None
    """Your id of this delivery: sent again, it is not stored again."""
    hints: Hints | None = None
    meta: Mapping[str, Any] | None = None
    """JSON of your own; it comes back on the article."""


class Told(BaseModel):
    """Base of everything that the door tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AcceptedItem(Told):
    """A document that is on the door's disk."""

    id: str
    job: str


class Accepted(Told):
    """Every document of a request is on disk, and will end in exactly one outcome."""

    job: str
    jobs: tuple[str, ...]
    items: tuple[AcceptedItem, ...]


class ArticleOutcome(Told):
    """One article that came out of a document."""

    id: str
    outcome: Outcome
    article: str | None
    revision: int | None
    code: str
    reason: str


class Settled(Told):
    """How a document ended, in Postgres for good."""

    id: str
    job: str
    outcome: Outcome
    article: str | None
    revision: int | None
    code: str
    reason: str
    articles: tuple[ArticleOutcome, ...]


class Stored(Told):
    """Every document of a request has ended."""

    job: str
    jobs: tuple[str, ...]
    items: tuple[Settled, ...]


class Listed(Told):
    """An article as lists show it: without its text."""

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
    authors: tuple[str, ...]
    dateline: str | None
    rights: tuple[str, ...]
    format: str
    url: str | None
    guid: str | None
    name: str | None
    warnings: tuple[str, ...]
    received_at: datetime
    stored_at: datetime
    changed_at: datetime
    position: int | None


class Found(Listed):
    """An article that a search found."""

    snippets: tuple[str, ...]
    """HTML: escaped, the words in `<mark>`."""


class Removed(Told):
    """A piece of the input that is neither title nor story, and the rule that said so."""

    kind: str
    rule: str
    text: str


class Revision(Told):
    """A revision of an article, whole."""

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
    authors: tuple[str, ...]
    credits: dict[str, tuple[str, ...]]
    dateline: str | None
    body: tuple[str, ...]
    text: str
    rights: tuple[str, ...]
    captions: tuple[str, ...]
    corrections: tuple[str, ...]
    removed: tuple[Removed, ...]
    format: str
    url: str | None
    guid: str | None
    name: str | None
    encoding: str | None
    warnings: tuple[str, ...]
    meta: Any
    raw_sha256: str
    rules_version: str
    received_at: datetime
    stored_at: datetime


class Article(Revision):
    """The current revision of an article."""

    changed_at: datetime


class RevisionListed(Told):
    """A revision in an article's list of them."""

    revision: int
    is_current: bool
    title: str | None
    publisher: str | None
    received_at: datetime
    stored_at: datetime


class ParagraphChange(Told):
    """A paragraph of either revision."""

    kind: Literal["kept", "added", "removed", "changed"]
    before: str | None
    after: str | None


class Difference(Told):
    """What changed between two revisions."""

    title_before: str | None
    title_after: str | None
    changes: tuple[ParagraphChange, ...]


class Sighting(Told):
    """Where else an article was seen."""

    job: str
    item: str
    source: str
    url: str | None
    name: str | None
    relation: str
    scores: dict[str, float]
    seen_at: datetime


class Tombstone(Told):
    """What stays of a deleted article."""

    article: str
    source: str
    reason: str
    deleted_by: str
    deleted_at: datetime
    is_banned: bool


class Gone(Told):
    """A change that took an article out of sight: forget it."""

    id: str
    source: str
    event: Literal["deleted", "withdrawn"]
    reason: str
    at: datetime
    position: int


@dataclass(frozen=True, slots=True)
class Changed:
    """A change of an article's content, its first included."""

    position: int
    article: Listed


class Letter(Told):
    """An item that did not become an article."""

    id: int
    job: str
    item: str
    source: str
    outcome: Outcome
    stage: str
    code: str
    reason: str
    resolution: str | None
    note: str | None
    replay_id: str | None
    recorded_at: datetime


class Cause(Told):
    """How many letters nobody has dealt with, of one cause."""

    code: str
    outcome: Outcome
    letters: int
    reason: str


class Counted(Told):
    """How many items of a source ended in one way in an hour."""

    hour: datetime
    source: str
    outcome: Outcome
    items: int
