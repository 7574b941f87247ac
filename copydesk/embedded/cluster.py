"""Make a Postgres data folder ("cluster"): whole or not at all, with our role and database in it.

Everything happens in a folder beside the final one, which is then renamed; a process killed at any moment leaves no
half cluster under the final name.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from copydesk.embedded import child
from copydesk.embedded.identity import SAME, Identity
from copydesk.embedded.server import server_environment
from copydesk.errors import ServerStartError

SUPERUSER = "postgres"
ROLE = "copydesk"
DATABASE = "copydesk"

_UNFINISHED = ".unfinished-"

# The superuser can run programs as our own user (COPY … TO PROGRAM), so it is let in only through the socket, whose
# folder nobody else can enter. What any local user may reach over TCP is a role that owns its databases and no more;
# roles that it lets in besides need their password.
_ACCESS = f"""\
local all all trust
host  all {ROLE} 127.0.0.1/32 trust
host  all {SUPERUSER} 127.0.0.1/32 reject
host  all all 127.0.0.1/32 scram-sha-256
"""

_FIRST_STATEMENTS = f"""\
CREATE ROLE {ROLE} LOGIN CREATEDB
CREATE DATABASE {DATABASE} OWNER {ROLE}
"""


def make(cluster: Path, programs: Path, lock: int, *, identity: Identity = SAME, sync: bool = True) -> None:
    """initdb into `cluster`, which must not exist. `sync` False may leave it damaged if the machine stops soon after.

    `lock` is the descriptor that locks the data folder. initdb and what it starts keep it open: when we are killed,
    a postgres of its may write on for a moment, and nobody may begin anew before that has ended.
    Raises ServerStartError with what the program printed.
    """
    unfinished = _unfinished_folder(cluster, identity)
    initdb = [
        str(programs / "initdb"),
        f"--pgdata={unfinished}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        # The wheel has no ICU; the built-in provider knows Unicode on every platform alike.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--auth=trust",
        "--no-instructions",
    ]
    single = [str(programs / "postgres"), "--single", "-D", str(unfinished), "template1"]
    if not sync:
        initdb.append("--no-sync")
        single[2:2] = ["-F"]
    _run(initdb, b"", identity, cluster.parent, lock)
    _run(single, _FIRST_STATEMENTS.encode(), identity, cluster.parent, lock)
    (unfinished / "pg_hba.conf").write_text(_ACCESS, "ascii")
    _finish(unfinished, cluster, sync=sync)


def copy(template: Path, cluster: Path, *, identity: Identity = SAME) -> None:
    """Copy the stopped cluster `template` to `cluster`, which must not exist. Not synced: for tests."""
    unfinished = _unfinished_folder(cluster, identity)
    shutil.copytree(template, unfinished, dirs_exist_ok=True)
    give(unfinished, identity)
    _finish(unfinished, cluster, sync=False)


def remove_unfinished(folder: Path) -> None:
    """Remove what killed runs of `make` and `copy` left in `folder`."""
    for leftover in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)


def give(folder: Path, identity: Identity) -> None:
    """Make `folder` and all in it belong to the user it will be used as. Touches nothing when that is us.

    Raises ServerStartError where root lacks that power.
    """
    if identity.way != "drop":
        return
    try:
        for entry in [folder, *folder.rglob("*")]:
            os.chown(entry, identity.uid, identity.gid, follow_symlinks=False)
    except PermissionError as error:
        detail = "it may not run as root, and this root may not hand its data to another user: use an ordinary user"
        raise ServerStartError("postgres", detail) from error


def _unfinished_folder(cluster: Path, identity: Identity) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=cluster.parent))
    give(folder, identity)
    return folder


def _finish(unfinished: Path, cluster: Path, *, sync: bool) -> None:
    unfinished.rename(cluster)
    if sync:
        parent = os.open(cluster.parent, os.O_RDONLY)
        try:
            os.fsync(parent)
        finally:
            os.close(parent)


def _run(command: list[str], given: bytes, identity: Identity, folder: Path, lock: int) -> None:
    try:
        status, printed = child.run(
            command, env=server_environment(), cwd=folder, given=given, identity=identity, inherited=[lock]
        )
    except subprocess.TimeoutExpired as error:
        raise ServerStartError("postgres", f"{Path(command[0]).name} did not end in time") from error
    if status != 0:
        raise ServerStartError("postgres", f"{Path(command[0]).name} ended with status {status}\n{printed.strip()}")
