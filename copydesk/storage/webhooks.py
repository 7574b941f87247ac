"""Tables webhook and webhook_log: who is told of changes by HTTP, how far each is, and every call."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from copydesk.storage.connection import Connection

_ADD = """
insert into webhook (url, secret, events, source, position)
values (%(url)s, %(secret)s, %(events)s, %(source)s, %(position)s)
    on conflict (url) do nothing
returning id
"""

_LIST = """
select id, url, events, source, enabled, position, failures, last_error, due_at, delivered_at, added_at,
       coalesce((select max(position) from outbox), 0) - position as behind
  from webhook order by id
"""

_REMOVE = "delete from webhook where id = %s"

_ENABLE = "update webhook set enabled = %s, due_at = now(), failures = 0 where id = %s"

_REWIND = "update webhook set position = %s, due_at = now(), failures = 0, leased_until = null where id = %s"

_CALLS = """
select called_at, first, last, events, status, error, seconds from webhook_log
 where webhook_id = %s order by id desc limit %s
"""

# One lease each, whoever asks at the same time. Events of no interest to it are passed over by whoever delivers.
_LEASE = """
with due as (
    select id from webhook
     where enabled and due_at <= now() and (leased_until is null or leased_until <= now())
       and position < coalesce((select max(position) from outbox), 0)
     order by due_at limit %(limit)s
       for update skip locked)
update webhook w set leased_until = now() + make_interval(secs => %(lease_s)s)
  from due where w.id = due.id
returning w.id, w.leased_until
"""

# Whoever loses its lease to a job that is carried again moves nothing any more; at worst a call is made twice.
_BEGIN = """
update webhook set leased_until = now() + make_interval(secs => %(lease_s)s)
 where id = %(id)s and enabled and (leased_until = %(lease)s or (%(again)s and leased_until is not null))
returning id, url, secret, events, source, position, failures, leased_until
"""

# Only under its own lease: a delivery that was overtaken moves nothing.
_DELIVERED = """
update webhook set position = %(last)s, failures = 0, last_error = null, delivered_at = now()
 where id = %(id)s and leased_until = %(lease)s
"""

_FAILED = """
update webhook set failures = failures + 1, last_error = %(error)s, leased_until = null,
       due_at = now() + make_interval(secs => %(wait_s)s)
 where id = %(id)s and leased_until = %(lease)s
"""

_LOG = """
insert into webhook_log (webhook_id, first, last, events, status, error, seconds)
values (%(id)s, %(first)s, %(last)s, %(events)s, %(status)s, %(error)s, %(seconds)s)
"""

_END = "update webhook set leased_until = null, position = greatest(position, %s) where id = %s and leased_until = %s"


class NewWebhook(NamedTuple):
    """Who is to be told, of which events, behind which position."""

    url: str
    secret: str
    events: list[str]
    source: str | None
    position: int


class Lease(NamedTuple):
    """The right to deliver to a webhook until a moment, which names it."""

    webhook_id: int
    until: datetime


class Webhook(NamedTuple):
    """A webhook in hand."""

    id: int
    url: str
    secret: str
    events: list[str]
    source: str | None
    position: int
    failures: int
    lease: datetime


class Call(NamedTuple):
    """One call and how it ended; `status` is None where no answer came."""

    first: int
    last: int
    events: int
    status: int | None
    error: str | None
    seconds: float


def add(connection: Connection, new: NewWebhook) -> int | None:
    """Insert a webhook; returns its id, None when the address has one."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, new._asdict())
        row = cursor.fetchone()
        return int(row[0]) if row else None


def listed(connection: Connection) -> list[dict[str, Any]]:
    """Every webhook without its secret, with `behind`: how many changes it has not been told of."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_LIST)
        return cursor.fetchall()


def calls(connection: Connection, webhook_id: int, limit: int) -> list[dict[str, Any]]:
    """The latest calls, newest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(_CALLS, (webhook_id, limit))
        return cursor.fetchall()


def remove(connection: Connection, webhook_id: int) -> bool:
    """Tell it nothing any more; False when there is none."""
    return _changed(connection, _REMOVE, (webhook_id,))


def enable(connection: Connection, webhook_id: int, *, enabled: bool) -> bool:
    """Switch it on, due at once, or off; False when there is none."""
    return _changed(connection, _ENABLE, (enabled, webhook_id))


def rewind(connection: Connection, webhook_id: int, position: int) -> bool:
    """Tell it again everything behind a position; False when there is none."""
    return _changed(connection, _REWIND, (position, webhook_id))


def lease(connection: Connection, *, limit: int, lease_s: float) -> list[Lease]:
    """Webhooks that are due and behind, each to one asker."""
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, {"limit": limit, "lease_s": lease_s})
        return [Lease(*row) for row in cursor.fetchall()]


def begin(connection: Connection, held: Lease, *, lease_s: float, again: bool = False) -> Webhook | None:
    """Take a webhook in hand under a lease, which is renewed; None when it is in other hands, off, or gone.

    With `again` also out of the hands of a worker that died over this very job.
    """
    with connection.cursor() as cursor:
        values = {"id": held.webhook_id, "lease": held.until, "lease_s": lease_s, "again": again}
        cursor.execute(_BEGIN, values)
        row = cursor.fetchone()
        return Webhook(*row) if row else None


def delivered(connection: Connection, webhook: Webhook, call: Call) -> None:
    """A call was taken: the webhook stands at its last event."""
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, {"id": webhook.id, "lease": webhook.lease, "last": call.last})
        cursor.execute(_LOG, {"id": webhook.id, **call._asdict()})


def failed(connection: Connection, webhook: Webhook, call: Call, wait_s: float) -> None:
    """A call was not taken: it is made again after `wait_s` seconds."""
    with connection.cursor() as cursor:
        values = {"id": webhook.id, "lease": webhook.lease, "error": call.error, "wait_s": wait_s}
        cursor.execute(_FAILED, values)
        cursor.execute(_LOG, {"id": webhook.id, **call._asdict()})


def end(connection: Connection, webhook: Webhook, position: int) -> None:
    """Nothing more to tell up to a position: the lease ends."""
    with connection.cursor() as cursor:
        cursor.execute(_END, (position, webhook.id, webhook.lease))


def _changed(connection: Connection, statement: Any, values: tuple[object, ...]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount > 0
