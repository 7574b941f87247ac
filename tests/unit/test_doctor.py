"""What the doctor says of each fault, from facts made by hand: one fault at a time in an installation that is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from copydesk.doctor import Facts, Folder, Process, Site, judge
from copydesk.doctor.rules import KINDS
from copydesk.errors import DatabaseNotTrusted, DatabaseUnavailable, QueueNotTrusted, QueueUnavailable
from copydesk.queue.server import RedisServer
from copydesk.settings import load
from copydesk.storage.server import PostgresServer

FAR = {
    "redis_url": "rediss://u:s3cret@redis.example/0",
    "postgres_url": "postgresql://copydesk:s3cret@db.example/copydesk?sslmode=verify-full",
}
GOOD = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory": str(768 * 2**20), "maxmemory-policy": "noeviction"}
REDIS = RedisServer("redis", (8, 2, 1), 0.01, GOOD, 2**20, has_group=True)
POSTGRES = PostgresServer(
    17, -0.01, True, "on", "copydesk", False, True, True, "s3cret", frozenset({1, 2}), frozenset({1, 2})
)
ROLE = POSTGRES._replace(role="copydesk_api", is_owner=False)
WELL = Facts(
    settings=load({}, **FAR, http_keys="required"),
    site=Site((3, 11), in_container=False),
    redis=REDIS,
    postgres=POSTGRES,
    roles={"api": ROLE},
    keys=1,
    folders={"inbox": Folder("data/inbox", 2**36), "spool": Folder("data/spool", 2**36)},
    processes=tuple(Process(f"{kind}-1", "alive") for kind in KINDS),
)


def _redis(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, redis=REDIS._replace(**changed))


def _redis_setting(name: str, value: str) -> Callable[[Facts], Facts]:
    return _redis(settings=GOOD | {name: value})


def _postgres(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, postgres=POSTGRES._replace(**changed))


def _settings(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, settings=load({}, **{**FAR, "http_keys": "required", **changed}))


def _but(**changed: Any) -> Callable[[Facts], Facts]:
    return lambda facts: replace(facts, **changed)


# The fault, the check that finds it, its level, and what its advice must name.
FAULTS: dict[str, tuple[Callable[[Facts], Facts], str, str, str]] = {
    "old python": (_but(site=Site((3, 10), in_container=False)), "python", "fail", "3.11"),
    "no redis": (_but(redis=QueueUnavailable("ping", "refused")), "redis", "fail", "COPYDESK_REDIS_URL"),
    "a strange redis": (_but(redis=QueueNotTrusted("ping", "self-signed")), "redis", "fail", "COPYDESK_REDIS_TLS_CA"),
    "redis 7": (_redis(version=(7, 4)), "redis version", "warn", "Redis 8"),
    "valkey 8": (_redis(kind="valkey", version=(8, 0)), "redis version", "warn", "Valkey 9"),
    "no group": (_redis(has_group=False), "article stream", "fail", "copydesk migrate"),
    "hidden settings": (_redis(settings={}), "redis settings", "warn", "noeviction"),
    "no aof": (_redis_setting("appendonly", "no"), "redis appendonly", "fail", "appendonly yes"),
    "no fsync": (_redis_setting("appendfsync", "no"), "redis appendfsync", "warn", "everysec"),
    "eviction": (_redis_setting("maxmemory-policy", "allkeys-lru"), "redis maxmemory-policy", "fail", "noeviction"),
    "no wall": (_redis_setting("maxmemory", "0"), "redis maxmemory", "warn", "maxmemory"),
    "a wall before the marks": (_redis_setting("maxmemory", "1000000"), "redis maxmemory", "fail", "COPYDESK_STREAM"),
    "a full redis": (_redis(used_bytes=760 * 2**20), "redis maxmemory", "warn", "audit"),
    "redis without password": (_settings(redis_url="rediss://redis.example"), "redis password", "warn", "password"),
    "redis in clear": (_settings(redis_url="redis://:s3cret@redis.example"), "redis privacy", "warn", "rediss://"),
    "redis unchecked": (
        _settings(redis_url="rediss://:s3cret@redis.example?ssl_cert_reqs=none"),
        "redis privacy",
        "fail",
        "COPYDESK_REDIS_URL",
    ),
    "no postgres": (_but(postgres=DatabaseUnavailable("connect", "away")), "postgres", "fail", "COPYDESK_POSTGRES_URL"),
    "a strange postgres": (
        _but(postgres=DatabaseNotTrusted("connect", "another name")),
        "postgres",
        "fail",
        "COPYDESK_POSTGRES_TLS_CA",
    ),
    "postgres 15": (_postgres(version=15), "postgres version", "warn", "17 or 18"),
    "no schema": (_postgres(present=frozenset()), "migrations", "fail", "copydesk migrate"),
    "an old schema": (_postgres(present=frozenset({1})), "migrations", "fail", "copydesk migrate"),
    "a new schema": (_postgres(present=frozenset({1, 2, 3})), "migrations", "fail", "version of copydesk"),
    "postgres without fsync": (_postgres(fsync=False), "postgres fsync", "fail", "fsync = on"),
    "postgres without commits": (_postgres(synchronous_commit="off"), "postgres commits", "fail", "synchronous_commit"),
    "the shipped password": (_postgres(password="copydesk"), "postgres password", "warn", "alter role"),
    "postgres in clear": (_postgres(is_encrypted=False), "postgres privacy", "warn", "COPYDESK_POSTGRES_TLS_CA"),
    "postgres unchecked": (
        _settings(postgres_url="postgresql://copydesk@db.example/copydesk?sslmode=require"),
        "postgres privacy",
        "warn",
        "COPYDESK_POSTGRES_TLS_CA",
    ),
    "a role that cannot come in": (
        _but(roles={"api": DatabaseUnavailable("connect", "password")}),
        "role of api",
        "fail",
        "database roles",
    ),
    "a role that owns": (_but(roles={"api": POSTGRES}), "role of api", "fail", "a role of its own"),
    "no roles": (_but(roles={}), "roles", "warn", "database roles"),
    "no roles but a superuser": (
        _but(roles={}, postgres=POSTGRES._replace(is_superuser=True)),
        "roles",
        "fail",
        "database roles",
    ),
    "a slow clock": (_redis(ahead_s=-5.0), "redis clock", "warn", "NTP"),
    "a wrong clock": (_postgres(ahead_s=3600.0), "postgres clock", "fail", "NTP"),
    "an open door": (_settings(http_keys="none", http_host="0.0.0.0"), "http keys", "fail", "COPYDESK_HTTP_KEYS"),
    "a door without keys": (_but(keys=0), "http keys", "warn", "copydesk keys add"),
    "open metrics": (_settings(health_host="0.0.0.0"), "health ports", "warn", "COPYDESK_HEALTH_HOST"),
    "private feeds": (_settings(fetch_allow_private=True), "fetching", "warn", "COPYDESK_FETCH_ALLOW_PRIVATE"),
    "no right to write": (
        _but(folders={"inbox": Folder("data/inbox", 2**36, "Permission denied: data/inbox")}),
        "inbox folder",
        "fail",
        "COPYDESK_INBOX_DIR",
    ),
    "a full disk": (_but(folders={"spool": Folder("s", 2**20)}), "spool disk", "fail", "COPYDESK_SPOOL_FREE_BYTES_MIN"),
    "little space": (_but(folders={"spool": Folder("s", 2**30)}), "spool disk", "warn", "free some space"),
    "a stuck process": (_but(processes=(Process("api", "stuck"),)), "process api", "fail", "log"),
    "a silent process": (_but(processes=(Process("api", "silent"),)), "process api", "warn", "log"),
    "nothing runs": (_but(processes=()), "processes", "warn", "copydesk up"),
}


def test_an_installation_that_is_well_has_nothing_to_do() -> None:
    found = judge(WELL)

    assert [finding for finding in found if finding.level != "ok" or finding.do] == []
    assert len(found) == len({finding.check for finding in found}), "each check once"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_by_its_check_with_what_to_do(fault: str) -> None:
    spoil, check, level, advice = FAULTS[fault]

    (found,) = [finding for finding in judge(spoil(WELL)) if finding.check == check]

    assert (found.level, advice in found.do) == (level, True), found
    assert "s3cret" not in str(judge(spoil(WELL)))


def _levels(facts: Facts) -> dict[str, str]:
    return {finding.check: finding.level for finding in judge(facts)}


def test_the_five_minute_start_is_no_fault() -> None:
    """Servers of this machine, no passwords, no roles, no keys."""
    near = load({})
    facts = replace(WELL, settings=near, roles={}, postgres=POSTGRES._replace(is_encrypted=False, password=""))

    assert set(_levels(facts).values()) == {"ok"}


def test_an_open_door_inside_a_container_is_published_by_its_owner() -> None:
    facts = _settings(http_keys="none", http_host="0.0.0.0", health_host="0.0.0.0", health_port=8041)(WELL)
    inside = replace(facts, site=Site((3, 13), in_container=True), processes=())

    found = _levels(inside)

    assert found["http keys"] == "warn"
    assert "health ports" not in found
    assert found["processes"] == "ok"
