"""The embedded servers: start, restart, refuse, and survive what happens to processes."""

from __future__ import annotations

import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from copydesk.embedded import PostgresServer, ValkeyServer, ports
from copydesk.embedded.server import Server
from copydesk.errors import ServerStartError
from tests import servers
from tests.process_table import bystander, has_ended
from tests.waiting import wait_until

DEADLINE_S = 30

Start = Callable[[Path], Server]

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends the children of a killed process")


@pytest.fixture(params=["valkey", "postgres"])
def make(request: pytest.FixtureRequest, postgres_template: Path) -> Start:
    """Makes a server of either kind, not started."""
    if request.param == "valkey":
        return ValkeyServer
    return lambda folder: PostgresServer(folder, fsync=False, template=postgres_template)


@pytest.fixture
def own_cluster(tmp_path: Path, postgres_template: Path) -> Iterator[PostgresServer]:
    """An embedded one whichever servers the other tests are given: it is what is tested here."""
    with PostgresServer(tmp_path / "postgres", fsync=False, template=postgres_template) as server:
        yield server


def remember(server: Server) -> None:
    if isinstance(server, ValkeyServer):
        with redis.Redis.from_url(server.url) as client:
            client.set("kept", "yes")
    else:
        servers.execute(server.url, "CREATE TABLE kept (answer text)", "INSERT INTO kept VALUES ('yes')")


def recall(server: Server) -> str:
    if isinstance(server, ValkeyServer):
        with redis.Redis.from_url(server.url, decode_responses=True) as client:
            return str(client.get("kept"))
    with psycopg.connect(server.url) as connection:
        row = connection.execute("SELECT answer FROM kept").fetchone()
        assert row is not None
        return str(row[0])


def test_data_and_url_outlive_a_restart(make: Start, tmp_path: Path) -> None:
    with make(tmp_path) as server:
        first_url = server.url
        remember(server)

    with make(tmp_path) as server:
        assert server.url == first_url
        assert recall(server) == "yes"


def test_data_outlives_a_kill(make: Start, tmp_path: Path) -> None:
    with make(tmp_path) as server:
        remember(server)
        server.kill()
        ended = not server.is_running()
        server.start()

        assert ended
        assert recall(server) == "yes"


def test_a_stopped_server_leaves_no_process_and_no_pid_file(make: Start, tmp_path: Path) -> None:
    with make(tmp_path) as server:
        pid = server.pid
        noted = (tmp_path / f"{server.name}.pid").read_text()

    assert pid is not None
    assert noted == f"{pid}\n"
    assert has_ended(pid)
    assert not (tmp_path / f"{server.name}.pid").exists()


def test_a_folder_in_use_is_refused_with_the_pid_of_its_server(make: Start, tmp_path: Path) -> None:
    with make(tmp_path) as server:
        with pytest.raises(ServerStartError, match=f"pid {server.pid} already runs from {tmp_path}"):
            make(tmp_path).start(folder_wait_s=0.1)

        remember(server)
        assert recall(server) == "yes"


def test_a_taken_port_is_refused_by_its_number(make: Start, tmp_path: Path) -> None:
    with make(tmp_path / "one") as server:
        other = make(tmp_path / "two")
        other.data_dir.mkdir()
        ports.keep(other.data_dir, server.port)

        with pytest.raises(ServerStartError, match=f"port {server.port} is taken"):
            other.start()


def test_the_port_that_is_asked_for_is_taken_and_kept(tmp_path: Path) -> None:
    port = next(filter(ports.is_free, ports.candidates(str(tmp_path))))
    with ValkeyServer(tmp_path, port) as server:
        first_url = server.url

    with ValkeyServer(tmp_path) as server:
        assert server.url == first_url == f"redis://127.0.0.1:{port}/0"


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        (lambda folder, _: ValkeyServer(folder, settings={"appendfsync": "sometimes"}), "sometimes"),
        (lambda folder, it: PostgresServer(folder, fsync=False, template=it, settings={"fsync": "perhaps"}), "Boolean"),
    ],
    ids=["valkey", "postgres"],
)
def test_a_server_that_ends_at_once_shows_its_last_words(
    server: Callable[[Path, Path], Server], shown: str, tmp_path: Path, postgres_template: Path
) -> None:
    with pytest.raises(ServerStartError, match=rf"ended with status \d+\n(?s:.*){shown}"):
        server(tmp_path, postgres_template).start()


def test_a_server_that_does_not_answer_is_ended_at_the_deadline(tmp_path: Path) -> None:
    dreamer = tmp_path / "dreamer"
    dreamer.write_text("#!/bin/sh\necho dreaming as $$\nexec sleep 600\n")
    dreamer.chmod(0o755)
    server = ValkeyServer(tmp_path, binary=dreamer)

    with pytest.raises(ServerStartError, match="did not answer in time\ndreaming as") as raised:
        server.start(deadline_s=1)

    assert has_ended(int(raised.value.detail.split()[-1]))


def test_a_folder_that_cannot_be_made_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ServerStartError, match="file"):
        ValkeyServer(tmp_path / "file" / "data").start()


@only_linux
def test_a_server_outlives_the_thread_that_started_it(make: Start, tmp_path: Path) -> None:
    server = make(tmp_path)
    thread = threading.Thread(target=server.start)
    thread.start()
    task = Path(f"/proc/self/task/{thread.native_id}")
    thread.join()
    try:
        wait_until(lambda: not task.exists(), DEADLINE_S, "the end of the thread in the kernel")
        remember(server)

        assert recall(server) == "yes"
    finally:
        server.stop()


ABANDON = """\
    import sys, time
    from pathlib import Path
    from copydesk.embedded import PostgresServer, ValkeyServer
    kind, folder, template = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if kind == "valkey":
        server = ValkeyServer(folder)
    else:
        server = PostgresServer(folder, fsync=False, template=template if template.name else None)
    server.start()
    print(server.pid, flush=True)
    time.sleep(600)
"""


@only_linux
def test_a_server_ends_with_a_killed_parent_and_its_folder_can_be_used_at_once(
    make: Start, tmp_path: Path, postgres_template: Path
) -> None:
    server = make(tmp_path)
    command = [sys.executable, "-c", textwrap.dedent(ABANDON), server.name, str(tmp_path), str(postgres_template)]
    with bystander(command) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())

    with server:
        remember(server)
        assert has_ended(orphan)
        assert recall(server) == "yes"


def test_valkey_keeps_what_it_gets_and_evicts_nothing(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path, maxmemory_bytes=64 * 2**20, appendfsync="always")
    with server, redis.Redis.from_url(f"redis://127.0.0.1:{server.port}", decode_responses=True) as client:
        found = client.config_get("appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "save", "bind")

    assert found == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory": str(64 * 2**20),
        "maxmemory-policy": "noeviction",
        "save": "",
        "bind": "127.0.0.1",
    }


def test_postgres_is_made_from_nothing_with_our_database_in_unicode(tmp_path: Path) -> None:
    with PostgresServer(tmp_path, fsync=False) as server, psycopg.connect(server.url) as connection:
        found = connection.execute(
            "SELECT current_user, current_database(), current_setting('server_encoding'), lower('ÀÉЖ'), 'ß' < 'ж'"
        ).fetchone()

    assert found == ("copydesk", "copydesk", "UTF8", "àéж", True)


def test_a_cluster_killed_while_it_was_made_is_made_again(tmp_path: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ABANDON), "postgres", str(tmp_path), ""]
    with bystander(command):
        begun = wait_until(lambda: list(tmp_path.glob(".unfinished-*/base")), DEADLINE_S, "initdb to have begun")
    whole = (tmp_path / "cluster").exists()

    with PostgresServer(tmp_path, fsync=False) as server:
        remember(server)
        assert recall(server) == "yes"
    assert begun
    assert not whole
    assert not list(tmp_path.glob(".unfinished-*"))


def test_a_stale_pid_file_that_names_a_living_process_does_not_stop_postgres(
    tmp_path: Path, postgres_template: Path
) -> None:
    server = PostgresServer(tmp_path, fsync=False, template=postgres_template)
    with server:
        remember(server)
        lines = (server.cluster / "postmaster.pid").read_text().splitlines()
        server.kill()
    with bystander(["sleep", "600"]) as other:
        lines[0] = str(other.pid)
        (server.cluster / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with server:
            found = recall(server)

    assert found == "yes"


def test_a_postgres_started_by_somebody_else_is_not_run_over(tmp_path: Path, postgres_template: Path) -> None:
    with PostgresServer(tmp_path / "one", fsync=False, template=postgres_template) as other:
        server = PostgresServer(tmp_path / "two", fsync=False, template=postgres_template)
        server.start()
        server.stop()
        (server.cluster / "postmaster.pid").write_text(f"{other.pid}\n")

        with pytest.raises(ServerStartError, match=f"pid {other.pid} may already run"):
            server.start()


def test_the_superuser_comes_in_through_the_socket_only(own_cluster: PostgresServer) -> None:
    with psycopg.connect(own_cluster.admin_url) as connection:
        found = connection.execute("SELECT usesuper FROM pg_user WHERE usename = current_user").fetchone()

    assert found == (True,)
    assert own_cluster.socket_folder.stat().st_mode & 0o077 == 0
    with pytest.raises(psycopg.OperationalError, match=r"rejects connection .* user \"postgres\""):
        psycopg.connect(own_cluster.url.replace("copydesk@", "postgres@"))


def test_a_role_that_was_added_comes_in_with_its_password_only(own_cluster: PostgresServer) -> None:
    with psycopg.connect(own_cluster.admin_url) as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'right'")

    psycopg.connect(own_cluster.url.replace("copydesk@", "guest:right@")).close()
    for wrong in ("guest@", "guest:wrong@"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(own_cluster.url.replace("copydesk@", wrong))


def test_a_data_folder_too_deep_for_a_socket_works(tmp_path: Path, postgres_template: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    with PostgresServer(deep, fsync=False, template=postgres_template) as server:
        folder = server.socket_folder
        with psycopg.connect(server.admin_url) as connection:
            found = connection.execute("SELECT 1").fetchone()

    assert found == (1,)
    assert not folder.exists()


def test_an_immediate_stop_loses_nothing_committed(own_cluster: PostgresServer) -> None:
    remember(own_cluster)
    own_cluster.stop(how=signal.SIGQUIT)
    own_cluster.start()

    assert recall(own_cluster) == "yes"
