"""Reads `multipart/form-data` as it arrives: each file goes straight into the batch, nothing is kept."""

from __future__ import annotations

import os

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from copydesk.models import Hints
from services.api.batches import Batch
from services.api.bodies import check_document_type, media_type
from services.api.problems import Refused
from services.api.schemas import check_hint

HEADER_BYTES_MAX = 8 * 1024


class Files:
    """Feeds a parser whose parts are documents. Blocking: call it in a thread."""

    def __init__(self, content_type: str, batch: Batch) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise Refused(422, "invalid_multipart", "the Content-Type names no boundary")
        self._batch = batch
        self._name = bytearray()
        self._value = bytearray()
        self._headers: dict[str, str] = {}
        self._hints = Hints()
        self._is_whole = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._field,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._start,
                    "on_part_data": self._data,
                    "on_part_end": self._end,
                    "on_end": self._finish,
                },
            )
        except MultipartParseError as error:
            raise Refused(422, "invalid_multipart", str(error)) from error

    def feed(self, chunk: bytes) -> None:
        """Bytes of the body. Raises `Refused`."""
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise Refused(422, "invalid_multipart", f"not multipart/form-data: {error}") from error

    def close(self) -> None:
        """The body has ended. Raises `Refused` when its last boundary did not come."""
        if not self._is_whole:
            raise Refused(422, "invalid_multipart", "the last boundary is missing")

    def _begin(self) -> None:
        self._headers = {}

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]
        self._check_header()

    def _check_header(self) -> None:
        if len(self._name) + len(self._value) > HEADER_BYTES_MAX:
            raise Refused(422, "invalid_multipart", "a part's header is too long")

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._name.clear()
        self._value.clear()

    def _start(self) -> None:
        options = parse_options_header(self._headers.get("content-disposition", ""))[1]
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            raise Refused(422, "invalid_multipart", f"part {field[:100]!r} is no file: it has no filename")
        name = options[b"filename"].decode("utf-8", "replace")
        filename = os.path.basename(name.replace("\\", "/"))  # noqa: PTH119 - a name out of a header, not a path
        bare, charset = media_type(self._headers.get("content-type", ""))
        check_document_type(bare, f"file {filename[:100]!r}")
        try:
            check_hint("filename", filename)
        except ValueError as error:
            raise Refused(422, "invalid_document", str(error)) from error
        self._hints = Hints(filename=filename or None, media_type=bare, encoding=charset)
        self._batch.begin()

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._batch.write(data[start:end])

    def _end(self) -> None:
        self._batch.end(self._hints)

    def _finish(self) -> None:
        self._is_whole = True
