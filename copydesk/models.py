"""The values that stand between the stages: raw item, parsed, cleaned, document, verdict.

In-process values are frozen dataclasses; what crosses a process border is a frozen pydantic model that refuses
unknown fields. No behaviour beyond small derivations lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from copydesk.errors import InputError


class Outcome(StrEnum):
    """How an item ended; each accepted item has exactly one (docs/promises.md)."""

    STORED = "stored"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    WITHDRAWN = "withdrawn"
    SUPPRESSED = "suppressed"
    REJECTED = "rejected"
    DEAD = "dead"


class Status(StrEnum):
    """What the sender of an item allows to be done with it; the names are IPTC's."""

    USABLE = "usable"
    WITHHELD = "withheld"
    """Not to be shown until a newer version is usable."""
    CANCELED = "canceled"
    """Not to be shown any more, in any version."""


class PieceClass(StrEnum):
    """What a line, or a piece of one, is. All but TITLE and BODY are removed from the story."""

    TITLE = "title"
    BODY = "body"
    SECTION = "section"
    METADATA = "metadata"
    RIGHTS = "rights"
    CAPTION = "caption"
    CORRECTION = "correction"
    DROPPED = "dropped"


class Wire(BaseModel):
    """Base of everything that is written to Redis or sent by a client: frozen, unknown fields refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


PagePart = Literal["body", "title", "author", "date", "drop"]
"""What CSS selectors can be given for (`Hints.page`, `[page]` of a source)."""

Selectors = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=500)]], Field(max_length=20)]


class Hints(Wire):
    """What the sender knows about an item. Explicit structure inside the item wins over a hint."""

    filename: str | None = None
    media_type: str | None = None
    encoding: str | None = None
    url: str | None = None
    document_id: str | None = None
    """The sender's lasting id of the document whose versions it sends; a changed text under it is a revision."""
    title: str | None = None
    language: str | None = None
    published_at: str | None = None
    """ISO 8601."""
    zone: str | None = None
    """IANA name of the time zone that the item's times without one are in."""
    fields: dict[str, str] | None = None
    """For JSON and CSV documents: which of their columns is our `title`, `text`, … (docs/formats.md)."""
    page: dict[PagePart, Selectors] | None = None
    """For pages: CSS selectors of their `body`, `title`, `author`, `date`, and of what to `drop` (docs/cleaning.md)."""


# Two names and what is added to them stand in one index row, of which Postgres takes 2,704 bytes.
NAME_BYTES_MAX = 1000


def _fits_an_index(name: str) -> str:
    if len(name.encode("utf-8", "surrogatepass")) > NAME_BYTES_MAX:
        raise ValueError(f"longer than {NAME_BYTES_MAX} bytes in UTF-8")
    return name


def _in_utc(moment: datetime) -> datetime:
    # Postgres takes offsets of up to 15:59 hours and years that datetime does not have; UTC since 1970 suits both.
    if not 1970 <= moment.year <= 9000:
        raise ValueError("the year is not between 1970 and 9000")
    return moment.astimezone(UTC)


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]+$"),
    AfterValidator(_fits_an_index),
]
"""An id or a source: no control characters, at most 500 characters and 1,000 bytes."""

Label = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
"""A text for people that Postgres takes: without NUL."""

Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A time with an offset, kept in UTC."""


class Span(Wire):
    """A place in the decoded input: physical lines counted from 1, and character offsets within them.

    `start` counts in line `line`, `end` in line `end_line` (exclusive); both refer to the line as it stood,
    before white space was normalised. A whole line has start 0 and end its length.
    """

    line: int
    start: int
    end_line: int
    end: int


class Piece(Wire):
    """One line or piece of the input, what it is, and the rule that said so."""

    span: Span
    kind: PieceClass
    rule: str
    """`recogniser/rule` as `copydesk clean --explain` prints it."""
    text: str
    """The text as it stood in the input, only trimmed."""


@dataclass(frozen=True, slots=True)
class Line:
    """One physical line of the decoded input, with the layout facts that recognisers look at."""

    number: int
    """Counted from 1 in the decoded input."""
    text: str
    """As it stood, without its line break."""
    role: str = ""
    """What the markup said the line is (`h1`, `figcaption`, `li`, …); empty for plain text."""
    blank_before: int = 0
    """How many blank lines stand before it."""


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as a door accepted it."""

    data: bytes
    source: str
    """The configured sender, e.g. the inbox folder; not the publisher."""
    received_at: datetime
    hints: Hints = field(default_factory=Hints)


FIELD_NAMES = ("authors", "id", "language", "published", "source", "text", "title", "updated", "url")
"""What a map of columns can name (`Hints.fields`, `[fields]` of a source)."""


@dataclass(frozen=True, slots=True)
class Fields:
    """What explicit structure (a feed entry, a page's metadata) says about an article."""

    title: str | None = None
    section: str | None = None
    published_at: str | None = None
    """ISO 8601 with offset, or without where the zone is unknown, or a bare date."""
    updated_at: str | None = None
    publisher: str | None = None
    authors: tuple[str, ...] = ()
    language: str | None = None
    url: str | None = None
    guid: str | None = None
    rights: tuple[str, ...] = ()
    version: str | None = None
    """The sender's number of this version of `guid`."""
    replaces: str | None = None
    """The guid of another item that this one corrects."""
    byline: str | None = None
    """As written; the names in it are cleaning's to find where `authors` is empty."""
    dateline: str | None = None
    captions: tuple[str, ...] = ()
    corrections: tuple[str, ...] = ()
    embargo_until: str | None = None
    """ISO 8601 in UTC: not to be shown before."""
    details: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What else the sender states, by the names in docs/formats.md."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One article candidate as a format parser read it; a feed gives several."""

    format: str
    lines: tuple[Line, ...]
    fields: Fields = field(default_factory=Fields)
    key: str | None = None
    """Its name within its container (a feed entry's guid or link, a member), None where the item is the document."""
    is_position: bool = False
    """True where `key` only says where it stood (a line, a member): no name under which it can be met again."""
    alias: str | None = None
    """A second identity within the source, weaker than `key`: what stays when a site changes its host name."""
    name: str | None = None
    """Its own file name, where it came out of an archive."""
    raw: bytes = b""
    """The bytes that this candidate alone came from; a change of them alone makes the item changed."""
    encoding: str | None = None
    """Python codec name that the bytes were decoded with."""
    warnings: tuple[str, ...] = ()
    kind: str = ""
    """What the item says that it is (`text`, `picture`, `event`, …); empty where its format does not say."""
    status: Status = Status.USABLE
    reason: str = ""
    """Why, by its own word, it is no article or not to be shown; empty for an article."""
    error: InputError | None = None
    """Why it alone cannot be read, where the rest of its container can."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What cleaning made of one candidate. `pieces` accounts for every non-empty line, in reading order."""

    is_article: bool
    language: str | None
    title: str | None
    section: str | None
    published_at: str | None
    zone_unknown: bool
    """True exactly when `published_at` has a clock time and no offset."""
    updated_at: str | None
    publisher: str | None
    authors: tuple[str, ...]
    credits: dict[str, tuple[str, ...]]
    """Keys: editors, producers, photographers, translators, contributors; only those present."""
    dateline: str | None
    rights: tuple[str, ...]
    captions: tuple[str, ...]
    corrections: tuple[str, ...]
    body: tuple[str, ...]
    pieces: tuple[Piece, ...]
    warnings: tuple[str, ...] = ()
    reason: str | None = None
    """Why it is no article, None for articles."""

    @property
    def removed(self) -> tuple[Piece, ...]:
        """Every piece that is not in the title or the body."""
        return tuple(p for p in self.pieces if p.kind not in (PieceClass.TITLE, PieceClass.BODY))


KeyKind = Literal["item", "document", "guid", "url", "name", "text"]


class IdentityKey(Wire):
    """One name under which a document can be met again."""

    kind: KeyKind
    """`item`: the id that the sender gave this one delivery; `document`: its lasting id of the document;
    `text`: the letters and digits of the text. All but `text` count within one source."""
    value: str


class Withdrawal(Wire):
    """A sender's word that an item is not to be shown, any more or for now."""

    keys: tuple[IdentityKey, ...]
    """The names of the item; there is at least one."""
    is_final: bool
    """True for one that no later version ends."""
    version: str | None
    """The version that it speaks of; a higher one ends it unless it is final."""
    reason: str


class Document(Wire):
    """A cleaned article as it travels through the stream to its row."""

    format: str
    url: str | None
    guid: str | None
    language: str | None
    title: str | None
    section: str | None
    published_at: str | None
    zone_unknown: bool
    updated_at: str | None
    publisher: str | None
    authors: tuple[str, ...]
    credits: dict[str, tuple[str, ...]]
    dateline: str | None
    rights: tuple[str, ...]
    captions: tuple[str, ...]
    corrections: tuple[str, ...]
    body: tuple[str, ...]
    pieces: tuple[Piece, ...]
    encoding: str | None
    warnings: tuple[str, ...]
    rules_version: str
    """Version of the lexicons and profiles that cleaned it."""
    item_sha256: str
    """Of the bytes that this article alone came from: equal means the sender changed nothing."""
    content_sha256: str
    """Of everything that cleaning found: equal means that a change of the bytes changed nothing for a reader."""
    keys: tuple[IdentityKey, ...]
    version: str | None = None
    """The sender's number of this version of `guid`."""
    embargo_until: Moment | None = None
    """Not to be shown before."""
    details: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What else the sender states, by the names in docs/formats.md."""


class Likened(Wire):
    """What a document was found to be to an earlier one, before either is stored."""

    relation: Literal["near", "contained-in", "contains"]
    """Of this document to the earlier one: `contains` means that this is the longer version."""
    document: str
    """The earlier document; the article it became is known to Postgres, or will be."""
    scores: dict[str, float]
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """What Postgres holds under an identity key, as far as a verdict needs it."""

    article_id: str
    owned: bool
    """False where the key was met on a duplicate: a change under it is no revision of this article."""
    item_sha256: str
    """Of what was last seen under this key."""
    content_sha256: str
    """Of the article's current revision."""
    received_at: datetime
    """When the current revision was received."""
    title: str | None = None
    body: tuple[str, ...] = ()
    version: str | None = None
    """The sender's number of the current revision."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a new document is in the light of what is stored, and why."""

    outcome: Outcome
    article_id: str | None
    """The stored article it belongs to; None for a new one or a rejected one."""
    reason: str
    code: str = ""
    """The error code of a rejection."""
    is_current: bool = True
    """False for a revision that is older than the one in place."""
    scores: dict[str, float] = field(default_factory=dict)
    relation: str = "exact"
    """Of a duplicate to its article."""
    cluster_id: str | None = None
    """Of a new article: the story that it is a version of; None for a story of its own."""


Json = dict[str, Any]
