"""What Redis says of itself: its version, its clock, and the settings that decide what it can lose."""

from __future__ import annotations

import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import redis

from copydesk.queue.streams import ARTICLES, GROUP, text, translated_errors

_SETTINGS = ("appendonly", "appendfsync", "maxmemory", "maxmemory-policy")


class RedisServer(NamedTuple):
    """`ahead_s` is how far its clock is ahead of this machine's."""

    kind: str
    """`redis` or `valkey`."""
    version: tuple[int, ...]
    ahead_s: float
    settings: dict[str, str]
    """Those of the table above that it lets us see; none on many hosted servers."""
    used_bytes: int
    has_group: bool
    """Whether storage workers find their place in the article stream."""


def look(client: redis.Redis) -> RedisServer:
    """Ask it. Raises `QueueUnavailable`."""
    with translated_errors("look"):
        info: Any = client.info()
        before = time.time()
        seconds, micros = client.time()
        between = (before + time.time()) / 2
        kind = "valkey" if "valkey_version" in info else "redis"
        return RedisServer(
            kind,
            tuple(int(part) for part in str(info[f"{kind}_version"]).split(".") if part.isdigit()),
            seconds + micros / 1e6 - between,
            _settings(client),
            int(info["used_memory"]),
            _has_group(client),
        )


def is_encrypted(url: str) -> bool:
    """Whether TLS, or a socket of this machine, is between us."""
    return urlsplit(url).scheme in {"rediss", "unix"}


def _settings(client: redis.Redis) -> dict[str, str]:
    try:
        found: Any = client.config_get(*_SETTINGS)
    except redis.ResponseError:  # an unknown command, or one that our user may not use
        return {}
    return {text(name): text(value) for name, value in found.items()}


def _has_group(client: redis.Redis) -> bool:
    try:
        groups: Any = client.xinfo_groups(ARTICLES)
    except redis.ResponseError:  # there is no stream
        return False
    return any(text(group["name"]) == GROUP for group in groups)
