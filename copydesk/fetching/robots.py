"""What a host's robots.txt lets us fetch, and how far apart; kept for a while, by RFC 9309.

Read by the library `protego`. No file (any 4xx) allows all; one that cannot be had just now allows nothing yet.
"""

from __future__ import annotations

import http
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from protego import Protego
from urllib3.util import Url

from copydesk.errors import FetchError, FetchTemporary, RobotsDenied
from copydesk.fetching.client import Client, parsed

PRODUCT = "copydesk"
"""The name that a robots.txt calls us by."""

# RFC 9309 asks for at least 500 KiB; what lies behind is not read.
_BYTES_READ = 500 * 1024

# A host that does not answer is asked again after so long.
_FAILURE_KEPT_S = 300.0

_HOSTS_KEPT = 2000

# A longer delay would keep a page waiting for a day's end.
DELAY_MAX_S = 60.0


class _Kept(NamedTuple):
    until: float
    rules: Protego | None
    error: FetchError | None


class Robots:
    """Any number of threads may ask at once; two that ask for a host at the same time may both fetch its file."""

    def __init__(self, client: Client, *, kept_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._kept_s = kept_s
        self._clock = clock
        self._lock = threading.Lock()
        self._hosts: OrderedDict[str, _Kept] = OrderedDict()

    def delay_s(self, url: str) -> float:
        """Seconds that the host asks for between two requests; 0 where it does not.

        Raises `RobotsDenied` for an address that it asks us to leave alone, and what the fetch of its file raised.
        """
        place = parsed(url)
        kept = self._rules(place)
        if kept.error is not None:
            raise kept.error
        if kept.rules is None:
            return 0.0
        if not kept.rules.can_fetch(url, PRODUCT):
            raise RobotsDenied(url, "its robots.txt asks us not to")
        return min(float(kept.rules.crawl_delay(PRODUCT) or 0.0), DELAY_MAX_S)

    def _rules(self, place: Url) -> _Kept:
        host = f"{place.scheme}://{place.netloc}"
        with self._lock:
            kept = self._hosts.get(host)
        if kept is None or kept.until <= self._clock():
            kept = self._read(f"{host}/robots.txt")
            with self._lock:
                self._hosts[host] = kept
                self._hosts.move_to_end(host)
                while len(self._hosts) > _HOSTS_KEPT:
                    self._hosts.popitem(last=False)
        return kept

    def _read(self, url: str) -> _Kept:
        try:
            body = self._client.fetch(url).body[:_BYTES_READ]
        except FetchError as error:
            is_absent = 400 <= (error.status or 0) < 500 and not isinstance(error, FetchTemporary)
            if is_absent or error.status == http.HTTPStatus.OK:  # an answer without a body is an error to the client
                return _Kept(self._clock() + self._kept_s, None, None)
            return _Kept(self._clock() + _FAILURE_KEPT_S, None, error)
        return _Kept(self._clock() + self._kept_s, Protego.parse(body.decode("utf-8", "replace")), None)
