"""What stands in the article stream: how an item ended, as an article or as none, and the end of its job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from copydesk.errors import RowRefused
from copydesk.models import Document, Hints, Json, Label, Likened, Moment, Name, Outcome, Wire, Withdrawal
from copydesk.queue.jobs import Door

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class JobRef(Wire):
    """What every entry says about the job it belongs to."""

    id: Name
    source: Name
    kind: Door
    origin: Label | None
    received_at: Moment


class ArticleEntry(Wire):
    """A cleaned article on its way to its row."""

    type: Literal["article"] = "article"
    job: JobRef
    item_id: str
    """Unique within the job; an article out of a container is `<item>#<key>`."""
    parent_id: str
    """The job's item that it came out of; equal to `item_id` where the item is the article."""
    name: str | None
    """The file's name in its source, for display and sightings."""
    document: Document
    raw_sha256: Sha256
    meta: Json | None
    number: int | None = None
    """Its place among all documents, as far as Redis remembers them; None where likeness was not judged."""
    is_indexed: bool = False
    """Whether later documents may name it as the one that they are like."""
    likeness: Likened | None = None
    hints: Hints | None = None
    """What the sender said of the item beside `name` and the document's `url`; None where that is nothing."""


class OutcomeEntry(Wire):
    """An item that ends without an article: rejected, dead, withdrawn, or an empty container."""

    type: Literal["outcome"] = "outcome"
    job: JobRef
    item_id: str
    parent_id: str
    name: str | None
    outcome: Outcome
    code: str
    reason: str
    stage: Literal["read", "parse", "clean", "publish"]
    raw_sha256: Sha256 | None
    meta: Json | None
    trace: str | None = None
    hints: Hints | None = None
    """Of the job's item, so that it can be handed over again as it was."""
    withdrawal: Withdrawal | None = None
    """Of an item whose outcome is withdrawn: what is not to be shown."""


class Whose(BaseModel):
    """What every version of an item's entry has; the rest is not looked at."""

    job: JobRef
    item_id: Name
    parent_id: Name


class CloseEntry(Wire):
    """The last entry of a job: how many receipts it has. Zero is a total."""

    type: Literal["close"] = "close"
    job: JobRef
    total: int = Field(ge=0)


Entry = Annotated[ArticleEntry | OutcomeEntry | CloseEntry, Field(discriminator="type")]
_ENTRY: TypeAdapter[ArticleEntry | OutcomeEntry | CloseEntry] = TypeAdapter(Entry)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An entry to publish; `raw` rides along on the first entry of its item only."""

    entry: ArticleEntry | OutcomeEntry | CloseEntry
    raw: bytes | None = None
    sketch: bytes | None = None
    document: str | None = None
    """The UUID under which this entry is published once within its job."""
    epoch: str | None = None
    """Of the likeness index that it was judged by."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An entry as read: `payload` is kept so that one that cannot be decoded can still be dead-lettered."""

    stream_id: str
    payload: bytes
    raw: bytes | None
    """zlib-compressed, as it goes into its row."""
    deliveries: int = 1
    sketch: bytes | None = None
    epoch: str | None = None
    """Of the likeness index that it was judged by."""

    def decode(self) -> ArticleEntry | OutcomeEntry | CloseEntry:
        """Raises `RowRefused` when the payload is not an entry of this version."""
        try:
            return _ENTRY.validate_json(self.payload)
        except ValidationError as error:
            raise RowRefused(self.stream_id, str(error)[:2000]) from error

    def whose(self) -> Whose | None:
        """The item that an entry which cannot be decoded speaks of, where at least that can be read."""
        try:
            return Whose.model_validate_json(self.payload)
        except ValidationError:
            return None
