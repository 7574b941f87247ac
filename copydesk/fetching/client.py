"""Fetches one address politely: conditionally, in bounded time and memory, redirect by redirect.

Each connection is new: polls of one feed lie minutes apart. No cookies, no proxy, no credentials in addresses. What to
fetch, how often and how close together is decided by the caller.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urldefrag, urljoin

import certifi
from urllib3 import exceptions as faults
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, parse_url

from copydesk.errors import AddressRefused, FetchError, FetchHard, FetchSoft, FetchTemporary
from copydesk.fetching import headers as headers_read
from copydesk.fetching.addresses import resolve
from copydesk.fetching.decoding import ACCEPTED, Body
from copydesk.fetching.values import Fetched, Validators

_READ_BYTES = 64 * 1024
_URL_MAX = 4000
_PORTS = {"http": 80, "https": 443}

_WITH_BODY = frozenset({200, 203})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_TEMPORARY = frozenset({202, 408, 425, 429})
_GONE = frozenset({410, 451})

# Feeds first: some servers give their page to whoever accepts one.
FEEDS = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.8"
)
PAGES = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one fetch: seconds to connect (each address of a host), of silence, and of the whole; bytes of the
    body, as sent and as decompressed; how many redirects are followed."""

    connect_s: float
    read_s: float
    whole_s: float
    body_bytes: int
    redirects: int


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """Holds only what never changes: any number of threads may fetch at once."""

    def __init__(self, limits: Limits, *, user_agent: str, allow_private: bool, accept: str = FEEDS) -> None:
        self._limits = limits
        self._accept = accept
        self._allow_private = allow_private
        self._user_agent = user_agent
        self._tls = ssl.create_default_context()
        # Beside the system's, which slim images lack.
        self._tls.load_verify_locations(certifi.where())

    def fetch(
        self,
        url: str,
        validators: Validators | None = None,
        *,
        before_redirect: Callable[[str], None] | None = None,
    ) -> Fetched:
        """Fetch `url`, unless the server says by `validators` that we have it.

        `before_redirect` is told where a redirect leads, and may wait or raise before it is followed; its time does
        not count.

        Raises `FetchTemporary`, `FetchSoft` or `FetchHard`, by when it is worth asking again; `AddressRefused` (hard)
        for an address, or a redirect to one, that may not be fetched. Takes at most `whole_s` and the resolver's time.
        """
        deadline = time.monotonic() + self._limits.whole_s
        here, moved_to, is_permanent = url, None, True
        for _ in range(self._limits.redirects + 1):
            answer = self._ask(here, validators, deadline)
            if answer.status not in _REDIRECTS:
                return _fetched(here, answer, validators, moved_to)
            target = _redirect_target(here, answer)
            if before_redirect:
                asked = time.monotonic()
                before_redirect(target)
                deadline += time.monotonic() - asked
            is_permanent = is_permanent and answer.status in _PERMANENT
            here, moved_to = target, target if is_permanent else moved_to
        raise FetchSoft(url, f"more than {self._limits.redirects} redirects")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send `body`; returns the status, which is 2xx. No redirect is followed, no answer's body is read.

        Raises as `fetch` does, for every other status too.
        """
        deadline = time.monotonic() + self._limits.whole_s
        answer = self._ask(url, None, deadline, send=body, also=headers)
        if answer.status // 100 == 2:
            return answer.status
        asked_s = headers_read.retry_after_s(answer.headers, datetime.now(UTC))
        raise _graded(answer.status)(url, f"status {answer.status}", asked_s, answer.status)

    def _ask(
        self,
        url: str,
        validators: Validators | None,
        deadline: float,
        *,
        send: bytes | None = None,
        also: Mapping[str, str] | None = None,
    ) -> _Answer:
        """One request and its answer. With something to `send` it is a POST; else the answer's body is read."""
        place = parsed(url)
        host = str(place.host).strip("[]")
        with _translated_errors(url):
            addresses = resolve(host, place.port or _PORTS[str(place.scheme)], allow_private=self._allow_private)
            connection = self._connect(place, host, addresses, deadline)
            try:
                with _cut_off(connection.sock, url, deadline):
                    connection.request(
                        "GET" if send is None else "POST",
                        place.request_uri,
                        body=send,
                        headers=self._headers(place, validators) | dict(also or {}),
                        preload_content=False,
                        decode_content=False,
                    )
                    response = connection.getresponse()
                    kept = {name.lower(): value for name, value in response.headers.items()}
                    has_body = send is None and response.status in _WITH_BODY
                    body = self._read(url, response, kept) if has_body else b""
                    return _Answer(response.status, kept, body)
            finally:
                connection.close()

    def _connect(self, place: Url, host: str, addresses: list[str], deadline: float) -> HTTPConnection:
        """A connection to the first address that takes it. The certificate is checked against the name."""
        for address in addresses:
            options: dict[str, Any] = {"timeout": max(0.01, min(self._limits.connect_s, deadline - time.monotonic()))}
            if place.scheme == "https":
                connection: HTTPConnection = HTTPSConnection(
                    address, place.port, ssl_context=self._tls, server_hostname=host, **options
                )
            else:
                connection = HTTPConnection(address, place.port, **options)
            try:
                connection.connect()
            except (OSError, faults.HTTPError):
                connection.close()
                if address == addresses[-1] or time.monotonic() >= deadline:
                    raise
                continue
            connection.timeout = self._limits.read_s
            return connection
        raise AddressRefused(host)

    def _headers(self, place: Url, validators: Validators | None) -> dict[str, str]:
        sent = {
            "Host": place.netloc or "",
            "User-Agent": self._user_agent,
            "Accept": self._accept,
            "Accept-Encoding": ACCEPTED,
            # A cache on the way asks the origin.
            "Cache-Control": "max-age=0",
            "Connection": "close",
        }
        if validators and validators.etag:
            sent["If-None-Match"] = validators.etag
        if validators and validators.last_modified:
            sent["If-Modified-Since"] = validators.last_modified
        return sent

    def _read(self, url: str, response: BaseHTTPResponse, kept: dict[str, str]) -> bytes:
        body = Body(url, kept.get("content-encoding", ""), self._limits.body_bytes)
        while data := response.read1(_READ_BYTES, decode_content=False):
            body.add(data)
        return body.whole()


def parsed(url: str) -> Url:
    """The address in its parts, percent-encoded where it must be. Raises `AddressRefused` for all but http(s)."""
    if len(url) > _URL_MAX:
        raise AddressRefused(url[:200], "it is too long")
    try:
        place = parse_url(urldefrag(url.strip()).url)
    except (faults.LocationParseError, ValueError) as error:
        raise AddressRefused(url, f"it cannot be read: {error}") from error
    if place.scheme not in _PORTS or not place.host:
        raise AddressRefused(url, "only http and https addresses can be fetched")
    if place.auth:
        raise AddressRefused(f"{place.scheme}://…@{place.host}", "it carries a user name or password")
    return place


def _redirect_target(url: str, answer: _Answer) -> str:
    location = answer.headers.get("location", "").strip()
    if not location:
        raise FetchSoft(url, f"status {answer.status} without a location", status=answer.status)
    # Header bytes arrive as Latin-1; those that are not ASCII are UTF-8 nearly always.
    location = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return str(parsed(urljoin(url, location)))
    except ValueError as error:
        raise AddressRefused(location, str(error)) from error


def _fetched(url: str, answer: _Answer, validators: Validators | None, moved_to: str | None) -> Fetched:
    now = datetime.now(UTC)
    status, kept = answer.status, answer.headers
    asked = validators is not None and (validators.etag or validators.last_modified)
    is_modified = status in _WITH_BODY
    if not is_modified and not (status == http.HTTPStatus.NOT_MODIFIED and asked):
        raise _graded(status)(url, f"status {status}", headers_read.retry_after_s(kept, now), status)
    if is_modified and not answer.body.strip():
        raise FetchTemporary(url, "its body is empty", status=status)
    media_type, charset = headers_read.content_type(kept.get("content-type"))
    return Fetched(
        url=url,
        status=status,
        is_modified=is_modified,
        body=answer.body,
        sha256=hashlib.sha256(answer.body).hexdigest() if is_modified else "",
        validators=Validators(
            headers_read.validator(kept.get("etag")), headers_read.validator(kept.get("last-modified"))
        ),
        media_type=media_type,
        charset=charset,
        fresh_for_s=headers_read.fresh_for_s(kept, now),
        moved_to=moved_to,
    )


def _graded(status: int) -> type[FetchError]:
    if status in _GONE:
        return FetchHard
    return FetchTemporary if status in _TEMPORARY or status >= http.HTTPStatus.INTERNAL_SERVER_ERROR else FetchSoft


@contextlib.contextmanager
def _cut_off(peer: socket.socket | None, url: str, deadline: float) -> Iterator[None]:
    """Shut the connection down at the deadline: a server that sends a byte now and then never hits a read limit.

    Raises `FetchTemporary` then, whatever the cut looked like from above: it may look like the end of a body.
    """
    assert peer is not None  # noqa: S101 - the connection was opened a line before
    is_cut = threading.Event()
    # A descriptor of its own: by the time it fires, the connection's number may be somebody else's.
    with socket.socket(fileno=os.dup(peer.fileno())) as own:

        def cut() -> None:
            is_cut.set()
            with contextlib.suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(0.0, deadline - time.monotonic()), cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, http.client.HTTPException, faults.HTTPError, FetchSoft):
            if not is_cut.is_set():
                raise
        finally:
            timer.cancel()
    if is_cut.is_set():
        raise FetchTemporary(url, "it took too long as a whole")


@contextlib.contextmanager
def _translated_errors(url: str) -> Iterator[None]:
    """Turns what urllib3, http.client and the socket raise into ours."""
    try:
        yield
    except FetchError:
        raise
    except faults.NewConnectionError as error:  # which is one of urllib3's TimeoutErrors
        raise FetchTemporary(url, f"the connection failed: {error.__cause__ or error}") from error
    except (TimeoutError, faults.TimeoutError) as error:
        raise FetchTemporary(url, f"it took too long: {error}") from error
    except (ssl.SSLError, faults.SSLError, ssl.CertificateError) as error:
        raise FetchSoft(url, f"TLS: {error}") from error
    except (http.client.InvalidURL, UnicodeError) as error:
        raise AddressRefused(url, str(error)) from error
    except (OSError, faults.ProtocolError) as error:
        raise FetchTemporary(url, f"the connection failed: {str(error) or type(error).__name__}") from error
    except (http.client.HTTPException, faults.HTTPError, ValueError) as error:
        raise FetchSoft(url, f"it does not speak HTTP: {type(error).__name__}: {error}") from error
