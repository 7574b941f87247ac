"""What the checks are judged by; gathered in `looking.py`, made by hand in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from copydesk.errors import DependencyError
from copydesk.queue.server import RedisServer
from copydesk.settings import Settings
from copydesk.storage.server import PostgresServer


@dataclass(frozen=True, slots=True)
class Site:
    """This machine, as far as it matters."""

    python: tuple[int, int]
    in_container: bool
    """Where 0.0.0.0 is the container's own network."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The inbox or the spool; `fault` is why it cannot be used, empty where it can."""

    path: str
    free_bytes: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Process:
    """What a process of this machine answered for itself: `alive`, `stuck` or `silent`."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was seen. A server that could not be asked is the error."""

    settings: Settings
    site: Site
    redis: RedisServer | DependencyError
    postgres: PostgresServer | DependencyError
    roles: Mapping[str, PostgresServer | DependencyError] = field(default_factory=dict)
    """By kind, where a kind has an address of its own."""
    keys: int | None = None
    """API keys in force; None where they could not be counted."""
    folders: Mapping[str, Folder] = field(default_factory=dict)
    processes: tuple[Process, ...] = ()
