"""ASGI middleware that bounds the bodies of all routes but the one for documents, which has bounds of its own."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A profile of a source has 2 KB, a text to try one on up to 200.
BODY_BYTES_MAX = 1024 * 1024

DOCUMENTS = "/v1/documents"


class Bounded:
    """The whole body is read into memory by the framework: no more than this."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a body that is too large is refused as it comes."""
        if scope["type"] != "http" or scope["path"] == DOCUMENTS:
            await self._app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > BODY_BYTES_MAX:
                raise HTTPException(413, f"the body is larger than {BODY_BYTES_MAX:,} bytes")
            return message

        await self._app(scope, counted, send)
