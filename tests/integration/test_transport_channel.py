"""What a kombu program sees of the transport: consuming, cancelling and settling, in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from kombu import Connection, Queue
from kombu.message import Message

from copydesk.errors import SettingsError
from copydesk.queue import transport
from tests.waiting import wait_until

QUEUE = Queue("jobs", routing_key="jobs")


@pytest.fixture
def client(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url)


@pytest.fixture
def connection(redis_url: str) -> Iterator[Connection]:
    transport.register()
    options = transport.transport_options(8, 2, 3600)
    with Connection(transport.SCHEME_PREFIX + redis_url, transport_options=options) as made:
        yield made


def send(redis_url: str, *bodies: str) -> None:
    with Connection(redis_url) as program, program.Producer() as producer:
        for body in bodies:
            producer.publish(body, routing_key="jobs", declare=[QUEUE])


def drain(connection: Connection, seconds: float = 0.3) -> None:
    """Handle events until none came for `seconds`."""
    while True:
        try:
            connection.drain_events(timeout=seconds)
        except TimeoutError:
            return


def in_flight(client: redis.Redis) -> list[bytes]:
    return list(client.scan_iter("copydesk:transport:in-flight:*"))


def test_a_message_that_comes_after_the_consumer_was_cancelled_stays_queued(
    connection: Connection, client: redis.Redis, redis_url: str
) -> None:
    received: list[object] = []
    connection.channel()  # kombu hands a message without consumer to whichever channel came first
    channel = connection.channel()
    consumer = connection.Consumer(QUEUE, channel, callbacks=[lambda body, message: received.append(body)])
    consumer.consume()
    drain(connection)
    wait_until(lambda: client.info("clients")["blocked_clients"] > 0, 10, "a wait for a message")
    consumer.cancel()
    send(redis_url, "late")
    drain(connection)

    assert (received, client.llen("jobs"), in_flight(client)) == ([], 1, [])


def test_a_consumer_that_does_not_acknowledge_gets_each_message_once(
    connection: Connection, client: redis.Redis, redis_url: str
) -> None:
    send(redis_url, "a", "b")
    received: list[object] = []
    connection.Consumer(QUEUE, no_ack=True, callbacks=[lambda body, message: received.append(body)]).consume()
    drain(connection)
    drain(connection)

    assert received == ["a", "b"]
    assert (client.llen("jobs"), client.hlen("unacked"), in_flight(client)) == (0, 0, [])


def test_prefetch_bounds_what_is_held(connection: Connection, client: redis.Redis, redis_url: str) -> None:
    send(redis_url, "a", "b", "c")
    held: list[Message] = []
    consumer = connection.Consumer(QUEUE, callbacks=[lambda body, message: held.append(message)])
    consumer.qos(prefetch_count=2)
    consumer.consume()
    drain(connection)
    assert [m.payload for m in held] == ["a", "b"]

    held[0].ack()
    held[1].requeue()
    drain(connection)
    assert [m.payload for m in held] == ["a", "b", "c", "b"]
    assert held[3].headers["redelivered"]
    assert client.hlen("unacked") == 2


def test_a_consumers_own_error_is_its_own(connection: Connection, client: redis.Redis, redis_url: str) -> None:
    def fail(body: object, message: Message) -> None:
        raise ValueError(body)

    send(redis_url, "a")
    connection.Consumer(QUEUE, callbacks=[fail]).consume()
    with pytest.raises(ValueError, match="a"):
        drain(connection)

    assert client.hlen("unacked") == 1


def test_what_a_closed_channel_held_is_queued_again(
    connection: Connection, client: redis.Redis, redis_url: str
) -> None:
    send(redis_url, "a", "b")
    consumer = connection.Consumer(QUEUE, callbacks=[lambda body, message: None])
    consumer.qos(prefetch_count=1)
    consumer.consume()
    drain(connection)
    assert client.llen("jobs") == 1
    consumer.channel.close()

    assert (client.llen("jobs"), client.hlen("unacked"), in_flight(client)) == (2, 0, [])


@pytest.mark.parametrize(("end", "left"), [("ack", 0), ("reject", 0), ("requeue", 1)])
def test_a_single_get_works_as_with_kombu(
    connection: Connection, client: redis.Redis, redis_url: str, end: str, left: int
) -> None:
    send(redis_url, "a")
    message = QUEUE(connection).get()
    assert client.hlen("unacked") == 1
    getattr(message, end)()

    assert (client.llen("jobs"), client.hlen("unacked")) == (left, 0)


def test_a_key_prefix_is_refused(redis_url: str) -> None:
    transport.register()
    options = {"global_keyprefix": "x"}
    with (
        Connection(transport.SCHEME_PREFIX + redis_url, transport_options=options) as prefixed,
        pytest.raises(SettingsError),
    ):
        prefixed.connect()
