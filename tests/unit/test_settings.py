"""How settings are read, refused, hidden and handed on."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from copydesk.errors import SettingsError
from copydesk.settings import PREFIX, Settings, environment, is_secret, load, role_urls


def test_nothing_set_gives_the_defaults() -> None:
    assert load({}) == load({"HOME": "/root", "COPYDESK_TEST_REDIS_URL": "x", "COPYDESK_SHARED": "y"})


def test_every_problem_is_told_at_once() -> None:
    environ = {
        "COPYDESK_BATCH_SIZE": "many",
        "COPYDESK_LOG_LEVEL": "loud",
        "COPYDESK_NO_SUCH": "1",
        "COPYDESK_REDIS_URL_FILE": "/does/not/exist",
        "COPYDESK_BATCH_SIZE_FILE": "/only/secrets/come/by/file",
    }

    with pytest.raises(SettingsError) as caught:
        load(environ)

    told = str(caught.value)
    for name in environ:
        assert f"{name}: " in told
    assert "COPYDESK_NO_SUCH: no such setting" in told
    assert "COPYDESK_BATCH_SIZE_FILE: no such setting" in told


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"COPYDESK_BATCH_SIZE": "0"}, "COPYDESK_BATCH_SIZE"),
        ({"COPYDESK_STORAGE_PROCESSES": "17"}, "COPYDESK_STORAGE_PROCESSES"),
        ({"COPYDESK_INBOX_GRACE_S": "0"}, "COPYDESK_INBOX_GRACE_S"),
        ({"COPYDESK_BROKER_LEASE_S": "3", "COPYDESK_BROKER_RENEW_S": "2"}, "broker_lease_s"),
    ],
)
def test_values_out_of_bounds_are_refused_by_name(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(environ)


def test_an_unknown_override_is_refused_by_name() -> None:
    with pytest.raises(SettingsError, match="COPYDESK_INBOX_DIRECTORY"):
        load({}, inbox_directory="x")


def test_overrides_win_over_the_environment() -> None:
    assert load({"COPYDESK_BATCH_SIZE": "7"}, batch_size=8).batch_size == 8


def test_empty_is_not_set() -> None:
    """Compose passes `COPYDESK_INBOX_DIR=` for what is not set; as a path that would be the working directory."""
    empty = {PREFIX + name.upper(): "" for name in Settings.model_fields}

    assert load(empty) == load({})
    assert load(empty).inbox == Path("data/inbox")


def test_a_secret_is_read_from_the_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://:hunter2@redis:6379/0\n", encoding="utf-8")
    environ = {"COPYDESK_REDIS_URL": "", "COPYDESK_REDIS_URL_FILE": str(tmp_path / "url")}

    assert load(environ).redis_url.get_secret_value() == "redis://:hunter2@redis:6379/0"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_secret_file_without_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "url").write_bytes(content)

    with pytest.raises(SettingsError, match="COPYDESK_REDIS_URL_FILE"):
        load({"COPYDESK_REDIS_URL_FILE": str(tmp_path / "url")})


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("redis://a", encoding="utf-8")

    with pytest.raises(SettingsError, match="set one of them"):
        load({"COPYDESK_REDIS_URL": "redis://b", "COPYDESK_REDIS_URL_FILE": str(tmp_path / "url")})


def test_secrets_are_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    settings = load({"COPYDESK_REDIS_URL": "redis://:hunter2@r", "COPYDESK_POSTGRES_URL": "postgresql://u:hunter2@p/d"})
    logging.getLogger("test").warning("settings: %s %r", settings, settings)

    assert "batch_size" in caplog.text
    assert "hunter2" not in caplog.text + settings.model_dump_json()


def test_secrets_are_not_printed_when_something_else_is_wrong() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"COPYDESK_REDIS_URL": "redis://:hunter2@r", "COPYDESK_BATCH_SIZE": "x"})

    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"


def test_whatever_may_hold_a_password_is_a_secret() -> None:
    secret = {name for name, field in Settings.model_fields.items() if is_secret(field)}

    assert {name for name in Settings.model_fields if name.endswith("_url")} <= secret


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"batch_size": 7, "inbox_events": False, "claim_idle_s": 0.5, "log_level": "debug"},
        {"redis_url": "redis://:hunter2@r:1/0", "inbox_dir": "/srv/in box", "rules_dir": "/rules"},
    ],
)
def test_a_child_laid_over_any_environment_gets_the_same_settings(
    changed: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load({}, data_dir=tmp_path, **changed)
    other = {
        "COPYDESK_BATCH_SIZE": "9",
        "COPYDESK_INBOX_DIR": "/elsewhere",
        "COPYDESK_REDIS_URL_FILE": "/secret",
        "COPYDESK_DATA_DIR": "relative",
    }

    told = environment(settings)
    monkeypatch.chdir("/")

    assert load(other | told) == settings


def test_a_relative_path_means_the_same_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = environment(load({"COPYDESK_DATA_DIR": "here"}))
    monkeypatch.chdir("/")

    assert load(told).data_dir == tmp_path / "here"


def test_each_kind_has_its_own_address_of_postgres_and_sees_no_other() -> None:
    settings = load({}, postgres_url="postgresql://owner@h/d", postgres_ingest_url="postgresql://ingest@h/d")

    ingest, storage = settings.of("ingest"), settings.of("storage")

    assert ingest.postgres_url.get_secret_value() == "postgresql://ingest@h/d"
    assert storage.postgres_url.get_secret_value() == "postgresql://owner@h/d"
    assert [getattr(ingest, name) for name in role_urls()] == [None] * len(role_urls())
    assert environment(load(environment(ingest)).of("ingest")) == environment(ingest)


CA = Path(__file__)  # any file will do: it is named, not read

TLS = [
    ({"redis_url": "redis://h"}, "redis_url", "redis://h"),
    ({"redis_url": "rediss://h"}, "redis_url", "rediss://h?ssl_cert_reqs=required&ssl_check_hostname=true"),
    (
        {"redis_url": "rediss://u:p%40@h:1/2?ssl_check_hostname=false", "redis_tls_ca": CA},
        "redis_url",
        f"rediss://u:p%40@h:1/2?ssl_check_hostname=false&ssl_cert_reqs=required&ssl_ca_certs={CA}",
    ),
    (
        {
            "postgres_url": "postgresql://u:p%40@h/d",
            "postgres_tls_ca": CA,
            "postgres_tls_cert": CA,
            "postgres_tls_key": CA,
        },
        "postgres_url",
        f"postgresql://u:p%40@h/d?sslmode=verify-full&sslrootcert={CA}&sslcert={CA}&sslkey={CA}",
    ),
    (
        {"postgres_ingest_url": "postgresql://h/d?sslmode=verify-ca", "postgres_tls_ca": CA},
        "postgres_ingest_url",
        f"postgresql://h/d?sslmode=verify-ca&sslrootcert={CA}",
    ),
]


@pytest.mark.parametrize(("given", "name", "url"), TLS)
def test_what_tls_needs_is_in_the_address(given: dict[str, object], name: str, url: str) -> None:
    settings = load({}, **given)

    assert getattr(settings, name).get_secret_value() == url
    assert environment(load(environment(settings))) == environment(settings), "a child adds nothing to it"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"redis_tls_ca": CA}, "rediss://"),
        ({"redis_url": "rediss://h", "redis_tls_ca": Path("/no/such/file")}, "/no/such/file"),
        ({"redis_url": "rediss://h", "redis_tls_cert": CA}, "together"),
        ({"postgres_url": "host=h dbname=d", "postgres_tls_ca": CA}, "postgresql://"),
        ({"postgres_tls_ca": CA.parent}, "name files"),
    ],
)
def test_certificates_that_cannot_be_used_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load({}, **given)


@pytest.mark.parametrize(
    "wrong",
    [
        {"COPYDESK_BROKER_LEASE_S": "3", "COPYDESK_BROKER_RENEW_S": "2"},
        {"COPYDESK_POSTGRES_TLS_CERT": "/no/such"},
        {"COPYDESK_NO": "x"},
    ],
)
def test_a_refusal_and_its_traceback_hold_no_secret(wrong: dict[str, str]) -> None:
    secrets = {"COPYDESK_REDIS_URL": "redis://:hunter2@h", "COPYDESK_POSTGRES_URL": "postgresql://u:hunter2@h/d"}

    with pytest.raises(SettingsError) as caught:
        load(secrets | wrong)

    assert "hunter2" not in "".join(traceback.format_exception(caught.value))
