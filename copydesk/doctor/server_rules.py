"""The checks of Redis, of Postgres and of the roles that processes have there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from copydesk.doctor.facts import Facts
from copydesk.doctor.findings import Finding, fail, ok, warn
from copydesk.errors import DatabaseNotTrusted, DependencyError, QueueNotTrusted
from copydesk.queue.server import RedisServer, is_encrypted
from copydesk.storage.server import PostgresServer

LOOPBACK = {"127.0.0.1", "::1", "localhost"}

# Those that the suite runs on.
TESTED_REDIS = {"redis": 8, "valkey": 9}
TESTED_POSTGRES = {17, 18}

# Whoever wants in tries these first.
DEFAULT_PASSWORDS = {"copydesk", "postgres", "password", "redis", ""}


def check_redis(facts: Facts) -> Iterator[Finding]:
    """Reached, of a version that is tested, set to lose and evict nothing, and spoken to in private."""
    server = facts.redis
    if not isinstance(server, RedisServer):
        yield _unreachable("redis", server)
        return
    yield ok("redis", "answers")
    says = f"{server.kind} {'.'.join(map(str, server.version))}"
    tested = TESTED_REDIS[server.kind]
    if server.version[:1] == (tested,):
        yield ok("redis version", says)
    else:
        yield warn("redis version", f"{says} is not what copydesk is tested on", "use Redis 8 or Valkey 9")
    if server.has_group:
        yield ok("article stream", "storage workers find their place")
    else:
        yield fail("article stream", "its group is missing", "copydesk migrate")
    yield from _redis_settings(server, facts.settings.stream_bytes_max + facts.settings.dedupe_bytes_max)
    yield from _redis_privacy(facts.settings.redis_url.get_secret_value())


def _redis_settings(server: RedisServer, needed_bytes: int) -> Iterator[Finding]:
    found = server.settings
    if not found:
        yield warn("redis settings", "it does not show them", "it needs appendonly yes, maxmemory-policy noeviction")
        return
    if found.get("appendonly") != "yes":
        yield fail(
            "redis appendonly",
            "off: Celery's jobs end with it",
            "set appendonly yes and appendfsync everysec",
        )
    elif found.get("appendfsync") == "no":
        yield warn(
            "redis appendfsync",
            "no: a power cut loses half a minute of jobs",
            "set appendfsync everysec",
        )
    else:
        yield ok("redis appendfsync", found.get("appendfsync", ""))
    policy = found.get("maxmemory-policy", "")
    if policy != "noeviction":
        yield fail("redis maxmemory-policy", f"{policy}: a full Redis throws jobs away", "set it to noeviction")
    else:
        yield ok("redis maxmemory-policy", policy)
    limit = int(found.get("maxmemory", 0))
    if not limit:
        yield warn("redis maxmemory", "no limit: it takes what the machine has", "set maxmemory to 768mb or more")
    elif limit < needed_bytes:
        yield fail(
            "redis maxmemory",
            f"{limit / 2**20:.0f} MiB, and stream and likeness index may take {needed_bytes / 2**20:.0f}",
            "raise maxmemory, or lower COPYDESK_STREAM_BYTES_MAX and COPYDESK_DEDUPE_BYTES_MAX",
        )
    elif server.used_bytes > 0.85 * limit:
        yield warn(
            "redis maxmemory",
            f"{server.used_bytes / limit:.0%} in use",
            "see what fills it: `copydesk audit`; raise maxmemory",
        )
    else:
        yield ok("redis maxmemory", f"{server.used_bytes / limit:.0%} of {limit / 2**20:.0f} MiB in use")


def _redis_privacy(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    if is_near(url):
        yield ok("redis privacy", "on this machine")
        return
    if (parts.password or "") in DEFAULT_PASSWORDS:
        yield warn("redis password", "none, or one that is tried first", "give it a password, or a user by ACL SETUSER")
    if not is_encrypted(url):
        yield warn("redis privacy", "articles cross the network in clear", "use rediss:// and COPYDESK_REDIS_TLS_CA")
    elif "ssl_cert_reqs=none" in parts.query or "ssl_check_hostname=false" in parts.query.lower():
        yield fail("redis privacy", "any server is believed", "take ssl_… out of COPYDESK_REDIS_URL")
    else:
        yield ok("redis privacy", "TLS, its certificate is checked")


def check_postgres(facts: Facts) -> Iterator[Finding]:
    """Reached, of a version that is tested, at this schema, set to keep what it commits, and spoken to in private."""
    server = facts.postgres
    if not isinstance(server, PostgresServer):
        yield _unreachable("postgres", server)
        return
    yield ok("postgres", "answers")
    if server.version in TESTED_POSTGRES:
        yield ok("postgres version", f"Postgres {server.version}")
    else:
        yield warn("postgres version", f"Postgres {server.version} is not what copydesk is tested on", "use 17 or 18")
    missing, unknown = sorted(server.wanted - server.present), sorted(server.present - server.wanted)
    if unknown:
        yield fail("migrations", f"the database is newer: {unknown}", "install the version of copydesk that made it")
    elif missing:
        yield fail("migrations", "none applied" if not server.present else f"missing: {missing}", "copydesk migrate")
    else:
        yield ok("migrations", f"all {len(server.wanted)} applied")
    if not server.fsync:
        yield fail("postgres fsync", "off: a crash of the machine can destroy the database", "set fsync = on")
    if server.synchronous_commit == "off":
        yield fail("postgres commits", "told before they are on disk", "set synchronous_commit = on")
    yield from _postgres_privacy(server, facts.settings.postgres_url.get_secret_value())


def _postgres_privacy(server: PostgresServer, url: str) -> Iterator[Finding]:
    if is_near(url):
        yield ok("postgres privacy", "on this machine")
        return
    if server.password in DEFAULT_PASSWORDS:
        yield warn(
            "postgres password",
            "none, or one that is tried first",
            "alter role … password …, and in the address",
        )
    mode = parse_qs(urlsplit(url).query).get("sslmode", [""])[0]
    if not server.is_encrypted:
        yield warn("postgres privacy", "articles cross the network in clear", "set COPYDESK_POSTGRES_TLS_CA")
    elif mode != "verify-full":
        yield warn("postgres privacy", "TLS, but any server is believed", "set COPYDESK_POSTGRES_TLS_CA")
    else:
        yield ok("postgres privacy", "TLS, its certificate is checked")


def check_roles(facts: Facts) -> Iterator[Finding]:
    """Each process comes in with its own role, which may do no more than it needs."""
    for kind, server in facts.roles.items():
        check = f"role of {kind}"
        if not isinstance(server, PostgresServer):
            yield fail(check, " ".join(str(server).split()), "copydesk database roles, as the owner")
        elif server.is_superuser or server.is_owner:
            yield fail(check, f"{server.role} may do anything", "name a role of its own in its address")
        else:
            yield ok(check, server.role)
    if facts.roles or not isinstance(facts.postgres, PostgresServer):
        return
    server = facts.postgres
    if is_near(facts.settings.postgres_url.get_secret_value()):
        yield ok("roles", f"every process is {server.role}")
    elif server.is_superuser:
        yield fail("roles", f"all are {server.role}, a superuser", "copydesk database roles; see docs/security.md")
    else:
        yield warn("roles", f"every process is {server.role}", "copydesk database roles; see docs/security.md")


def _unreachable(name: str, error: DependencyError) -> Finding:
    says = " ".join(str(error).split())
    if isinstance(error, QueueNotTrusted | DatabaseNotTrusted):
        return fail(name, says, f"compare its certificate with COPYDESK_{name.upper()}_TLS_CA and its address")
    return fail(name, says, f"start it, or set COPYDESK_{name.upper()}_URL")


def is_near(url: str) -> bool:
    """Whether a server is on this machine, as far as its address tells."""
    parts = urlsplit(url)
    host = parts.hostname or parse_qs(parts.query).get("host", [""])[0]
    return not host or host in LOOPBACK or host.startswith("/") or parts.scheme == "unix"
