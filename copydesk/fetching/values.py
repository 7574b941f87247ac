"""What goes into a fetch and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server gave with a body, to ask later whether it is still the same."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one fetch: a body, or that there is none newer than the one we have."""

    url: str
    """Where the body was in the end, after redirects."""
    status: int
    is_modified: bool
    """False for an answer of 304; then there is no body, and the validators are those that came with it."""
    body: bytes
    """Decompressed."""
    sha256: str
    """Of the body: servers send new validators with old bodies, and no validators at all."""
    validators: Validators
    media_type: str | None
    charset: str | None
    fresh_for_s: float
    """How long the answer need not be asked for again, by its cache headers; 0 where they say nothing."""
    moved_to: str | None
    """Where every redirect up to there said that the address has moved for good; None where it has not."""
