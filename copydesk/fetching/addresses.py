"""Which addresses may be connected to. A name is resolved once, checked, and the connection goes to what was checked.

A feed's address, and every redirect, is somebody else's text: without this, it reads what only this machine can reach.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

from copydesk.errors import AddressRefused, FetchSoft, FetchTemporary

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# Where clouds answer a machine with its own secrets. Refused also where private addresses are allowed; most of them
# are link-local, which is too.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure; a public address
        "192.0.0.192",  # Oracle
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
    )
)

# IPv6 prefixes with an IPv4 address inside, and the bits that lie below it.
_EMBEDDING = (
    (ipaddress.ip_network("::ffff:0:0/96"), 0),  # IPv4-mapped
    (ipaddress.ip_network("::/96"), 0),  # IPv4-compatible; also :: and ::1, which are refused by themselves
    (ipaddress.ip_network("64:ff9b::/96"), 0),  # NAT64
    (ipaddress.ip_network("64:ff9b:1::/48"), 0),  # NAT64 of a network's own
    (ipaddress.ip_network("2002::/16"), 80),  # 6to4
)

# Not global, whatever this Python's tables say: some were added to them late.
_RESERVED = tuple(
    ipaddress.ip_network(text) for text in ("100.64.0.0/10", "192.0.0.0/24", "2001::/23", "3fff::/20", "5f00::/16")
)


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host that may be connected to, in the resolver's order.

    Raises `AddressRefused` when there are only others, `FetchTemporary` or `FetchSoft` when there are none. Takes as
    long as the system's resolver does.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        kind = FetchTemporary if error.errno == socket.EAI_AGAIN else FetchSoft
        raise kind(host, f"its address was not found: {error.strerror}") from error
    except (UnicodeError, ValueError) as error:
        raise AddressRefused(host, "this is no host name") from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    allowed = [a for a in addresses if refusal(ipaddress.ip_address(a), allow_private=allow_private) is None]
    if not allowed:
        reason = refusal(ipaddress.ip_address(addresses[0]), allow_private=allow_private)
        hint = "; COPYDESK_FETCH_ALLOW_PRIVATE allows it" if reason in ("loopback", "private") else ""
        raise AddressRefused(host, f"{addresses[0]} is {reason}{hint}")
    return allowed


def refusal(address: IPAddress, *, allow_private: bool) -> str | None:
    """Why an address may not be connected to; None when it may.

    `allow_private` opens loopback and private networks. Metadata, link-local, multicast and unspecified addresses stay
    refused: no feed is there.
    """
    inside = _embedded(address)
    if inside is not None:
        return refusal(inside, allow_private=allow_private)
    checks = _ALWAYS if allow_private else (*_ALWAYS, *_BY_DEFAULT)
    return next((name for name, applies in checks if applies(address)), None)


def _is_private(address: IPAddress) -> bool:
    return not address.is_global or any(address.version == net.version and address in net for net in _RESERVED)


_ALWAYS: tuple[tuple[str, Callable[[IPAddress], bool]], ...] = (
    ("a metadata service", lambda a: a in _METADATA),
    ("link-local", lambda a: a.is_link_local),
    ("multicast", lambda a: a.is_multicast),
    ("unspecified", lambda a: a.is_unspecified or (a.version == 4 and int(a) >> 24 == 0)),
)
_BY_DEFAULT: tuple[tuple[str, Callable[[IPAddress], bool]], ...] = (
    ("loopback", lambda a: a.is_loopback),
    ("private", _is_private),
)


def _embedded(address: IPAddress) -> ipaddress.IPv4Address | None:
    if isinstance(address, ipaddress.IPv4Address) or int(address) <= 1:
        return None
    for network, below in _EMBEDDING:
        if address in network:
            return ipaddress.IPv4Address((int(address) >> below) & 0xFFFFFFFF)
    return None
