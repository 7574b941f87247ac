"""The client that waits: one call after the other, from any number of threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from copydesk.client import answers, calls
from copydesk.client.calls import Call, Page
from copydesk.client.errors import DoorUnavailable, NotStoredYet
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

PAGE = 200


class Client:
    """Talks to one door. Every method may raise `ClientError`.

    What finds the door away or too full is asked again, after as long as it says, for up to `patience_s` seconds; that
    is safe, since what is sent twice is stored once. `timeout_s` is for one answer.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        patience_s: float = 60.0,
        timeout_s: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, transport=transport)
        self._patience_s = patience_s
        self._timeout_s = timeout_s

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, document: Document | str | bytes, *, source: str = "http") -> Accepted:
        """Hand a document over; it is on the door's disk when this returns."""
        return self._ask(calls.send([_document(document)], source))

    def send_many(self, documents: Iterable[Document | str | bytes], *, source: str = "http") -> Iterator[Accepted]:
        """Hand any number over, some hundred a request, as the answers are taken."""
        for batch in calls.batches(map(_document, documents)):
            yield self._ask(calls.send(batch, source))

    def send_file(self, path: str | Path, *, source: str = "http", item_id: str | None = None) -> Accepted:
        """Hand a file of any format over as it is; it is read into memory. `item_id` is your id of this delivery."""
        file = Path(path)
        return self._ask(calls.send_file(file.read_bytes(), file.name, source, item_id))

    def store(self, *documents: Document | str | bytes, source: str = "http", wait_s: float = 30.0) -> Stored:
        """Hand documents over and wait for the commit. Raises `NotStoredYet` where it did not come in time."""
        return self._ask(calls.store([_document(one) for one in documents], source, wait_s))

    def item(self, item_id: str, *, source: str = "http") -> Settled | None:
        """How a document ended; None while it is on its way."""
        return self._ask(calls.item(item_id, source))

    def settled(self, item_id: str, *, source: str = "http", wait_s: float = 60.0, every_s: float = 0.5) -> Settled:
        """How a document ended, once it has. Raises `NotStoredYet` where it has not in time."""
        give_up = time.monotonic() + wait_s
        while (found := self.item(item_id, source=source)) is None:
            if time.monotonic() + every_s > give_up:
                raise NotStoredYet(item_id, f"not settled after {wait_s:g} s")
            time.sleep(every_s)
        return found

    def article(self, article_id: str) -> Article:
        """The current revision of an article. Raises `ArticleDeleted`, `NotFound`."""
        return self._ask(calls.article(article_id))

    def raw(self, article_id: str) -> bytes:
        """Its input as it came."""
        return self._ask(calls.raw(article_id))

    def revisions(self, article_id: str) -> tuple[RevisionListed, ...]:
        """Its revisions, oldest first."""
        return self._ask(calls.revisions(article_id))

    def revision(self, article_id: str, number: int) -> Revision:
        """One of its revisions, whole."""
        return self._ask(calls.revision(article_id, number))

    def difference(self, article_id: str, before: int, after: int) -> Difference:
        """What changed between two of its revisions."""
        return self._ask(calls.difference(article_id, before, after))

    def sightings(self, article_id: str) -> tuple[Sighting, ...]:
        """Where else it was seen."""
        return self._ask(calls.sightings(article_id))

    def delete(self, article_id: str, reason: str) -> Tombstone:
        """Delete it for good; what comes of it again is not stored."""
        return self._ask(calls.delete(article_id, reason))

    def undelete(self, article_id: str) -> Tombstone:
        """Let what comes of it again be stored; its text is gone."""
        return self._ask(calls.undelete(article_id))

    def articles(
        self,
        *,
        source: str | None = None,
        language: str | None = None,
        publisher: str | None = None,
        url: str | None = None,
        published_from: datetime | None = None,
        published_to: datetime | None = None,
        received_from: datetime | None = None,
        received_to: datetime | None = None,
    ) -> Iterator[Listed]:
        """Articles, newest first, page by page as they are taken."""
        query = {
            "source": source,
            "language": language,
            "publisher": publisher,
            "url": url,
            "published_from": published_from,
            "published_to": published_to,
            "received_from": received_from,
            "received_to": received_to,
            "limit": PAGE,
        }
        return self._rows(lambda at: calls.articles({**query, "before": at}))

    def search(
        self,
        words: str,
        *,
        source: str | None = None,
        language: str | None = None,
        order: Literal["relevance", "newest"] = "relevance",
    ) -> Iterator[Found]:
        """Articles by their words: the best 200, or all, newest first."""
        query = {"q": words, "source": source, "language": language, "order": order, "limit": PAGE}
        return self._rows(lambda at: calls.search({**query, "before": at}))

    def changes(
        self,
        since: int = 0,
        *,
        source: str | None = None,
        language: str | None = None,
        follow: bool = False,
        every_s: float = 1.0,
    ) -> Iterator[Changed | Gone]:
        """What changed behind a position, in order, and nothing missed: to go on later, keep the last `position`.

        Ends at the newest change; with `follow` it looks again every `every_s` seconds, without end.
        """
        query = {"source": source, "language": language, "limit": PAGE}
        while True:
            page = self._ask(calls.changes(query, since))
            yield from page.rows
            if page.next is not None:
                since = page.next
            elif follow:
                time.sleep(every_s)
            else:
                return

    def dead(
        self,
        *,
        code: str | None = None,
        source: str | None = None,
        outcome: Literal["dead", "rejected"] | None = None,
        resolved: bool = False,
    ) -> Iterator[Letter]:
        """Dead letters, newest first; `resolved` adds those that were dealt with."""
        query = {"code": code, "source": source, "outcome": outcome, "resolved": resolved, "limit": PAGE}
        return self._rows(lambda at: calls.dead({**query, "before": at}))

    def causes(self) -> tuple[Cause, ...]:
        """Open letters by cause, that with the most first."""
        return self._ask(calls.causes())

    def replay(self, *ids: int, code: str | None = None, source: str | None = None) -> int:
        """Carry letters again: those named, or all open ones of a cause or source. Returns how many."""
        return self._ask(calls.resolve("replay", {"ids": ids or None, "code": code, "source": source}))

    def discard(self, *ids: int, reason: str, code: str | None = None, source: str | None = None) -> int:
        """Mark letters as dealt with; they stay, with the reason. Returns how many."""
        which = {"ids": ids or None, "code": code, "source": source, "reason": reason}
        return self._ask(calls.resolve("discard", which))

    def stats(
        self, begin: datetime | None = None, end: datetime | None = None, *, source: str | None = None
    ) -> Iterator[Counted]:
        """Items by hour, source and outcome: the last day, or up to 31 days."""
        query = {"begin": begin, "end": end, "source": source}
        return self._rows(lambda at: calls.stats({**query, "after": at}))

    def _rows(self, page_at: Callable[[Any], Call[Page[T]]]) -> Iterator[T]:
        at: Any = None
        while True:
            page = self._ask(page_at(at))
            yield from page.rows
            if page.next is None:
                return
            at = page.next

    def _ask(self, call: Call[T]) -> T:
        give_up = time.monotonic() + self._patience_s
        tries = 0
        while True:
            tries += 1
            try:
                answer = self._http.request(
                    call.method,
                    call.path,
                    params=call.parameters(),
                    headers=dict(call.headers),
                    content=call.content,
                    timeout=self._timeout_s + call.wait_s,
                )
                return answers.read(call, answer.status_code, answer.content)
            except httpx.TransportError as error:
                failure, retry_after = answers.unreachable(call, error), None
            except DoorUnavailable as error:
                failure, retry_after = error, answer.headers.get("retry-after")
            pause_s = answers.pause_s(tries, retry_after)
            if time.monotonic() + pause_s > give_up:
                raise failure
            time.sleep(pause_s)


def _document(given: Document | str | bytes) -> Document:
    return given if isinstance(given, Document) else Document(given)
