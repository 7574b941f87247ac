"""Who a server runs as. Postgres refuses root, and no user is added and no parent folder is opened for it.

Pure: `surroundings` asks the system what the choice rests on, `launcher` carries it out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Identity:
    """`same`: as we are. `map`: in a user namespace that shows us as `uid:gid`. `drop`: really as `uid:gid`."""

    way: Literal["same", "map", "drop"]
    uid: int = 0
    gid: int = 0

    def __str__(self) -> str:
        """As `launcher` reads it."""
        return self.way if self.way == "same" else f"{self.way}:{self.uid}:{self.gid}"


SAME = Identity("same")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the choice rests on. `data_owner` is the (uid, gid) of an existing cluster, None before the first start."""

    euid: int
    nobody: tuple[int, int]
    has_name: bool
    """Whether our own uid has an entry in the user database; initdb insists on one."""
    namespace_works: bool
    data_owner: tuple[int, int] | None


def choose(around: Surroundings) -> Identity:
    """Who Postgres runs as.

    - An ordinary user: as it is; one without a name (containers with an arbitrary uid) in a namespace that has one.
    - Root, on a cluster that an ordinary user made: as that user, who shall be able to use it again.
    - Root else: in a user namespace as `nobody`, and the files stay root's; really as `nobody` where namespaces are
      forbidden (the default seccomp profile of containers) or do not reach the data.
    """
    mapped = Identity("map", *around.nobody)
    if around.euid != 0:
        return SAME if around.has_name or not around.namespace_works else mapped
    if around.data_owner is not None and around.data_owner[0] != 0:
        return Identity("drop", *around.data_owner)
    return mapped if around.namespace_works else Identity("drop", *around.nobody)
