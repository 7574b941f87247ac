"""One request of its own jobs on its way into the spool: everything of it becomes accepted, or nothing."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import ValidationError

from copydesk.delivery import spool
from copydesk.delivery.spool import Spooled, SpoolWriter
from copydesk.models import Hints, Json
from copydesk.queue.jobs import ITEMS_MAX, new_id
from services.api.problems import Refused, too_large
from services.api.schemas import DocumentIn

# Together with ITEMS_MAX what one job holds: about a second of work for one ingest worker.
JOB_BYTES = 4 * 1024 * 1024


class Batch:
    """Streams documents into spool files of at most `ITEMS_MAX` documents each. Blocking: call it in a thread.

    A context manager: what was not published when it ends is gone. Ids are the sender's, else `<prefix>/<number>`.
    """

    def __init__(self, folder: Path, *, source: str, key: str | None, document_bytes_max: int, items_max: int) -> None:
        self._folder = folder
        self._source = source
        self._prefix = key or new_id()
        self._document_bytes_max = document_bytes_max
        self._items_max = items_max
        self._received_at = datetime.now(UTC)
        self._stack = contextlib.ExitStack()
        self._writer: SpoolWriter | None = None
        self._in_job: set[str] = set()
        self._sealed: list[tuple[SpoolWriter, Spooled]] = []
        self._count = 0
        self._item_id = ""
        self._size = 0
        self._digest = hashlib.sha256()
        self._prints = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def fingerprint(self) -> str:
        """Tells this request's documents from any other's: their ids and bytes, in order."""
        return self._prints.hexdigest()

    @property
    def prefix(self) -> str:
        """What ids begin with that the sender did not choose."""
        return self._prefix

    def begin(self, item_id: str | None = None) -> None:
        """The next document begins. Raises `Refused` when there are too many."""
        if self._count >= self._items_max:
            raise Refused(413, "too_many", f"more than {self._items_max:,} documents", limit=self._items_max)
        self._item_id = item_id or f"{self._prefix}/{self._count}"
        writer = self._writer
        if writer and (writer.items >= ITEMS_MAX or writer.size >= JOB_BYTES or self._item_id in self._in_job):
            self._seal()
        if self._writer is None:
            self._writer = self._stack.enter_context(SpoolWriter(self._folder, new_id()))
        self._size = 0
        self._digest = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append to the document. Raises `Refused` above its limit."""
        self._size += len(chunk)
        if self._size > self._document_bytes_max:
            raise too_large(f"document {self._count + 1}", self._document_bytes_max)
        self._digest.update(chunk)
        assert self._writer is not None  # noqa: S101 - `begin` made it
        self._writer.write(chunk)

    def end(self, hints: Hints, meta: Json | None = None) -> None:
        """The document is whole. Raises `Refused` when it is empty."""
        if not self._size:
            raise Refused(422, "empty", f"document {self._count + 1} is empty")
        assert self._writer is not None  # noqa: S101 - `begin` made it
        digest = self._digest.hexdigest()
        self._writer.end_item(self._item_id, digest, hints, meta)
        self._prints.update(f"{self._item_id}\n{digest}\n".encode())
        self._in_job.add(self._item_id)
        self._count += 1

    def add(self, document: DocumentIn, what: str) -> None:
        """A document that is in memory. Raises `Refused`."""
        data = decoded(document, what)
        self.begin(document.id)
        self.write(data)
        self.end(document.hints, document.meta)

    def add_lines(self, lines: list[tuple[int, bytes]]) -> None:
        """Documents as numbered lines of JSON. Raises `Refused` that names the line."""
        for number, line in lines:
            self.add(read_document(line, f"line {number}", line=number), f"line {number}")

    def publish(self) -> list[Spooled]:
        """Make all of it accepted. Raises `Refused` when there is nothing, `SpoolUnavailable`."""
        if self._writer:
            self._seal()
        if not self._sealed:
            raise Refused(422, "empty", "the request holds no document")
        spool.publish([writer for writer, _ in self._sealed])
        return [spooled for _, spooled in self._sealed]

    def _seal(self) -> None:
        if self._writer:
            spooled = self._writer.seal(source=self._source, kind="http", origin=None, received_at=self._received_at)
            self._sealed.append((self._writer, spooled))
        self._writer = None
        self._in_job.clear()


def read_document(data: bytes, what: str, line: int | None = None) -> DocumentIn:
    """One JSON document. Raises `Refused` that lists every fault."""
    try:
        return DocumentIn.model_validate_json(data)
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" if fault["loc"] else fault["msg"]
            for fault in error.errors()
        ]
        where: Json = {} if line is None else {"line": line}
        raise Refused(422, "invalid_document", f"{what}: {'; '.join(faults)}", errors=faults, **where) from error


def decoded(document: DocumentIn, what: str) -> bytes:
    """The bytes of a JSON document. Raises `Refused`."""
    try:
        data = document.data()
    except ValueError as error:
        raise Refused(422, "invalid_document", f"{what}: {error}") from error
    if not data:
        raise Refused(422, "empty", f"{what} is empty")
    return data
