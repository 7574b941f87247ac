"""What this machine allows: the facts on which `identity.choose` decides."""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

from copydesk.embedded import child
from copydesk.embedded.identity import Identity, Surroundings
from copydesk.errors import ServerStartError


def nobody() -> tuple[int, int]:
    """The uid and gid of `nobody`. Raises ServerStartError on a system without that user."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise ServerStartError("postgres", "it may not run as root, and there is no user `nobody` here") from error
    return entry.pw_uid, entry.pw_gid


def has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def namespace_works(binary: Path, folder: Path, identity: Identity) -> bool:
    """Whether, in a user namespace as `identity`, `binary` can be run and `folder` written to.

    Root in such a namespace is an ordinary owner of root's files: it cannot enter another user's closed home, which
    is where `sudo` in a checkout would have to go.
    """
    if sys.platform != "linux":
        return False
    test = ["/bin/sh", "-c", 'test -x "$1" && test -w "$2" && test -x "$2"', "sh", str(binary), str(folder)]
    status, _ = child.run(test, identity=identity, deadline_s=30)
    return status == 0


def look_around(binary: Path, folder: Path, cluster: Path) -> Surroundings:
    """What holds here for running `binary` with its data under `folder`, in `cluster` if that exists already."""
    euid = os.geteuid()
    named = has_name(euid)
    somebody = nobody() if euid == 0 or not named else (65534, 65534)
    needed = euid == 0 or not named
    owner = cluster.stat() if cluster.exists() else None
    return Surroundings(
        euid=euid,
        nobody=somebody,
        has_name=named,
        namespace_works=needed and namespace_works(binary, folder, Identity("map", *somebody)),
        data_owner=(owner.st_uid, owner.st_gid) if owner else None,
    )
