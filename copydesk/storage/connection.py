"""Connections to Postgres: bounded in time, and psycopg's errors turned into ours at the border."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import psycopg

from copydesk.errors import DatabaseNotTrusted, DatabaseUnavailable, RowRefused

Connection = psycopg.Connection[tuple[Any, ...]]

# These speak of the row. Everything else psycopg raises is the server's or the network's state and passes: read-only
# and idle-in-transaction arrive as InternalError, disk full as OperationalError. Class 54 is the exception among the
# OperationalErrors: a value too long for its index, a JSON nested too deeply.
ROW_ERRORS = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
)

# libpq gives a refusal by TLS no code of its own, only these words.
_NOT_TRUSTED = re.compile(r"certificate|SSL error|(does not support|requires) SSL|SSL was required")

_OPTIONS = "-c statement_timeout={ms} -c idle_in_transaction_session_timeout=15000 -c lock_timeout={ms} -c timezone=UTC"


def connect(url: str, *, deadline_s: float = 10.0, name: str = "copydesk") -> Connection:
    """Open a connection. Raises `DatabaseUnavailable`.

    Statements are cut by the server after `deadline_s`; use `deadline` for a peer that is silent altogether.
    """
    with translated_errors("connect"):
        connection = psycopg.connect(
            url,
            connect_timeout=3,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            application_name=name,
            options=_OPTIONS.format(ms=int(deadline_s * 1000)),
        )
        try:
            with deadline(connection, deadline_s):
                _use_lz4(connection)
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def deadline(connection: Connection, seconds: float) -> Iterator[None]:
    """Shut the connection's socket down when the block takes longer.

    psycopg waits for ever on a peer whose kernel acknowledges and whose process is silent (a proxy, a pooler);
    neither tcp_user_timeout nor statement_timeout helps there.
    """
    # A descriptor of its own: by the time it fires, the connection's number may be somebody else's.
    with socket.socket(fileno=os.dup(connection.fileno())) as peer:

        def cut() -> None:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextlib.contextmanager
def bounded_transaction(connection: Connection, subject: str, deadline_s: float) -> Iterator[None]:
    """One transaction that does not outlast `deadline_s`; raises `DatabaseUnavailable` or `RowRefused` of `subject`."""
    with deadline(connection, deadline_s), translated_errors(subject), connection.transaction():
        yield


@contextlib.contextmanager
def single_transaction(url: str, subject: str, *, deadline_s: float, name: str) -> Iterator[Connection]:
    """`bounded_transaction` on a connection of its own: for steps between which lies something slow."""
    connection = connect(url, deadline_s=deadline_s, name=name)
    try:
        with bounded_transaction(connection, subject, deadline_s):
            yield connection
    finally:
        connection.close()


def ping(connection: Connection) -> None:
    """Ask for a sign of life. Raises `DatabaseUnavailable`."""
    with translated_errors("ping"), connection.transaction():
        connection.execute("select 1")


@contextlib.contextmanager
def translated_errors(subject: str) -> Iterator[None]:
    """Raises `RowRefused` for what Postgres refuses in a row, `DatabaseUnavailable` for everything else."""
    try:
        yield
    except ROW_ERRORS as error:
        raise RowRefused(subject, f"{type(error).__name__}: {error}") from error
    except psycopg.Error as error:
        is_stranger = isinstance(error, psycopg.OperationalError) and _NOT_TRUSTED.search(str(error))
        kind = DatabaseNotTrusted if is_stranger else DatabaseUnavailable
        raise kind(subject, f"{type(error).__name__}: {error}") from error


def _use_lz4(connection: Connection) -> None:
    """lz4 stores bodies 1.5 times as fast as pglz, where the server was built with it (the embedded one was not)."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(
            "select set_config('default_toast_compression', 'lz4', false) from pg_settings"
            " where name = 'default_toast_compression' and 'lz4' = any (enumvals)"
        )
