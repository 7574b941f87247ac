"""The Celery transport that loses no message: kombu's Redis transport with another way to take and to acknowledge.

Kombu 5.7 pops with BRPOP and only then writes the message to `unacked`; a worker or connection that dies in between
loses it. And if an acknowledgement fails, its prefetch slot is never freed: once all are gone, the worker stands
still. Here the pop moves the message to a list of the owner's (`custody`), a thread keeps the owner's lease (`lease`),
what a dead owner held comes back when that lease ends, and a failed acknowledgement frees its slot and is repeated.

Producers need none of this: queues and messages are those of `redis://`. For workers, call `register()` and use
`copydesk+redis://…`, `copydesk+rediss://…` or `copydesk+redis+socket://…` as the broker URL.

Left out: Sentinel and Cluster; `global_keyprefix`; pools that fork (solo and threads are tested); `basic_get`, which
is kombu's. Messages with a priority lie in keys of their own, as in kombu; they are looked for at least once a second,
and only the key of priority 0 is waited on. Private methods of kombu are overridden: it is pinned to the tested minor.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from queue import Empty
from time import monotonic, sleep
from typing import Any

import kombu.transport
import redis
from kombu.connection import Connection
from kombu.transport import redis as stock
from kombu.transport import virtual
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from copydesk.errors import SettingsError
from copydesk.liveness.pulse import pulse
from copydesk.queue.custody import Custody, Owner, Settlement, Taken
from copydesk.queue.lease import Lease

logger = logging.getLogger(__name__)

SCHEME_PREFIX = "copydesk+"
"""Put before a `redis://`, `rediss://` or `redis+socket://` URL, it makes it one for this transport."""

_ALIAS = SCHEME_PREFIX.rstrip("+")

# Only one key can be waited on; the others are looked at in between. 0.05 s is what a message in an idle queue waits
# at worst when its worker consumes several (at 0.2 s it was most of the idle latency of every door); an idle worker
# asks forty times a second for it, about 1 % of a core. One queue alone is waited on for kombu's own second.
_SHARED_WAIT_SECONDS = 0.05

# After a refusal (Redis full, its disk full, a replica): long enough not to be a load, short enough to be there soon
# after it ends.
_REFUSED_PAUSE_SECONDS = 1.0

# How long closing a channel waits for its messages to be returned; they come back anyway when the lease ends.
_RELEASE_WAIT_SECONDS = 1.0

# The errors of code that expected another message than it got.
_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)


def register() -> None:
    """Make `copydesk+…` URLs known to kombu. May be called again."""
    kombu.transport.TRANSPORT_ALIASES[_ALIAS] = f"{__name__}:Transport"


def transport_options(lease_seconds: float, renew_seconds: float, visibility_timeout: float) -> dict[str, Any]:
    """`broker_transport_options` for workers and producers. Times in seconds.

    Raises `SettingsError` when a lease would end before it is renewed for the second time.
    """
    if not 0 < 2 * renew_seconds <= lease_seconds:
        raise SettingsError("lease", f"{lease_seconds:g} s is not twice the renewal of {renew_seconds:g} s")
    return {
        # What a worker held that was killed comes back after this time (and at most one renewal more).
        "lease_seconds": lease_seconds,
        "renew_seconds": renew_seconds,
        # The last net, for messages that a stock worker took: above the longest task, or that runs twice.
        "visibility_timeout": visibility_timeout,
        # How often that net is pulled in, and at every turn, not at every tenth.
        "unacked_restore_interval": 30,
        "unacked_restore_throttle": 1,
        # A command on a silent peer fails; must exceed the second that a worker waits for a message.
        "socket_timeout": 5,
        "socket_connect_timeout": 3,
        # So that the kernel notices a dead peer on connections that only listen.
        "socket_keepalive": True,
        # A connection idle for longer is asked for a sign of life, and a wait for a message that is overdue by
        # longer is given up: a half-open socket is noticed after 7 s.
        "health_check_interval": 3,
        # A producer's LPUSH repeated after a timeout would be a second message.
        "retry_on_timeout": False,
    }


class NotRecordedError(Exception):
    """The message was returned to its queue, since the lease had ended, before this worker recorded it."""


class QoS(stock.QoS):
    """Which messages this channel works on, in step with `unacked`."""

    channel: Channel

    def append(self, message: Any, delivery_tag: str) -> None:
        """Record a message that the poll has taken. Raises `NotRecordedError` when it is not ours any more."""
        taken, lease = self.channel.taken, self.channel.lease
        if taken is None or lease is None:  # basic_get
            super().append(message, delivery_tag)
            return
        routing = (message.delivery_info["exchange"], message.delivery_info["routing_key"])
        if not lease.custody.record(taken, delivery_tag, routing):
            raise NotRecordedError(delivery_tag)
        self.channel.taken = None
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Done. Frees the prefetch slot whether or not Redis can be reached."""
        if self.channel.lease is None:
            super().ack(delivery_tag)
            return
        self.channel.lease.settle(Settlement(delivery_tag))
        virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Done, or back to the tail of the queue as with kombu. Frees the slot as `ack` does."""
        if self.channel.lease is None:
            super().reject(delivery_tag, requeue)
            return
        self.channel.lease.settle(Settlement(delivery_tag, "last" if requeue else "done"))
        virtual.QoS.ack(self, delivery_tag)

    def restore_unacked(self, client: object = None) -> None:
        """Return everything, at the end of the channel. Also what runs still: it will run twice."""
        if self.channel.lease is None:
            super().restore_unacked(client)
            return
        for tag in tuple(self._delivered):
            self.channel.lease.settle(Settlement(tag, "next"))
        self._delivered.clear()

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """Kombu's visibility timeout, which needs to write and must not end a worker when Redis is full."""
        try:
            super().restore_visible(start, num, interval)
        except redis.ResponseError as error:
            logger.warning("overdue messages not looked for: %s", error)


class Channel(stock.Channel):
    """A kombu channel that owns what it has taken.

    Polling alternates: a script that sweeps all queues, and when they are empty a wait on one of them.
    """

    QoS = QoS
    lease_seconds = 8.0
    renew_seconds = 2.0
    from_transport_options = (*stock.Channel.from_transport_options, "lease_seconds", "renew_seconds")  # type: ignore[assignment]  # kombu's is a tuple of another length

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.lease: Lease | None = None
        self.taken: Taken | None = None
        self._unacknowledged: set[str] = set()
        self._waiting_on: str | None = None
        self._sweep_next = True
        self._refused = False
        super().__init__(*args, **kwargs)
        if self.global_keyprefix:
            self.close()
            raise SettingsError("global_keyprefix", "not supported by the copydesk transport")

    def basic_consume(self, queue: str, no_ack: bool, *args: Any, **kwargs: Any) -> Any:
        consuming = super().basic_consume(queue, no_ack, *args, **kwargs)
        if queue not in self.active_fanout_queues:
            self._own(self._sources([queue]))
            (self._unacknowledged.add if no_ack else self._unacknowledged.discard)(queue)
        return consuming

    def close(self) -> None:
        try:
            super().close()
        finally:
            if self.lease is not None:
                self.lease.release(_RELEASE_WAIT_SECONDS)

    # --- the poll: kombu calls these two in turn, whenever a prefetch slot is free ----------------------------

    def _brpop_start(self, timeout: float | None = None) -> None:
        queues: list[str] = self._queue_cycle.consume(len(self.active_queues))
        if not queues or self.lease is None:
            return
        if self._sweep_next:
            self._waiting_on = None
            command = self.lease.custody.take_command(self._sources(queues))
        else:
            self._waiting_on = queues[0]
            longest = self.brpop_timeout if len(queues) == 1 else _SHARED_WAIT_SECONDS
            command = self.lease.custody.wait_command(queues[0], timeout or longest)
        self._in_poll = self.client.connection
        self._brpop_sent_at = monotonic()  # type: ignore[assignment]  # kombu says None and stores floats
        self.client.connection.send_command(*command)

    def _brpop_read(self, **options: Any) -> bool:
        try:
            taken = self._read_reply(**options)
            if taken is None or self.lease is None or self._closing:  # closing: it is returned with the lease
                raise Empty
            self._deliver(taken, self.lease.custody)
            return True
        except redis.ResponseError as error:
            if self.taken is None:  # recorded, so the error is the consumer's own
                raise
            self.pause(error)  # the message stays in flight, and the next sweep begins with it
            raise Empty from error
        finally:
            self.taken = None
            self._in_poll = None  # type: ignore[assignment]  # kombu says bool and stores None or a connection
            self._flush_brpop_reauth()

    def _read_reply(self, **options: Any) -> Taken | None:
        connection, waited_on = self.client.connection, self._waiting_on
        try:
            reply = self.client.parse_response(connection, "BLMOVE" if waited_on else "EVAL", **options)
        except redis.ReadOnlyError as error:  # a replica now: the master is found by connecting again
            connection.disconnect()
            raise redis.ConnectionError(str(error)) from error
        except redis.ResponseError as error:
            # A full Redis refuses the wait and not the sweep. All queues were empty a moment ago, so there is time.
            self.pause(error)
            self._sweep_next = True
            return None
        except self.connection_errors:
            connection.disconnect()
            if self._closing:
                return None
            raise
        self._refused = False
        pulse.finish("look into the queue")
        self._sweep_next = bool(reply) or waited_on is not None
        if waited_on is None:
            return Taken(bytes_to_str(reply[0]), reply[1]) if reply else None
        if not reply:
            self._queue_cycle.rotate(waited_on)
            return None
        return Taken(waited_on, reply)

    def _deliver(self, taken: Taken, custody: Custody) -> None:
        """Hand a message to its consumer, which records it first. Raises `Empty` when there is nothing to run."""
        queue = taken.source.rsplit(self.sep, 1)[0]
        self.taken = taken
        if queue not in self._active_queues:  # cancelled while we waited
            custody.give_back(taken)
            raise Empty
        self._queue_cycle.rotate(queue)
        if queue in self._unacknowledged:
            custody.drop(taken)
            self.taken = None
        try:
            self.connection._deliver(loads(bytes_to_str(taken.item)), queue)
        except NotRecordedError as error:
            logger.info("message %s was returned before it was recorded", error)
            raise Empty from None
        except _UNREADABLE as error:
            if self.taken is None:  # recorded, so the error is the consumer's own
                raise
            custody.set_aside(taken)
            logger.exception("unreadable message in %s set aside: %.200r", taken.source, taken.item)
            raise Empty from error

    # --- steps -----------------------------------------------------------------------------------------------

    def _on_connection_disconnect(self, connection: Any) -> None:
        """The connection that polls is gone: those that wait their turn are not waited on to find the same."""
        super()._on_connection_disconnect(connection)
        if self.lease is not None:
            self.lease.custody.reconnect()

    def pause(self, error: redis.ResponseError) -> None:
        """Redis answers and refuses: wait a little, so that asking again is no load. Says so once."""
        if not self._refused:
            logger.warning("Redis refuses, asking again every %g s: %s", _REFUSED_PAUSE_SECONDS, error)
        self._refused = True
        pulse.back_off("redis")
        sleep(_REFUSED_PAUSE_SECONDS)

    def _queue_bind(self, *args: Any) -> None:
        """Write the binding; without room for it go on: only publishing to an exchange by name looks it up."""
        try:
            super()._queue_bind(*args)
        except redis.ResponseError as error:
            logger.warning("binding %s not written: %s", args, error)

    def maybe_refresh_binding_expiry(self) -> None:
        """Kombu's upkeep of short-lived bindings, every second; a full Redis refuses it, which needs no traceback."""
        try:
            super().maybe_refresh_binding_expiry()
        except redis.ResponseError as error:
            logger.debug("bindings not refreshed: %s", error)

    def _sources(self, queues: Sequence[str]) -> list[str]:
        """The keys of the queues, most urgent priority first, as kombu orders them."""
        return [self._q_for_pri(queue, priority) for priority in self.priority_steps for queue in queues]

    def _own(self, sources: Sequence[str]) -> None:
        """Become an owner that takes from `sources`."""
        if self.lease is None:
            owner = Owner(uuid.uuid4().hex, list(sources))
            keeper = self._custody(owner, socket_timeout=max(self.renew_seconds, 1.0))
            self.lease = Lease(self._custody(owner), keeper, self.renew_seconds)
            self.lease.start()
            return
        owner = self.lease.custody.owner
        owner.sources = list(dict.fromkeys([*owner.sources, *sources]))

    def _custody(self, owner: Owner, **changed: Any) -> Custody:
        """With a client of its own, which outlives the channel: a task may end after its connection was lost."""
        client = redis.Redis(connection_pool=redis.ConnectionPool(**self._connparams() | changed))
        keys = {"unacked_key": self.unacked_key, "unacked_index_key": self.unacked_index_key}
        return Custody(client, owner, self.lease_seconds, **keys)


class Transport(stock.Transport):
    """Kombu's Redis transport with our channel."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        # Kombu cuts `copydesk+` off and leaves the rest of the URL in `hostname`, unread.
        if "://" in (client.hostname or ""):
            secure = client.hostname.startswith("rediss://")
            client = Connection(
                client.hostname,
                transport=type(self),
                ssl=client.ssl or ({"ssl_cert_reqs": "required"} if secure else None),
                transport_options=client.transport_options,
                credential_provider=client.credential_provider,
            )
        super().__init__(client, **kwargs)
