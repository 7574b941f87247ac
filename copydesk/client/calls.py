"""Every call of the client as a value: what is asked, and what its answer means. Pure; the clients send it."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from copydesk.client.values import (
    Accepted,
    Article,
    Cause,
    Changed,
    Counted,
    Difference,
    Document,
    Found,
    Gone,
    Letter,
    Listed,
    Revision,
    RevisionListed,
    Settled,
    Sighting,
    Stored,
    Tombstone,
)

T = TypeVar("T")
U = TypeVar("U")

# Of one request: the door takes 10,000 documents and 64 MiB, and what is sent again after an error is all of it.
BATCH_DOCUMENTS = 500
BATCH_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request and how its answer is read. Each may be repeated: what is sent twice is stored once."""

    method: str
    path: str
    read: Callable[[bytes], T]
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    wait_s: float = 0.0
    """For how long the door may hold the answer back."""

    def parameters(self) -> dict[str, Any]:
        """The query as an address has it; None is left out, times are ISO 8601."""
        return {
            name: value.isoformat() if hasattr(value, "isoformat") else value
            for name, value in self.query.items()
            if value is not None
        }


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, and where it goes on; None is the end."""

    rows: Sequence[T]
    next: Any


def batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in runs that suit one request."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        if batch and (len(batch) == BATCH_DOCUMENTS or size + len(document.body) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(document)
        size += len(document.body)
    if batch:
        yield batch


def send(documents: Sequence[Document], source: str) -> Call[Accepted]:
    """Hand documents over; a key of our own makes it safe to repeat."""
    return _documents(documents, source, {}, Accepted)


def store(documents: Sequence[Document], source: str, timeout_s: float) -> Call[Stored]:
    """Hand documents over and wait for the commit."""
    call = _documents(documents, source, {"wait": "stored", "timeout": timeout_s}, Stored)
    return replace(call, wait_s=timeout_s)


def send_file(data: bytes, name: str, source: str, item_id: str | None) -> Call[Accepted]:
    """Hand a file over as it is; what it is, is told by its name and content."""
    return Call(
        "POST",
        "/v1/documents",
        _reader(Accepted),
        {"source": source, "filename": name},
        {"Content-Type": "application/octet-stream", "Idempotency-Key": _key(item_id)},
        data,
    )


def item(item_id: str, source: str) -> Call[Settled | None]:
    """How a document ended; None while it is on its way."""

    def read(body: bytes) -> Settled | None:
        return Settled.model_validate_json(body) if json.loads(body)["state"] == "settled" else None

    return Call("GET", f"/v1/items/{quote(item_id, safe='/')}", read, {"source": source})


def article(article_id: str) -> Call[Article]:
    """The current revision of an article."""
    return Call("GET", _of(article_id), _reader(Article))


def raw(article_id: str) -> Call[bytes]:
    """Its input as it came."""
    return Call("GET", f"{_of(article_id)}/raw", bytes)


def revisions(article_id: str) -> Call[tuple[RevisionListed, ...]]:
    """Its revisions, oldest first."""
    return Call("GET", f"{_of(article_id)}/revisions", _list("revisions", RevisionListed))


def revision(article_id: str, number: int) -> Call[Revision]:
    """One of its revisions."""
    return Call("GET", f"{_of(article_id)}/revisions/{number}", _reader(Revision))


def difference(article_id: str, before: int, after: int) -> Call[Difference]:
    """What changed between two of them."""
    return Call("GET", f"{_of(article_id)}/diff", _reader(Difference), {"before": before, "after": after})


def sightings(article_id: str) -> Call[tuple[Sighting, ...]]:
    """Where else it was seen."""
    return Call("GET", f"{_of(article_id)}/sightings", _list("sightings", Sighting))


def delete(article_id: str, reason: str) -> Call[Tombstone]:
    """Delete it for good."""
    return Call("DELETE", _of(article_id), _reader(Tombstone), {"reason": reason})


def undelete(article_id: str) -> Call[Tombstone]:
    """Let what comes of it again be stored."""
    return Call("DELETE", f"{_of(article_id)}/deletion", _reader(Tombstone))


def articles(query: Mapping[str, Any]) -> Call[Page[Listed]]:
    """A page of articles, newest first."""
    return Call("GET", "/v1/articles", _page("articles", Listed), query)


def search(query: Mapping[str, Any]) -> Call[Page[Found]]:
    """A page of what is found."""
    return Call("GET", "/v1/search", _page("articles", Found), query)


def changes(query: Mapping[str, Any], since: int) -> Call[Page[Changed | Gone]]:
    """The changes behind a position, in their order."""

    def read(body: bytes) -> Page[Changed | Gone]:
        told = json.loads(body)
        listed = [Listed.model_validate_json(json.dumps(row)) for row in told["articles"]]
        rows: list[Changed | Gone] = [Changed(row.position or 0, row) for row in listed]
        rows += [Gone.model_validate_json(json.dumps(row)) for row in told["gone"]]
        return Page(sorted(rows, key=lambda row: row.position), told["next"] if told["next"] > since else None)

    return Call("GET", "/v1/articles", read, {**query, "changed_since": since})


def dead(query: Mapping[str, Any]) -> Call[Page[Letter]]:
    """A page of dead letters."""
    return Call("GET", "/v1/dead", _page("letters", Letter), query)


def causes() -> Call[tuple[Cause, ...]]:
    """Open letters by cause."""
    return Call("GET", "/v1/dead/causes", _list("causes", Cause))


def resolve(what: str, which: Mapping[str, Any]) -> Call[int]:
    """`replay` or `discard` letters; how many they were."""
    content = json.dumps({name: value for name, value in which.items() if value is not None}).encode()
    headers = {"Content-Type": "application/json"}
    return Call("POST", f"/v1/dead/{what}", lambda body: int(json.loads(body)["letters"]), {}, headers, content)


def stats(query: Mapping[str, Any]) -> Call[Page[Counted]]:
    """A page of counts."""
    return Call("GET", "/v1/stats", _page("counts", Counted), query)


def _documents(documents: Sequence[Document], source: str, query: Mapping[str, Any], kind: type[U]) -> Call[U]:
    content = b"".join(_line(document) for document in documents)
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": _key(None)}
    return Call("POST", "/v1/documents", _reader(kind), {"source": source, **query}, headers, content)


def _line(document: Document) -> bytes:
    is_text = isinstance(document.body, str)
    body = document.body if isinstance(document.body, str) else base64.b64encode(document.body).decode()
    said = {
        "id": document.id,
        "body" if is_text else "body_base64": body,
        "hints": document.hints and document.hints.model_dump(mode="json", exclude_none=True),
        "meta": None if document.meta is None else dict(document.meta),
    }
    return json.dumps({name: value for name, value in said.items() if value is not None}).encode() + b"\n"


def _key(item_id: str | None) -> str:
    return item_id or uuid.uuid4().hex


def _of(article_id: str) -> str:
    return f"/v1/articles/{quote(article_id, safe='')}"


def _reader(kind: type[U]) -> Callable[[bytes], U]:
    return TypeAdapter(kind).validate_json


def _list(name: str, kind: type[U]) -> Callable[[bytes], tuple[U, ...]]:
    whole: TypeAdapter[dict[str, tuple[U, ...]]] = TypeAdapter(dict[str, tuple[kind, ...]])  # type: ignore[valid-type]  # a type given as a value
    return lambda body: whole.validate_json(body)[name]


def _page(name: str, kind: type[U]) -> Callable[[bytes], Page[U]]:
    rows: TypeAdapter[tuple[U, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]  # as above

    def read(body: bytes) -> Page[U]:
        told = json.loads(body)
        return Page(rows.validate_json(json.dumps(told[name])), told["next"])

    return read
