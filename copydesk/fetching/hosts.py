"""Who an address belongs to, as far as politeness goes, and how its owner's hosts are to be spared. Pure.

The registrable domain, by the public suffix list as the library `tld` ships it: `news.example.co.uk` and
`www.example.co.uk` are one. Nothing is fetched to know it.
"""

from __future__ import annotations

from typing import NamedTuple

from tld import get_fld

from copydesk.fetching.client import parsed


class Care(NamedTuple):
    """Of the hosts of one domain: seconds between two requests, and how many may run at once."""

    spacing_s: float
    requests_max: int


def domain_of(url: str) -> str:
    """The registrable domain of an address; its host where it has none (a number, a name of a local network).

    Raises `AddressRefused` for what cannot be fetched.
    """
    host = str(parsed(url).host).lower()
    return get_fld(f"http://{host}/", fail_silently=True) or host


def cares(text: str, default: Care) -> dict[str, Care]:
    """The figures of single domains, from the setting `fetch_hosts`, whose form is checked there."""
    found = {}
    for part in filter(None, text.split(",")):
        domain, _, figures = part.partition("=")
        spacing, _, requests = figures.partition("/")
        found[domain] = Care(float(spacing), int(requests) if requests else default.requests_max)
    return found
