"""Who an embedded Postgres runs as, in every situation."""

from __future__ import annotations

import pytest

from copydesk.embedded.identity import SAME, Identity, Surroundings, choose

NOBODY = (65534, 65534)
MAPPED = Identity("map", *NOBODY)
DROPPED = Identity("drop", *NOBODY)
ALICE = (1000, 1000)


@pytest.mark.parametrize(
    ("euid", "has_name", "namespace_works", "data_owner", "identity"),
    [
        pytest.param(1000, True, True, None, SAME, id="ordinary user"),
        pytest.param(1000, True, False, ALICE, SAME, id="ordinary user, own data"),
        pytest.param(4711, False, True, None, MAPPED, id="user without a name"),
        pytest.param(4711, False, False, None, SAME, id="user without a name nor namespaces: initdb says why not"),
        pytest.param(0, True, True, None, MAPPED, id="root"),
        pytest.param(0, True, True, (0, 0), MAPPED, id="root, own data"),
        pytest.param(0, True, False, None, DROPPED, id="root without namespaces"),
        pytest.param(0, True, False, (0, 0), DROPPED, id="root without namespaces, data from when it had them"),
        pytest.param(0, True, True, NOBODY, DROPPED, id="root, data from when namespaces were forbidden"),
        pytest.param(0, True, True, ALICE, Identity("drop", *ALICE), id="root, data of an ordinary user"),
    ],
)
def test_identity_follows_from_who_we_are_and_whose_the_data_is(
    euid: int, has_name: bool, namespace_works: bool, data_owner: tuple[int, int] | None, identity: Identity
) -> None:
    around = Surroundings(euid, NOBODY, has_name, namespace_works, data_owner)

    assert choose(around) == identity


@pytest.mark.parametrize(
    ("identity", "text"), [(SAME, "same"), (MAPPED, "map:65534:65534"), (Identity("drop", 1000, 100), "drop:1000:100")]
)
def test_identity_is_written_as_the_launcher_reads_it(identity: Identity, text: str) -> None:
    assert str(identity) == text
