"""What the fixtures promise to every other test."""

from __future__ import annotations

import psycopg
import pytest
import redis

from tests import servers
from tests.waiting import wait_until


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_redis(redis_url: str, turn: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        found = client.dbsize()
        client.set("left by", turn)

    assert found == 0


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_an_empty_database(empty_database_url: str, turn: int) -> None:
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ).fetchone()
        connection.execute("CREATE TABLE left_behind (turn integer)")

    assert found == (0,)


def test_a_database_with_the_schema_is_ready_to_use(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT count(*) FROM schema_migration").fetchone()

    assert found is not None
    assert found[0] > 0


@pytest.mark.parametrize(
    ("ci", "outcome"), [("", pytest.skip.Exception), ("false", pytest.skip.Exception), ("true", pytest.fail.Exception)]
)
def test_a_missing_server_skips_on_a_laptop_and_fails_in_ci(
    monkeypatch: pytest.MonkeyPatch, ci: str, outcome: type[BaseException]
) -> None:
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="no server to test with: nobody at home"):
        servers.unavailable(OSError("nobody at home"))


def test_waiting_returns_what_it_waited_for() -> None:
    values = iter([0, None, "there"])

    assert wait_until(lambda: next(values), 5, "the third value") == "there"


def test_waiting_in_vain_says_for_what_and_what_was_seen() -> None:
    with pytest.raises(AssertionError, match="not reached within 0 s: rain; the last value was 0"):
        wait_until(lambda: 0, 0, "rain")
