"""A role of Postgres for each kind of process, where the server of a test has a superuser to make them."""

from __future__ import annotations

from urllib.parse import urlsplit

import psycopg

from copydesk.settings import role_urls
from copydesk.storage import roles
from tests import servers

PASSWORD = "it's a p@ss/word, 100 %"  # every character that an address, SQL or a log could trip over


def url_of_role(database_url: str, kind: str) -> str:
    parts = urlsplit(database_url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"copydesk_{kind}:{servers.quoted(PASSWORD)}@{host}").geturl()


def urls_of_roles(server: servers.Server, database_url: str) -> dict[str, str]:
    """The settings `postgres_<kind>_url`, their roles made and granted in this database; none without a superuser."""
    admin_url = getattr(server, "admin_url", None)
    if admin_url is None:
        return {}
    urls = {name: url_of_role(database_url, name.split("_")[1]) for name in role_urls()}
    with psycopg.connect(servers.with_database(admin_url, servers.database_name(database_url))) as connection:
        roles.set_up(connection, [roles.login_of(name.split("_")[1], url) for name, url in urls.items()])
    return urls
