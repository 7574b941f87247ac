"""Which ports an embedded server may get."""

from __future__ import annotations

import socket
from itertools import islice
from pathlib import Path

from copydesk.embedded import ports


def test_candidates_are_all_ports_below_the_range_of_outgoing_connections() -> None:
    assert sorted(ports.candidates("/data/valkey")) == list(range(15000, 32768))


def test_the_same_folder_is_offered_the_same_ports_and_another_folder_others() -> None:
    first, again, other = (list(islice(ports.candidates(seed), 5)) for seed in ("/a", "/a", "/b"))

    assert first == again
    assert not set(first) & set(other)


def test_a_port_is_free_only_while_nobody_listens_on_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        taken = ports.is_free(port)

    assert not taken
    assert ports.is_free(port)


def test_a_kept_port_is_found_again_and_a_damaged_note_is_none(tmp_path: Path) -> None:
    before = ports.kept(tmp_path)
    ports.keep(tmp_path, 20001)
    after = ports.kept(tmp_path)
    (tmp_path / "port").write_text("")

    assert (before, after, ports.kept(tmp_path)) == (None, 20001, None)
