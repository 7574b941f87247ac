"""Fetches as a guest does: each host in its turn, and pages only where its robots.txt allows it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import copydesk
from copydesk.errors import HostBusy
from copydesk.fetching import Client, Fetched, Limits, Validators
from copydesk.fetching.client import PAGES
from copydesk.fetching.hosts import Care, cares, domain_of
from copydesk.fetching.robots import Robots
from copydesk.queue.host_turns import HostTurns
from copydesk.queue.streams import connect
from copydesk.settings import Settings

# A thread sleeps no longer for a turn at a feed: other hosts wait for it.
PATIENCE_S = 2.0

# A page is one of many of its poll, and waits longer for its turn.
PAGE_PATIENCE_S = 10.0

# Of a page as a whole: one slow page must not take the time of all others.
_PAGE_WHOLE_S = 15.0


class Manners:
    """One fetch worker's clients, robots files and turns; any number of threads may fetch at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._default = Care(settings.fetch_host_spacing_s, settings.fetch_host_requests_max)
        self._cares = cares(settings.fetch_hosts, self._default)
        self._client = client_of(settings)
        self._pages = page_client_of(settings)
        self._robots = Robots(self._pages, kept_s=settings.fetch_robots_s)
        self._turns = HostTurns(connect(settings.redis_url.get_secret_value()))

    def feed(self, url: str, validators: Validators) -> Fetched:
        """A feed that somebody subscribed to, whatever robots.txt says.

        Raises `HostBusy` when its host's turn is too far away, else as `Client.fetch` does.
        """
        return self._in_turn(self._client, url, validators, PATIENCE_S, lambda _: 0.0)

    def page(self, url: str) -> Fetched:
        """A page that a feed links to. Raises `RobotsDenied`, also for where redirects lead, and as `feed` does."""
        return self._in_turn(self._pages, url, None, PAGE_PATIENCE_S, self._robots.delay_s)

    def _in_turn(
        self,
        client: Client,
        url: str,
        validators: Validators | None,
        patience_s: float,
        delay_of: Callable[[str], float],
    ) -> Fetched:
        """Fetch in the host's turn; each redirect waits for one of its own host's, as a first request does."""
        with ExitStack() as held:

            def wait(address: str) -> None:
                self._take_turn(held, address, delay_of(address), patience_s, owned)

            owned: Counter[str] = Counter()
            wait(url)
            return client.fetch(url, validators, before_redirect=wait)

    def _take_turn(self, held: ExitStack, url: str, delay_s: float, patience_s: float, owned: Counter[str]) -> None:
        """Wait for a turn at the address's host, held until the stack is left; `owned` are the turns held there."""
        domain = domain_of(url)
        care = self._cares.get(domain, self._default)
        turn = held.enter_context(
            self._turns.turn(
                domain,
                spacing_s=max(care.spacing_s, delay_s),
                # The places that this fetch holds already are its own.
                requests_max=care.requests_max + owned[domain],
                patience_s=patience_s,
                # Beside the fetch itself: the resolver takes its own time, and so do the turns of redirects.
                hold_s=self._settings.fetch_whole_s + PAGE_PATIENCE_S * (1 + self._settings.fetch_redirects_max),
            )
        )
        if not turn.is_given:
            raise HostBusy(url, f"{domain} is being asked by others", turn.wait_s)
        owned[domain] += 1
        time.sleep(turn.wait_s)


def client_of(settings: Settings) -> Client:
    """The web client that the settings describe."""
    limits = Limits(
        connect_s=settings.fetch_connect_s,
        read_s=settings.fetch_read_s,
        whole_s=settings.fetch_whole_s,
        body_bytes=settings.document_bytes_max,
        redirects=settings.fetch_redirects_max,
    )
    return Client(limits, user_agent=user_agent(settings.fetch_contact), allow_private=settings.fetch_allow_private)


def page_client_of(settings: Settings) -> Client:
    """The same for pages: smaller and quicker ones."""
    limits = Limits(
        connect_s=min(settings.fetch_connect_s, _PAGE_WHOLE_S),
        read_s=min(settings.fetch_read_s, _PAGE_WHOLE_S),
        whole_s=min(settings.fetch_whole_s, _PAGE_WHOLE_S),
        body_bytes=settings.fetch_page_bytes_max,
        redirects=settings.fetch_redirects_max,
    )
    agent = user_agent(settings.fetch_contact)
    return Client(limits, user_agent=agent, allow_private=settings.fetch_allow_private, accept=PAGES)


def user_agent(contact: str | None) -> str:
    """How we present ourselves to servers."""
    return f"copydesk/{copydesk.__version__}" + (f" (+{contact})" if contact else "")
