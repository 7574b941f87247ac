"""The roles that processes connect as: made, given their passwords and granted what `privileges.py` says.

Making a role needs CREATEROLE; granting needs no more than to own the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from copydesk.errors import UsageError
from copydesk.settings import Settings, role_urls
from copydesk.storage.connection import Connection, translated_errors
from copydesk.storage.privileges import PRIVILEGES

_ATTRIBUTES = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"


class Login(NamedTuple):
    """Who a kind of process connects as."""

    kind: str
    role: str
    password: str | None


class Made(NamedTuple):
    """What became of a role."""

    kind: str
    role: str
    what: str


def logins(settings: Settings) -> list[Login]:
    """Of every address that the settings name for one kind. Raises `UsageError` for one that names no role."""
    urls = {name.split("_")[1]: getattr(settings, name) for name in role_urls()}
    return [login_of(kind, url.get_secret_value()) for kind, url in urls.items() if url is not None]


def login_of(kind: str, url: str) -> Login:
    """The role and password in an address. Raises `UsageError` where it names none."""
    try:
        found = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise UsageError(f"the address of Postgres for {kind}", "it cannot be read") from error
    role, password = found.get("user"), found.get("password")
    if not role:
        raise UsageError(f"the address of Postgres for {kind}", "it names no user, who is the role to make")
    return Login(kind, str(role), None if password is None else str(password))


def set_up(connection: Connection, wanted: Sequence[Login]) -> list[Made]:
    """Make the roles that are missing, set the passwords of the others where we may, and grant; all or nothing.

    Raises `UsageError` for a role that owns the tables and for one that we may not make, `DatabaseUnavailable`.
    """
    with translated_errors("roles"), connection.transaction():
        made = [Made(login.kind, login.role, _make(connection, login)) for login in wanted]
        _grant(connection, wanted)
    return made


def _make(connection: Connection, login: Login) -> str:
    owner = connection.info.user
    if login.role == owner:
        raise UsageError(login.role, f"the role of {login.kind} would own the tables; give it a name of its own")
    row = connection.execute(
        "select rolsuper or pg_has_role(oid, current_user, 'member') from pg_roles where rolname = %s", (login.role,)
    ).fetchone()
    if row and row[0]:
        raise UsageError(login.role, "it is a superuser, or may act as the owner of the tables")
    verb = "alter" if row else "create"
    statement = sql.SQL("{} role {} {} password {}").format(
        sql.SQL(verb),
        sql.Identifier(login.role),
        sql.SQL(_ATTRIBUTES if verb == "create" else "login"),
        _secret(connection, login),
    )
    try:
        with connection.transaction():
            connection.execute(statement)
    except psycopg.errors.InsufficientPrivilege as error:
        if row:
            return "kept, its password is not ours to set"
        raise UsageError(
            login.role,
            f"{owner} may not make roles: let a superuser do it (`create role … login password …`), run this again",
        ) from error
    return "password set" if row else "made"


def _secret(connection: Connection, login: Login) -> sql.Composable:
    """Hashed here, so that no log of the server can have it in clear."""
    if login.password is None:
        return sql.NULL
    hashed = connection.pgconn.encrypt_password(login.password.encode(), login.role.encode(), b"scram-sha-256")
    return sql.Literal(hashed.decode())


def _grant(connection: Connection, wanted: Sequence[Login]) -> None:
    roles = {login.role for login in wanted}
    database = sql.Identifier(connection.info.dbname)
    for role in sorted(roles):
        name = sql.Identifier(role)
        for statement in (
            # What an earlier version granted and this one does not goes. Columns' privileges go with their table's.
            "revoke all on all tables in schema public from {role}",
            "grant connect on database {database} to {role}",
            "grant usage on schema public to {role}",
            "grant select on schema_migration to {role}",
        ):
            connection.execute(sql.SQL(statement).format(role=name, database=database))
    for login in wanted:
        for table, privilege in _privileges_of(login.kind):
            connection.execute(
                sql.SQL("grant {} on {} to {}").format(
                    sql.SQL(privilege), sql.Identifier(table), sql.Identifier(login.role)
                )
            )


def _privileges_of(kind: str) -> Iterator[tuple[str, str]]:
    """(table, privilege) pairs."""
    for table, privileges in PRIVILEGES[kind].items():
        for privilege in privileges:
            yield table, privilege
