"""The parts of the Celery transport that need no server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kombu import Connection

from copydesk.errors import SettingsError
from copydesk.queue import transport
from copydesk.queue.custody import mark_redelivered


def record(message: dict[str, Any]) -> bytes:
    return json.dumps([message, "exchange", "routing key"]).encode()


@pytest.mark.parametrize(
    ("message", "marked"),
    [
        (
            {"headers": {"id": "1"}, "properties": {"delivery_info": {"exchange": ""}}},
            {
                "headers": {"id": "1", "redelivered": True},
                "properties": {"delivery_info": {"exchange": "", "redelivered": True}},
            },
        ),
        ({"headers": None, "properties": {}}, {"headers": None, "properties": {}}),
        ({"properties": {}, "body": "☂"}, {"properties": {}, "body": "☂"}),
        (
            {"headers": {"at": {"__type__": "datetime", "__value__": "2026-01-01"}, "n": 2**70}, "properties": {}},
            {
                "headers": {
                    "at": {"__type__": "datetime", "__value__": "2026-01-01"},
                    "n": 2**70,
                    "redelivered": True,
                },
                "properties": {},
            },
        ),
    ],
    ids=["kombu's", "no headers", "not ASCII", "kombu's types and large numbers stay as they are"],
)
def test_a_returned_message_says_so_and_is_otherwise_the_same(message: dict[str, Any], marked: dict[str, Any]) -> None:
    assert json.loads(mark_redelivered(record(message))) == marked


@pytest.mark.parametrize(("lease", "renew"), [(8, 4.1), (8, 8), (8, 0), (0, 0), (8, -1)])
def test_a_lease_that_cannot_hold_is_refused(lease: float, renew: float) -> None:
    with pytest.raises(SettingsError):
        transport.transport_options(lease, renew, 3600)


def test_the_wait_for_a_message_is_shorter_than_the_socket_timeout() -> None:
    options = transport.transport_options(8, 2, 3600)

    assert options["socket_timeout"] > transport.Transport.brpop_timeout


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://me:secret@host:7000/3", ("host", 7000, "me", "secret", "3", None)),
        ("redis://host", ("host", None, None, None, None, None)),
        ("rediss://host/1", ("host", None, None, None, "1", {"ssl_cert_reqs": "required"})),
        ("redis+socket:///run/redis.sock", ("socket:///run/redis.sock", None, None, None, None, None)),
    ],
)
def test_the_rest_of_the_url_means_what_it_means_to_kombu(url: str, expected: tuple[object, ...]) -> None:
    transport.register()
    made = Connection(transport.SCHEME_PREFIX + url).transport
    client = made.client

    assert isinstance(made, transport.Transport)
    assert (client.hostname, client.port, client.userid, client.password, client.virtual_host, client.ssl) == (
        *expected[:4],
        expected[4] or "/",
        expected[5],
    )


def test_a_cloned_connection_is_the_same() -> None:
    transport.register()
    connection = Connection(transport.SCHEME_PREFIX + "redis://host:7000/3")

    assert connection.clone().transport.client.as_uri() == connection.transport.client.as_uri()
