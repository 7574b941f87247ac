"""ASGI middleware against pages of others: a browser on this machine is not to hand over or read for them.

A page may send `text/plain` to any address without asking, also to 127.0.0.1, and a name that its owner lets point
there makes it the same origin. Programs send none of the headers that tell a browser; they are not looked at further.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.api.problems import Refused, answer

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class OwnPagesOnly:
    """Refuses what a browser sends for another site; with `near_only` also every name but those of this machine."""

    def __init__(self, app: ASGIApp, *, near_only: bool) -> None:
        self._app = app
        self._near_only = near_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the problem."""
        if scope["type"] == "http":
            refused = refusal(scope["method"], Headers(scope=scope), near_only=self._near_only)
            if refused:
                await answer(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def refusal(method: str, headers: Headers, *, near_only: bool) -> Refused | None:
    """The problem with a request's headers; None where there is none."""
    host = headers.get("host", "")
    # Every browser sends a Host; old programs may not.
    if near_only and host and _name(host) not in LOOPBACK:
        detail = (
            f"This door is open to its own machine, without keys, and is not called {host!r}. Behind a proxy, let that "
            "send `Host: 127.0.0.1`, or set COPYDESK_HTTP_KEYS=required."
        )
        return Refused(421, "other_host", detail)
    # Whoever follows a link here sees what is here; nothing is handed over by that.
    is_visit = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
    is_foreign = headers.get("sec-fetch-site") in {"cross-site", "same-site"}
    origin = headers.get("origin")
    # Of a browser that says no more than this; "null" is a page in a frame or a file.
    is_foreign |= origin is not None and origin.partition("://")[2] != host
    if is_foreign and not is_visit:
        return Refused(403, "other_origin", "Pages of another origin may not ask here.")
    return None


def _name(host: str) -> str:
    """A `Host` without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
