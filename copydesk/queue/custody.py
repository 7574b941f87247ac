"""Which worker holds which message: the keys, and the scripts that move a message from one hand to the next.

A message is at any moment in exactly one place: its queue, the in-flight list of an owner, or kombu's `unacked` hash.
Every move is one script, so a kill at any point leaves it in one of them. An owner is one consuming channel; it holds
a lease (a key with a TTL), and what an owner without a lease holds may be returned by anybody.

The scripts run although Redis is full (`allow-oom`): they move what is there already, and the worker that takes a
message is what frees its memory. They need Redis 7 or Valkey 8; Redis Cluster is not supported (keys are made up in
the scripts). Nothing here knows kombu or threads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import time
from typing import Any, Literal

import redis

PREFIX = "copydesk:transport:"
OWNERS = f"{PREFIX}owners"
"""Hash: owner id -> `<seconds when last seen> <JSON list of the keys it takes from>`."""
HOLDERS = f"{PREFIX}holders"
"""Hash: delivery tag -> `<owner id> <key it was taken from>`, for every message in `unacked` that we put there."""
UNREADABLE = f"{PREFIX}unreadable"
"""List of messages that are not messages, newest first, until `take_unreadable` has carried them off."""

# A dead owner stays listed this long, although it was emptied: its last BLMOVE may still be waiting in the server, or
# its process be suspended just before it, and so one more message may arrive in its in-flight list.
FORGET_SECONDS = 600

# Long enough to hold the delivery tag of every message that kombu wrote: it is the last field.
_TAIL_BYTES = 128

_ALLOW_OOM = "#!lua flags=allow-oom\n"

# KEYS: lease, owners; ARGV: owner, lease in ms, sources as JSON. Gives whether the lease was still there.
_REGISTER = """
local kept = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], redis.call('TIME')[1] .. ' ' .. ARGV[3])
"""

RENEW = f"{_ALLOW_OOM}{_REGISTER} return kept"

# KEYS from 3: the keys to take from, in order; ARGV[4]: prefix of the owner's in-flight lists. What lies in any of
# these when the owner asks for more was never recorded (a lost reply, a refused write): it goes back first.
# The oldest message is the rightmost, in the queue and in flight.
TAKE = f"""{_ALLOW_OOM}{_REGISTER}
for _, source in ipairs(cjson.decode(ARGV[3])) do
  while redis.call('LMOVE', ARGV[4] .. source, source, 'LEFT', 'RIGHT') do end
end
for i = 3, #KEYS do
  local item = redis.call('LMOVE', KEYS[i], ARGV[4] .. KEYS[i], 'RIGHT', 'LEFT')
  if item then return {{KEYS[i], item}} end
end
return false
"""

# KEYS: in-flight list, unacked, unacked_index, holders; ARGV: tag, holder, now, length and tail of the message, rest
# of the JSON that kombu keeps in `unacked`. 0 = the message is no longer ours: the lease had ended and somebody
# returned it. Asked twice, it says yes twice.
RECORD = f"""{_ALLOW_OOM}
local item = redis.call('LINDEX', KEYS[1], 0)
if item and #item == tonumber(ARGV[4]) and string.sub(item, -#ARGV[5]) == ARGV[5] then
  redis.call('HSET', KEYS[2], ARGV[1], '[' .. item .. ', ' .. ARGV[6] .. ']')
  redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
  redis.call('HSET', KEYS[4], ARGV[1], ARGV[2])
  redis.call('LPOP', KEYS[1])
  return 1
end
return redis.call('HGET', KEYS[4], ARGV[1]) == ARGV[2] and 1 or 0
"""

# KEYS: lease, holders, unacked, unacked_index, queue; ARGV: tag, holder, message, RPUSH (next to be taken) or LPUSH,
# whether a live lease forbids it. The holder must be the one that was read: of two that race, one returns it.
RETURN_RECORDED = f"""{_ALLOW_OOM}
if ARGV[5] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
local there = redis.call('HEXISTS', KEYS[3], ARGV[1])
if there == 1 then redis.call(ARGV[4], KEYS[5], ARGV[3]) end
redis.call('HDEL', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return there
"""

# KEYS: lease, owners, the keys that the owner took from; ARGV: owner, prefix of its in-flight lists, seconds after
# which it is forgotten.
RETURN_IN_FLIGHT = f"""{_ALLOW_OOM}
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local moved = 0
for i = 3, #KEYS do
  while redis.call('LMOVE', ARGV[2] .. KEYS[i], KEYS[i], 'LEFT', 'RIGHT') do moved = moved + 1 end
end
local seen = tonumber(string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^%d+')) or 0
if tonumber(redis.call('TIME')[1]) - seen >= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[2], ARGV[1]) end
return moved
"""

# KEYS: in-flight list, where to; ARGV: the message, the end of the list it goes to.
PUT_AWAY = f"""{_ALLOW_OOM}
if redis.call('LINDEX', KEYS[1], 0) == ARGV[1] then redis.call('LMOVE', KEYS[1], KEYS[2], 'LEFT', ARGV[2]) end
"""

Command = tuple[str | bytes | int | float, ...]


@dataclass(slots=True)
class Owner:
    """One consuming channel, and every key it has taken messages from."""

    id: str
    sources: list[str] = field(default_factory=list)

    @property
    def lease(self) -> str:
        """The key whose TTL is the lease."""
        return f"{PREFIX}lease:{self.id}"

    @property
    def in_flight_prefix(self) -> str:
        """Followed by a source, the list of what was taken from there and not yet recorded: one message at most."""
        return f"{PREFIX}in-flight:{self.id}:"

    def holds_from(self, source: str) -> str:
        """What stands in `HOLDERS` for a message that this owner took from `source`."""
        return f"{self.id} {source}"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message between the queue and `unacked`."""

    source: str
    item: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a message in `unacked` ends there: done, or back to the queue as the next or the last to be taken."""

    tag: str
    end: Literal["done", "next", "last"] = "done"


class Custody:
    """The moves of one owner's messages over one connection. Raises redis-py's errors.

    Not to be shared between threads that must not wait for each other; two of them for one owner are fine.
    """

    def __init__(
        self,
        client: redis.Redis,
        owner: Owner,
        lease_seconds: float,
        *,
        unacked_key: str = "unacked",
        unacked_index_key: str = "unacked_index",
    ) -> None:
        self._redis = client
        self.owner = owner
        self._lease_ms = int(lease_seconds * 1000)
        self._unacked = unacked_key
        self._index = unacked_index_key

    # --- taking: sent by the transport over the connection it polls ------------------------------------------

    def take_command(self, sources: Sequence[str]) -> Command:
        """Register, return what was left in flight, and take the first message there is: `[source, item]` or nil."""
        keys = (self.owner.lease, OWNERS, *sources)
        return ("EVAL", TAKE, len(keys), *keys, *self._registration(), self.owner.in_flight_prefix)

    def wait_command(self, source: str, timeout_s: float) -> Command:
        """Take the next message of `source`, or nil after `timeout_s`. A full Redis refuses it, unlike the other."""
        return ("BLMOVE", source, self.owner.in_flight_prefix + source, "RIGHT", "LEFT", timeout_s)

    # --- one message -----------------------------------------------------------------------------------------

    def record(self, taken: Taken, tag: str, routing: Sequence[str]) -> bool:
        """Move a taken message to `unacked`. False when it is not ours any more, so must not be worked on."""
        rest = ", ".join(json.dumps(part) for part in routing)
        return bool(
            self._eval(
                RECORD,
                [self.owner.in_flight_prefix + taken.source, self._unacked, self._index, HOLDERS],
                [tag, self.owner.holds_from(taken.source), time(), len(taken.item), taken.item[-_TAIL_BYTES:], rest],
            )
        )

    def settle(self, settlement: Settlement) -> None:
        """Take a message out of `unacked`. Harmless when repeated, and when it is there no more."""
        if settlement.end == "done":
            # Outside MULTI, which a full Redis refuses; of these three it refuses none. `unacked` goes first: without
            # it the rest is litter that whoever meets it removes.
            pipe = self._redis.pipeline(transaction=False)
            pipe.hdel(self._unacked, settlement.tag)
            pipe.zrem(self._index, settlement.tag)
            pipe.hdel(HOLDERS, settlement.tag)
            pipe.execute()
            return
        holder = _text(self._redis.hget(HOLDERS, settlement.tag) or b"")
        owner_id, _, source = holder.partition(" ")
        if owner_id == self.owner.id:
            self._return_recorded(settlement.tag, holder, source, settlement.end)

    def drop(self, taken: Taken) -> None:
        """Forget a taken message: its consumer does not acknowledge."""
        self._redis.lpop(self.owner.in_flight_prefix + taken.source)

    def set_aside(self, taken: Taken) -> None:
        """Put a message that cannot be read where it stops nothing."""
        self._eval(PUT_AWAY, [self.owner.in_flight_prefix + taken.source, UNREADABLE], [taken.item, "LEFT"])

    def give_back(self, taken: Taken) -> None:
        """Put a taken message back, as the next to be taken."""
        self._eval(PUT_AWAY, [self.owner.in_flight_prefix + taken.source, taken.source], [taken.item, "RIGHT"])

    def reconnect(self) -> None:
        """Use a new connection from now on."""
        self._redis.connection_pool.disconnect()

    # --- the lease, and those whose lease has ended -------------------------------------------------------------

    def renew(self) -> bool:
        """Hold the lease for another term. False when it had ended (or was never there)."""
        return bool(self._eval(RENEW, [self.owner.lease, OWNERS], self._registration()))

    def release(self) -> int:
        """Give up the lease and return what is still held: how many messages.

        The owner stays listed: if the connection was cut while it waited for a message, the server may not know yet.
        """
        self._redis.delete(self.owner.lease)
        return self.return_orphans(own_too=True)

    def return_orphans(self, *, own_too: bool = False) -> int:
        """Return what owners without a lease hold to the head of its queue: how many messages this call returned.

        Any number may race; each message is returned by one of them. Two small reads when nobody has died.
        """
        owners = {_text(k): _text(v) for k, v in self._hash(OWNERS).items()}
        holders = {_text(k): _text(v) for k, v in self._hash(HOLDERS).items()}
        candidates = owners.keys() | {h.partition(" ")[0] for h in holders.values()}
        dead = self._without_lease(sorted(candidates if own_too else candidates - {self.owner.id}))
        returned = 0
        for tag, holder in holders.items():
            owner_id, _, source = holder.partition(" ")
            if owner_id in dead:
                returned += self._return_recorded(tag, holder, source, "next", lease=dead[owner_id].lease)
        for owner_id in dead.keys() & owners.keys():
            sources = json.loads(owners[owner_id].partition(" ")[2])
            keys = [dead[owner_id].lease, OWNERS, *sources]
            arguments: list[str | int] = [owner_id, dead[owner_id].in_flight_prefix, FORGET_SECONDS]
            returned += int(self._eval(RETURN_IN_FLIGHT, keys, arguments))
        return returned

    # --- steps -----------------------------------------------------------------------------------------------

    def _return_recorded(
        self, tag: str, holder: str, source: str, end: Literal["next", "last"], *, lease: str = ""
    ) -> int:
        """1 when this call moved the message back. `lease`: only while that key does not exist."""
        record = self._redis.hget(self._unacked, tag)
        message = mark_redelivered(_bytes(record)) if record is not None else b""
        push = "RPUSH" if end == "next" else "LPUSH"
        keys = [lease, HOLDERS, self._unacked, self._index, source]
        return int(self._eval(RETURN_RECORDED, keys, [tag, holder, message, push, int(bool(lease))]))

    def _without_lease(self, owner_ids: Sequence[str]) -> dict[str, Owner]:
        owners = [Owner(owner_id) for owner_id in owner_ids]
        pipe = self._redis.pipeline(transaction=False)
        for owner in owners:
            pipe.exists(owner.lease)
        return {owner.id: owner for owner, leased in zip(owners, pipe.execute(), strict=True) if not leased}

    def _registration(self) -> tuple[str, int, str]:
        return (self.owner.id, self._lease_ms, json.dumps(self.owner.sources))

    def _hash(self, key: str) -> dict[Any, Any]:
        found: Any = self._redis.hgetall(key)
        return dict(found)

    def _eval(self, script: str, keys: Sequence[str], arguments: Sequence[str | bytes | int | float]) -> Any:
        return self._redis.eval(script, len(keys), *keys, *arguments)


def in_flight(client: redis.Redis) -> int:
    """How many messages owners have taken and not yet recorded. Raises redis-py's errors."""
    owners: Any = client.hgetall(OWNERS)
    pipe = client.pipeline(transaction=False)
    for owner_id, registration in owners.items():
        owner = Owner(_text(owner_id))
        for source in json.loads(_text(registration).partition(" ")[2]):
            pipe.llen(owner.in_flight_prefix + source)
    return sum(int(count) for count in pipe.execute())


def take_unreadable(client: redis.Redis, carry_off: Callable[[bytes], object]) -> int:
    """Hand each message that was set aside to `carry_off`, oldest first, then forget it; returns how many.

    One that was carried off and not forgotten is carried off again. Raises redis-py's errors.
    """
    count = 0
    while (found := client.lindex(UNREADABLE, -1)) is not None:
        carry_off(_bytes(found))
        client.lrem(UNREADABLE, -1, found)  # type: ignore[arg-type]  # redis-py says str; it takes what it gave
        count += 1
    return count


def mark_redelivered(record: bytes) -> bytes:
    """The message in a value of `unacked` (`[message, exchange, routing key]`), marked as kombu marks it."""
    message = json.loads(record)[0]
    for mapping in (message.get("headers"), message["properties"].get("delivery_info")):
        if isinstance(mapping, dict):
            mapping["redelivered"] = True
    return json.dumps(message).encode()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
