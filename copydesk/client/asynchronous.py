"""The client for programs that run on asyncio; its methods are those of `Client`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
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


class AsyncClient:
    """Talks to one door, any number of calls at once. Every method may raise `ClientError`.

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
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.AsyncClient(base_url=url, headers=headers, transport=transport)
        self._patience_s = patience_s
        self._timeout_s = timeout_s

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def send(self, document: Document | str | bytes, *, source: str = "http") -> Accepted:
        """Hand a document over; it is on the door's disk when this returns."""
        return await self._ask(calls.send([_document(document)], source))

    async def send_many(
        self, documents: Iterable[Document | str | bytes], *, source: str = "http"
    ) -> AsyncIterator[Accepted]:
        """Hand any number over, some hundred a request, as the answers are taken."""
        for batch in calls.batches(map(_document, documents)):
            yield await self._ask(calls.send(batch, source))

    async def send_file(self, path: str | Path, *, source: str = "http", item_id: str | None = None) -> Accepted:
        """Hand a file of any format over as it is; it is read into memory. `item_id` is your id of this delivery."""
        file = Path(path)
        data = await asyncio.to_thread(file.read_bytes)
        return await self._ask(calls.send_file(data, file.name, source, item_id))

    async def store(self, *documents: Document | str | bytes, source: str = "http", wait_s: float = 30.0) -> Stored:
        """Hand documents over and wait for the commit. Raises `NotStoredYet` where it did not come in time."""
        return await self._ask(calls.store([_document(one) for one in documents], source, wait_s))

    async def item(self, item_id: str, *, source: str = "http") -> Settled | None:
        """How a document ended; None while it is on its way."""
        return await self._ask(calls.item(item_id, source))

    async def settled(
        self, item_id: str, *, source: str = "http", wait_s: float = 60.0, every_s: float = 0.5
    ) -> Settled:
        """How a document ended, once it has. Raises `NotStoredYet` where it has not in time."""
        give_up = time.monotonic() + wait_s
        while (found := await self.item(item_id, source=source)) is None:
            if time.monotonic() + every_s > give_up:
                raise NotStoredYet(item_id, f"not settled after {wait_s:g} s")
            await asyncio.sleep(every_s)
        return found

    async def article(self, article_id: str) -> Article:
        """The current revision of an article. Raises `ArticleDeleted`, `NotFound`."""
        return await self._ask(calls.article(article_id))

    async def raw(self, article_id: str) -> bytes:
        """Its input as it came."""
        return await self._ask(calls.raw(article_id))

    async def revisions(self, article_id: str) -> tuple[RevisionListed, ...]:
        """Its revisions, oldest first."""
        return await self._ask(calls.revisions(article_id))

    async def revision(self, article_id: str, number: int) -> Revision:
        """One of its revisions, whole."""
        return await self._ask(calls.revision(article_id, number))

    async def difference(self, article_id: str, before: int, after: int) -> Difference:
        """What changed between two of its revisions."""
        return await self._ask(calls.difference(article_id, before, after))

    async def sightings(self, article_id: str) -> tuple[Sighting, ...]:
        """Where else it was seen."""
        return await self._ask(calls.sightings(article_id))

    async def delete(self, article_id: str, reason: str) -> Tombstone:
        """Delete it for good; what comes of it again is not stored."""
        return await self._ask(calls.delete(article_id, reason))

    async def undelete(self, article_id: str) -> Tombstone:
        """Let what comes of it again be stored; its text is gone."""
        return await self._ask(calls.undelete(article_id))

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
    ) -> AsyncIterator[Listed]:
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
    ) -> AsyncIterator[Found]:
        """Articles by their words: the best 200, or all, newest first."""
        query = {"q": words, "source": source, "language": language, "order": order, "limit": PAGE}
        return self._rows(lambda at: calls.search({**query, "before": at}))

    async def changes(
        self,
        since: int = 0,
        *,
        source: str | None = None,
        language: str | None = None,
        follow: bool = False,
        every_s: float = 1.0,
    ) -> AsyncIterator[Changed | Gone]:
        """What changed behind a position, in order, and nothing missed: to go on later, keep the last `position`.

        Ends at the newest change; with `follow` it looks again every `every_s` seconds, without end.
        """
        query = {"source": source, "language": language, "limit": PAGE}
        while True:
            page = await self._ask(calls.changes(query, since))
            for row in page.rows:
                yield row
            if page.next is not None:
                since = page.next
            elif follow:
                await asyncio.sleep(every_s)
            else:
                return

    def dead(
        self,
        *,
        code: str | None = None,
        source: str | None = None,
        outcome: Literal["dead", "rejected"] | None = None,
        resolved: bool = False,
    ) -> AsyncIterator[Letter]:
        """Dead letters, newest first; `resolved` adds those that were dealt with."""
        query = {"code": code, "source": source, "outcome": outcome, "resolved": resolved, "limit": PAGE}
        return self._rows(lambda at: calls.dead({**query, "before": at}))

    async def causes(self) -> tuple[Cause, ...]:
        """Open letters by cause, that with the most first."""
        return await self._ask(calls.causes())

    async def replay(self, *ids: int, code: str | None = None, source: str | None = None) -> int:
        """Carry letters again: those named, or all open ones of a cause or source. Returns how many."""
        return await self._ask(calls.resolve("replay", {"ids": ids or None, "code": code, "source": source}))

    async def discard(self, *ids: int, reason: str, code: str | None = None, source: str | None = None) -> int:
        """Mark letters as dealt with; they stay, with the reason. Returns how many."""
        which = {"ids": ids or None, "code": code, "source": source, "reason": reason}
        return await self._ask(calls.resolve("discard", which))

    def stats(
        self, begin: datetime | None = None, end: datetime | None = None, *, source: str | None = None
    ) -> AsyncIterator[Counted]:
        """Items by hour, source and outcome: the last day, or up to 31 days."""
        query = {"begin": begin, "end": end, "source": source}
        return self._rows(lambda at: calls.stats({**query, "after": at}))

    async def _rows(self, page_at: Callable[[Any], Call[Page[T]]]) -> AsyncIterator[T]:
        at: Any = None
        while True:
            page = await self._ask(page_at(at))
            for row in page.rows:
                yield row
            if page.next is None:
                return
            at = page.next

    async def _ask(self, call: Call[T]) -> T:
        give_up = time.monotonic() + self._patience_s
        tries = 0
        while True:
            tries += 1
            try:
                answer = await self._http.request(
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
            await asyncio.sleep(pause_s)


def _document(given: Document | str | bytes) -> Document:
    return given if isinstance(given, Document) else Document(given)
