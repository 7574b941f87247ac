"""The parts of the HTTP door, put together, and how a request's documents become accepted."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from anyio import to_thread
from fastapi import Request

from copydesk.delivery import spool
from copydesk.delivery.spool import Spooled
from copydesk.errors import SpoolUnavailable
from copydesk.models import Hints, Json
from copydesk.queue.app import make_app
from copydesk.settings import Settings
from services.api import bodies
from services.api.access import Access
from services.api.batches import Batch, decoded, read_document
from services.api.bodies import Body, Lines
from services.api.database import Database
from services.api.grouping import SMALL_BYTES, GroupCommit
from services.api.memory import Acceptance, Index, Keys
from services.api.multipart import Files
from services.api.offering import Offering
from services.api.pressure import Pressure
from services.api.problems import Refused
from services.api.trials import Trials
from services.api.waiting import Waiting

log = structlog.get_logger(__name__)

# A file that was being written this long ago has no writer any more: no request lasts a day.
UNFINISHED_S = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request says of itself outside its body."""

    source: str
    hints: Hints
    key: str | None


class Door:
    """One process's door: its threads, its memory, and the spool."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        deadline_s = min(3.0, settings.database_deadline_s)
        self.database = Database(settings.postgres_url.get_secret_value(), deadline_s)
        # Where the door's own role may not write, another does what an administrator asks.
        operator_url = settings.postgres_operator_url or settings.postgres_url
        self.administration = Database(operator_url.get_secret_value(), deadline_s)
        self.index = Index(settings.spool)
        self.waiting = Waiting(settings.redis_url.get_secret_value(), self.database)
        self.pressure = Pressure(settings, self._keep_up)
        self.access = Access(self.database) if settings.http_keys == "required" else None
        self._keys = Keys()
        celery = make_app(settings)
        self.trials = Trials(settings.redis_url.get_secret_value(), celery)
        self._offering = Offering(settings.spool, celery)
        self._group = GroupCommit(settings.spool, settings.http_group_s, self._accepted)

    def start(self) -> None:
        """Begin, in the running event loop."""
        loop = asyncio.get_running_loop()
        try:
            spool.sweep_unfinished(self.settings.spool, older_than=time.time() - UNFINISHED_S)
            self.index.rebuild()
        except SpoolUnavailable as error:  # told by readyz; the door opens when the disk is back
            log.error("the spool cannot be read", error=str(error))
        self.pressure.start()
        if self.access:
            self.access.start()
        self._offering.start()
        self._group.start(loop)
        self.waiting.start(loop)

    def stop(self) -> None:
        """End: what is accepted is on disk, and offered as far as the queue takes it at once. Blocking."""
        self.waiting.stop()
        self._group.stop()
        self._offering.stop()
        self.pressure.stop()
        if self.access:
            self.access.stop()
        self.database.close()
        self.administration.close()

    async def take(self, request: Request, sender: Sender) -> Acceptance:
        """Read a request and put its documents on disk. Raises `Refused`, `SpoolUnavailable`, `ClientDisconnect`."""
        pressure = self.pressure.refusal()
        content_type = request.headers.get("content-type", "")
        bare, _ = bodies.media_type(content_type)
        is_many = bare in (bodies.NDJSON, bodies.MULTIPART)
        settings = self.settings
        limit = settings.http_request_bytes_max if is_many else settings.document_bytes_max
        body = Body(request, limit=limit, idle_s=settings.http_idle_s)
        try:
            if pressure:
                raise pressure
            if request.headers.get("content-encoding", "identity").lower() != "identity":
                raise Refused(415, "unsupported_content_encoding", "the body must come without Content-Encoding")
            if bare == bodies.NDJSON:
                return await self._take_lines(body, sender)
            if bare == bodies.MULTIPART:
                return await self._take_files(body, sender, content_type)
            if bare == bodies.JSON:
                return await self._take_json(body, sender)
            return await self._take_raw(body, sender, content_type)
        except (Refused, SpoolUnavailable):
            await body.drain()
            raise

    async def _take_raw(self, body: Body, sender: Sender, content_type: str) -> Acceptance:
        bare, charset = bodies.media_type(content_type)
        bodies.check_document_type(bare, "the body")
        hints = sender.hints.model_copy(update={"media_type": bare, "encoding": charset})
        chunks = body.chunks()
        start = bytearray()
        async for chunk in chunks:
            start += chunk
            if len(start) > SMALL_BYTES:
                break
        else:
            if not start:
                raise Refused(422, "empty", "the body is empty")
            return await self._take_small(sender, sender.key, bytes(start), hints, None)
        with self._batch(sender) as batch:
            await to_thread.run_sync(_begin, batch, sender.key, bytes(start))
            async for chunk in chunks:
                await to_thread.run_sync(batch.write, chunk)
            batch.end(hints)
            return await self._publish(batch, sender)

    async def _take_json(self, body: Body, sender: Sender) -> Acceptance:
        text = await body.whole()
        # In a thread, where parsing would hold up others.
        document = await to_thread.run_sync(read_document, text, "the body") if len(text) > SMALL_BYTES else None
        document = document or read_document(text, "the body")
        data = decoded(document, "the body")
        given = document.hints.model_dump(exclude_none=True)
        hints = Hints(**{**sender.hints.model_dump(exclude_none=True), **given})
        item_id = document.id or sender.key
        if len(data) <= SMALL_BYTES:
            return await self._take_small(sender, item_id, data, hints, document.meta)
        with self._batch(sender) as batch:
            await to_thread.run_sync(_begin, batch, item_id, data)
            batch.end(hints, document.meta)
            return await self._publish(batch, sender)

    async def _take_lines(self, body: Body, sender: Sender) -> Acceptance:
        lines = Lines(self.settings.document_bytes_max)
        with self._batch(sender) as batch:
            async for chunk in body.chunks():
                await to_thread.run_sync(batch.add_lines, lines.feed(chunk))
            await to_thread.run_sync(batch.add_lines, lines.end())
            return await self._publish(batch, sender)

    async def _take_files(self, body: Body, sender: Sender, content_type: str) -> Acceptance:
        with self._batch(sender) as batch:
            files = Files(content_type, batch)
            async for chunk in body.chunks():
                await to_thread.run_sync(files.feed, chunk)
            files.close()
            return await self._publish(batch, sender)

    async def _take_small(
        self, sender: Sender, item_id: str | None, data: bytes, hints: Hints, meta: Json | None
    ) -> Acceptance:
        digest = hashlib.sha256(data).hexdigest()

        async def accept() -> Acceptance:
            spooled, own_id = await self._group.accept(
                source=sender.source, item_id=item_id, data=data, sha256=digest, hints=hints, meta=meta
            )
            return Acceptance(sender.source, ((own_id, spooled.id),))

        return await self._keys.once(sender.source, sender.key, f"{item_id}\n{digest}", accept)

    async def _publish(self, batch: Batch, sender: Sender) -> Acceptance:
        async def accept() -> Acceptance:
            jobs = await to_thread.run_sync(batch.publish)
            self._accepted(jobs)
            return Acceptance(sender.source, tuple((item.id, job.id) for job in jobs for item in job.items))

        return await self._keys.once(sender.source, sender.key, batch.fingerprint, accept)

    def _batch(self, sender: Sender) -> Batch:
        return Batch(
            self.settings.spool,
            source=sender.source,
            key=sender.key,
            document_bytes_max=self.settings.document_bytes_max,
            items_max=self.settings.http_items_max,
        )

    def _accepted(self, jobs: Sequence[Spooled]) -> None:
        self.index.add(jobs)
        self._offering.add(jobs)

    def _keep_up(self) -> None:
        try:
            self.index.prune()
        except SpoolUnavailable as error:
            log.warning("the spool cannot be listed", error=str(error))


def _begin(batch: Batch, item_id: str | None, data: bytes) -> None:
    batch.begin(item_id)
    batch.write(data)
