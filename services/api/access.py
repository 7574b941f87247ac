"""Who may do what: keys, scopes and rates, decided before a request is read.

Keys are kept in memory and read again from Postgres every few seconds, so that the door takes documents while Postgres
is away. A door that was started while it is away knows no key and answers 503 until it does.
"""

from __future__ import annotations

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from copydesk.errors import DatabaseUnavailable
from copydesk.storage import api_keys
from copydesk.storage.api_keys import ApiKey
from services.api.database import Database
from services.api.problems import Refused, answer, come_back

log = structlog.get_logger(__name__)

READ_EVERY_S = 5.0

# The first prefix that fits. What is not listed needs `admin`.
_SCOPES = (
    ("/livez", None),
    ("/readyz", None),
    ("/openapi.json", None),
    ("/v1/documents", "ingest"),
    ("/v1/items/", "ingest"),
    ("/v1/articles", "read"),
    ("/v1/search", "read"),
    ("/v1/stats", "read"),
)

# Where the key of a request stands in its ASGI scope.
_KEY = "copydesk.key"

_READING = ("GET", "HEAD", "OPTIONS")


def scope_of(method: str, path: str) -> str | None:
    """What a request needs; None for nothing. `read` only reads."""
    scope = next((scope for prefix, scope in _SCOPES if path.startswith(prefix)), "admin")
    return "admin" if scope == "read" and method not in _READING else scope


@dataclass(slots=True)
class Bucket:
    """A rate of `per_minute`, of which up to a quarter of a minute may come at once."""

    per_minute: int
    filled: float
    at: float

    def take(self, now: float) -> float:
        """0 when the request may pass; else the seconds until the next one may."""
        most = max(1.0, self.per_minute / 4)
        self.filled = min(most, self.filled + (now - self.at) * self.per_minute / 60)
        self.at = now
        if self.filled >= 1:
            self.filled -= 1
            return 0.0
        return (1 - self.filled) * 60 / self.per_minute


class Access:
    """The keys of one process. `check` is called in the event loop, the keys are read in a thread."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._keys: dict[str, ApiKey] | None = None
        self._buckets: dict[str, Bucket] = {}
        self._stop = threading.Event()

    def start(self) -> None:
        """Read the keys once, then in a thread."""
        self._read()
        threading.Thread(target=self._run, name="keys", daemon=True).start()

    def stop(self) -> None:
        """End; nothing is waited for."""
        self._stop.set()

    def check(self, method: str, path: str, authorization: str) -> ApiKey | None:
        """The key of a request, None where it needs none.

        Raises `Refused`: 401 without a valid key, 403 for a wrong one, 429 too often, 503 while none is known.
        """
        scope = scope_of(method, path)
        if scope is None:
            return None
        if self._keys is None:
            raise come_back(503, "keys_unknown", "Only Postgres knows the keys, and it has not answered yet.")
        kind, _, token = authorization.partition(" ")
        key_id, _, secret = token.strip().partition(".")
        key = self._keys.get(key_id)
        given = api_keys.hashed(secret)
        # Compared also where there is no such key: the time says nothing about which ids exist.
        is_right = hmac.compare_digest(given, key.secret_hash if key else "0" * len(given))
        if kind.lower() != "bearer" or key is None or not is_right or _is_over(key):
            headers = {"WWW-Authenticate": 'Bearer realm="copydesk"'}
            raise Refused(401, "no_valid_key", "Send `Authorization: Bearer <key>`.", headers=headers)
        if scope not in key.scopes and "admin" not in key.scopes:
            raise Refused(403, "wrong_scope", f"The key {key.id} is not for `{scope}`.")
        self._count(key)
        return key

    def _count(self, key: ApiKey) -> None:
        if key.per_minute is None:
            return
        now = self._clock()
        bucket = self._buckets.get(key.id)
        if bucket is None or bucket.per_minute != key.per_minute:
            bucket = self._buckets[key.id] = Bucket(key.per_minute, max(1.0, key.per_minute / 4), now)
        wait_s = bucket.take(now)
        if wait_s:
            detail = f"The key {key.id} may be used {key.per_minute} times a minute."
            raise come_back(429, "too_often", detail, after_s=int(wait_s) + 1)

    def _run(self) -> None:
        while not self._stop.wait(READ_EVERY_S):
            self._read()

    def _read(self) -> None:
        try:
            found = self._database.ask_here(api_keys.valid)
        except DatabaseUnavailable as error:
            log.warning("the keys could not be read; those known stay in force", error=str(error))
            return
        self._keys = {key.id: key for key in found}


class Guarded:
    """ASGI middleware that asks `Access` before anything of a request's body is read."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the problem."""
        if scope["type"] == "http":
            try:
                authorization = Headers(scope=scope).get("authorization", "")
                scope[_KEY] = self._access.check(scope["method"], scope["path"], authorization)
            except Refused as refused:
                await answer(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def who(request: Request) -> str:
    """Who asks, to be noted down."""
    key = request.scope.get(_KEY)
    return f"key {key.id} ({key.name})" if isinstance(key, ApiKey) else "http"


def _is_over(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at <= datetime.now(UTC)
