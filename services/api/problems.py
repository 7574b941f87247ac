"""Every refusal of the HTTP door as RFC 9457 `application/problem+json`, the framework's own ones too."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from copydesk.errors import DatabaseUnavailable, RowRefused, SpoolUnavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"

# `type` names the problem for programs; it is no address.
TYPE_PREFIX = "urn:copydesk:problem:"

RETRY_S = 5


class Refused(Exception):
    """A request is not taken. Raised anywhere below a route, answered in one place."""

    def __init__(
        self, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more


def come_back(status: int, code: str, detail: str, *, after_s: int = RETRY_S, **more: Any) -> Refused:
    """The same request may succeed later."""
    return Refused(status, code, detail, headers={"Retry-After": str(after_s)}, **more)


def too_large(what: str, limit: int) -> Refused:
    """413, told before more than the limit was read."""
    return Refused(413, "too_large", f"{what} is larger than {limit:,} bytes", limit=limit)


def answer(refused: Refused) -> JSONResponse:
    """The problem as a response."""
    body = {
        "type": TYPE_PREFIX + refused.code,
        "title": HTTPStatus(refused.status).phrase,
        "status": refused.status,
        "code": refused.code,
        "detail": refused.detail,
        **refused.more,
    }
    return JSONResponse(body, refused.status, headers=refused.headers, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Answer whatever goes wrong in `app` with a problem."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return answer(error)

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        phrase = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        if error.status_code == 400:
            # The framework's word for a body that is not even JSON; for one of the wrong shape it is 422.
            return answer(Refused(422, "invalid_request", "the body is not JSON in UTF-8"))
        code = "too_large" if error.status_code == 413 else phrase
        detail = f"{request.method} {request.url.path}: {error.detail}"
        return answer(Refused(error.status_code, code, detail, headers=error.headers))

    @app.exception_handler(RequestValidationError)
    async def parameters(_: Request, error: RequestValidationError) -> Response:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        return answer(Refused(422, "invalid_request", "; ".join(faults), errors=faults))

    @app.exception_handler(SpoolUnavailable)
    async def spool_away(_: Request, error: SpoolUnavailable) -> Response:
        log.error("the spool does not take a request", error=str(error))
        return answer(come_back(503, error.code, "The disk does not take the request; nothing of it was accepted."))

    @app.exception_handler(DatabaseUnavailable)
    async def database_away(_: Request, error: DatabaseUnavailable) -> Response:
        return answer(come_back(503, error.code, "Only Postgres could tell, and it does not answer."))

    @app.exception_handler(RowRefused)
    async def row_refused(_: Request, error: RowRefused) -> Response:
        return answer(Refused(422, error.code, "Postgres takes no such value."))

    @app.exception_handler(ClientDisconnect)
    async def gone(_: Request, error: ClientDisconnect) -> Response:
        return answer(Refused(400, "disconnected", "The client left before its request was whole."))

    @app.exception_handler(Exception)
    async def fault(_: Request, error: Exception) -> Response:
        return answer(Refused(500, "internal_error", "A fault of ours; the log says more."))
