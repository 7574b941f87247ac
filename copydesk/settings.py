"""Every setting, declared once: name, default, one line of help, secret or not.

Read once, at start, from `COPYDESK_<NAME>` in the environment; a secret also from the file that
`COPYDESK_<NAME>_FILE` names. `docs/settings.md` and `.env.example` are compared with this file by a test.
No other module reads the environment; how it is read is in `environment.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from copydesk.environment import PREFIX, collect, is_secret
from copydesk.errors import SettingsError
from copydesk.server_urls import TlsFiles, with_tls

__all__ = ["PREFIX", "Kind", "Settings", "environment", "is_secret", "load", "role_urls"]

MIB = 1024 * 1024

Kind = Literal["api", "fetch", "inbox", "ingest", "operator", "scheduler", "storage"]
"""Whoever may have an address of Postgres of its own: the processes, and the command line as `operator`."""


class Settings(BaseSettings):
    """The frozen settings of one process; `load` makes it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", hide_input_in_errors=True)

    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="Redis 8 or Valkey 9, for jobs and the article stream."
    )
    postgres_url: SecretStr = Field(
        SecretStr("postgresql://copydesk@127.0.0.1:5432/copydesk"),
        description="Postgres 17 or 18, where the articles stand; with the role that owns the tables.",
    )
    postgres_api_url: SecretStr | None = Field(
        None,
        description="The same with the role of the HTTP door, which may not write; COPYDESK_POSTGRES_URL if not set.",
    )
    postgres_fetch_url: SecretStr | None = Field(None, description="The same for fetch workers.")
    postgres_inbox_url: SecretStr | None = Field(None, description="The same for the inbox.")
    postgres_ingest_url: SecretStr | None = Field(
        None, description="The same for ingest workers, which may not read articles."
    )
    postgres_operator_url: SecretStr | None = Field(
        None,
        description="The same for the command line, and for what an administrator asks of the HTTP door;"
        " `migrate` and `database` take COPYDESK_POSTGRES_URL.",
    )
    postgres_scheduler_url: SecretStr | None = Field(None, description="The same for the scheduler.")
    postgres_storage_url: SecretStr | None = Field(
        None, description="The same for storage workers, which write the articles."
    )
    postgres_reader_url: SecretStr | None = Field(
        None,
        description="A role for your own programs: `copydesk database roles` makes it; it sees the view `article`.",
    )
    postgres_tls_ca: Path | None = Field(
        None, description="Certificates that Postgres's must come from; no other server is accepted then."
    )
    postgres_tls_cert: Path | None = Field(None, description="Our certificate, where Postgres asks for one.")
    postgres_tls_key: Path | None = Field(None, description="The key of our certificate for Postgres.")
    redis_tls_ca: Path | None = Field(
        None, description="Certificates that the one of a `rediss://` server must come from; else the system's."
    )
    redis_tls_cert: Path | None = Field(None, description="Our certificate, where Redis asks for one.")
    redis_tls_key: Path | None = Field(None, description="The key of our certificate for Redis.")
    data_dir: Path = Field(Path("data"), description="Folder for the inbox, logs and the embedded servers.")
    inbox_dir: Path | None = Field(None, description="The watched inbox; `inbox` in the data folder when not set.")
    spool_dir: Path | None = Field(
        None,
        description="What the HTTP and feed doors took, until it is stored; `spool` in the data folder when not set.",
    )
    rules_dir: Path | None = Field(
        None, description="Folder of your own source profiles (TOML), laid over the shipped ones."
    )

    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe log line that is written."
    )
    log_format: Literal["json", "console"] = Field(
        "json", description="JSON lines for machines, or coloured lines for people."
    )

    ingest_processes: int = Field(1, ge=1, le=64, description="Ingest workers that `copydesk up` starts.")
    storage_processes: int = Field(2, ge=1, le=16, description="Storage workers that `copydesk up` starts.")

    worker_name: str | None = Field(
        None, description="Lasting name of a storage worker, so that after a kill it finds what it had in hand at once."
    )

    inbox_grace_s: float = Field(
        2.0, gt=0, description="Seconds a file must stay unchanged where no event says that it is complete."
    )
    inbox_poll_s: float = Field(1.0, gt=0, description="Seconds between two scans of the inbox when no event comes.")
    inbox_events: bool = Field(
        True, description="Listen to file events; turn off on network mounts, where they do not arrive."
    )
    inbox_claims_max: int = Field(
        200, ge=1, description="Jobs of the inbox that may be on their way at once; further files wait."
    )
    overdue_s: float = Field(
        15.0, gt=0, description="Seconds after which a job that others have overtaken is offered again."
    )

    document_bytes_max: int = Field(20 * MIB, ge=1024, description="Largest input; a larger one is rejected.")
    job_item_bytes_max: int = Field(
        1 * MIB, ge=1024, description="Largest body inside a job; a larger one is rejected."
    )

    archive_unpacked_bytes_max: int = Field(
        4096 * MIB, ge=MIB, description="Most bytes that may come out of one archive in the inbox."
    )
    archive_members_max: int = Field(
        200_000,
        ge=1,
        description="Most files in one archive, or runs of fifty records in one list, in the inbox.",
    )

    bulk_jobs_max: int = Field(
        64,
        ge=8,
        description="Jobs of one `copydesk ingest` that may be on their way at once, each of fifty documents.",
    )

    http_host: str = Field("127.0.0.1", description="Address that the HTTP door listens on.")
    http_keys: Literal["none", "required"] = Field(
        "none", description="Whether the HTTP door asks for keys, which `copydesk keys` makes."
    )
    http_port: int = Field(8040, ge=1, le=65535, description="Port of the HTTP door.")
    http_group_s: float = Field(
        0.002, ge=0, le=1, description="Seconds the HTTP door waits for more small documents to share one fsync."
    )
    http_request_bytes_max: int = Field(
        512 * MIB, ge=1024, description="Largest HTTP request of many documents; each one has the limit of an input."
    )
    http_items_max: int = Field(10_000, ge=1, le=100_000, description="Most documents in one HTTP request.")
    http_idle_s: float = Field(
        30.0, gt=0, description="Seconds an HTTP client may send nothing in the middle of its request."
    )
    spool_free_bytes_min: int = Field(
        512 * MIB, ge=0, description="Low-water mark of the spool's disk; below it the HTTP door takes nothing."
    )

    fetch_contact: str | None = Field(
        None,
        pattern=r"^[\x20-\x7e]{1,200}$",
        description="Address or page of whoever runs this copydesk, told to every server that is fetched from.",
    )
    fetch_threads: int = Field(8, ge=1, le=256, description="Feeds that one fetch worker fetches at once.")
    fetch_connect_s: float = Field(10.0, gt=0, description="Seconds to connect to one address of a server.")
    fetch_read_s: float = Field(20.0, gt=0, description="Seconds a server may be silent.")
    fetch_whole_s: float = Field(60.0, gt=0, description="Seconds one fetch may take as a whole, redirects included.")
    fetch_redirects_max: int = Field(5, ge=0, le=20, description="Redirects that are followed.")
    fetch_allow_private: bool = Field(
        False, description="Fetch from this machine and private networks too; metadata services stay refused."
    )
    fetch_lease_s: float = Field(
        600.0, gt=0, description="Seconds after which a feed that was taken up and not fetched is taken up again."
    )
    fetch_host_spacing_s: float = Field(
        1.0, ge=0, le=3600, description="Seconds between two requests to the hosts of one registrable domain."
    )
    fetch_host_requests_max: int = Field(
        2, ge=1, le=64, description="Requests to the hosts of one registrable domain that may run at once."
    )
    fetch_hosts: str = Field(
        "",
        pattern=r"^(?:[a-z0-9.:\-]+=[0-9]+(?:\.[0-9]+)?(?:/[1-9][0-9]?)?(?:,|$))*$",
        description="The same for some domains, as `example.org=5,example.com=0.2/8`: spacing and requests at once.",
    )
    fetch_pages_max: int = Field(
        20, ge=0, le=200, description="Linked pages that one poll of a feed fetches; the rest is left for the next."
    )
    fetch_page_bytes_max: int = Field(2 * MIB, ge=1024, description="Largest linked page.")
    fetch_pages_s: float = Field(
        30.0, gt=0, le=300, description="Seconds after which one poll begins no further linked page."
    )
    fetch_robots_s: float = Field(
        6 * 3600.0, gt=0, description="Seconds for which a host's robots.txt is taken as it was read."
    )
    feed_full_text: Literal["never", "short", "always"] = Field(
        "short",
        description="Of which items of a feed added now the linked page is fetched: none, those cut short, all.",
    )
    feed_moved_after_s: float = Field(
        3 * 86400.0,
        gt=0,
        description="Seconds for which a feed must say that it has moved for good before its address is changed.",
    )
    feed_log_days: float = Field(30.0, gt=0, description="Days for which the log of polls is kept.")
    feed_interval_min_s: float = Field(300.0, gt=0, description="Least seconds between two polls of a feed.")
    feed_interval_max_s: float = Field(
        86400.0, gt=0, description="Most seconds between two polls of a feed, whatever it asks for or however it fails."
    )
    feed_silent_after_s: float = Field(
        7 * 86400.0, gt=0, description="Seconds without anything new after which a feed added now raises the alarm."
    )
    feeds_look_every_s: float = Field(1.0, gt=0, description="Seconds between two looks for feeds that are due.")

    broker_transport: Literal["safe", "stock"] = Field(
        "safe", description="`safe` loses no job at a kill; `stock` is Celery's own Redis transport."
    )
    broker_lease_s: float = Field(
        5.0, ge=2, description="Seconds after which the jobs of a silent worker go to another."
    )
    broker_renew_s: float = Field(1.0, gt=0, description="Seconds between two renewals of a worker's lease.")
    visibility_timeout_s: int = Field(
        3600, ge=60, description="Last net: seconds after which any unacknowledged job is given out again."
    )
    soft_stop_s: float = Field(
        20.0, ge=0, description="Seconds `copydesk up` gives a worker to finish what is in hand after SIGTERM."
    )
    item_seconds_max: float = Field(60.0, gt=0, description="Seconds one item may take before its worker is ended.")
    stuck_after_s: float = Field(
        30.0, ge=5, description="Seconds after which a process for which work waits and that gets nowhere is ended."
    )
    health_host: str = Field(
        "127.0.0.1", description="Address of one process's `/livez`, `/readyz` and `/metrics`; they ask for no key."
    )
    health_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of one process's `/livez`, `/readyz` and `/metrics`; 0: a free one, told in `run` in the "
        "data folder.",
    )

    parse_seconds_max: float = Field(
        30.0,
        gt=0,
        description="Seconds that parsing one large input or archive may take; at most half of item_seconds_max.",
    )
    parse_memory_bytes_max: int = Field(
        1024 * MIB, ge=64 * MIB, description="Memory that parsing one large input or archive may take."
    )

    batch_size: int = Field(200, ge=1, le=1000, description="Most articles in one storage transaction.")
    claim_idle_s: float = Field(
        15.0, gt=0, description="Seconds after which a storage worker takes over what another left."
    )
    database_deadline_s: float = Field(
        10.0, gt=0, description="Seconds one database transaction may take before its socket is cut."
    )
    retention_raw_days: float | None = Field(
        None, ge=1, description="Days for which inputs are kept after they last came; for ever when not set."
    )
    retention_revision_days: float | None = Field(
        None, ge=1, description="Days for which a revision is kept after it was superseded; for ever when not set."
    )
    retention_article_days: float | None = Field(
        None, ge=1, description="Days for which an article is kept after it last changed; for ever when not set."
    )
    stream_bytes_max: int = Field(
        256 * MIB, ge=MIB, description="High-water mark of the article stream; above it ingest workers pause."
    )

    dedupe_window_days: float = Field(
        28.0, gt=0, le=3650, description="Days in which a text is found again by likeness; its identity has no limit."
    )
    dedupe_bytes_max: int = Field(
        256 * MIB,
        ge=MIB,
        description="Redis memory of the likeness index, about 1 kB a document; above it the oldest are forgotten.",
    )
    dedupe_thresholds: str = Field(
        "",
        description="Thresholds of likeness that differ from the shipped ones, as `jaccard=0.55,shared=14`: names and "
        "meanings in docs/duplicates.md.",
    )

    @model_validator(mode="after")
    def _servers_are_known(self) -> Self:
        """Every address with what its TLS needs, so that whoever connects needs nothing but the address."""
        for server in ("redis", "postgres"):
            files = TlsFiles(*(getattr(self, f"{server}_tls_{part}") for part in ("ca", "cert", "key")))
            for name, value in self:
                if re.fullmatch(rf"{server}(_[a-z]+)?_url", name) and value is not None:
                    strict = with_tls(server, value.get_secret_value(), files)
                    object.__setattr__(self, name, SecretStr(strict))  # frozen for everyone else
        return self

    @model_validator(mode="after")
    def _leases_last(self) -> Self:
        if self.broker_lease_s < 2 * self.broker_renew_s:
            raise ValueError(f"broker_lease_s must be at least twice broker_renew_s, which is {self.broker_renew_s:g}")
        return self

    @model_validator(mode="after")
    def _feeds_are_left_alone(self) -> Self:
        if self.feed_interval_max_s < self.feed_interval_min_s:
            raise ValueError(f"feed_interval_max_s is below feed_interval_min_s, {self.feed_interval_min_s:g}")
        if self.fetch_lease_s < self.fetch_whole_s:
            raise ValueError(f"fetch_lease_s must be at least fetch_whole_s, which is {self.fetch_whole_s:g}")
        return self

    @model_validator(mode="after")
    def _a_deadline_is_no_standstill(self) -> Self:
        if self.stuck_after_s <= self.database_deadline_s:
            raise ValueError(f"stuck_after_s must be above database_deadline_s, which is {self.database_deadline_s:g}")
        return self

    def of(self, kind: Kind) -> Self:
        """As one process sees them: `postgres_url` is its own, and it knows no other's.

        But for the HTTP door, which does as the operator what an administrator asks of it.
        """
        own = getattr(self, f"postgres_{kind}_url") or self.postgres_url
        kept = {"postgres_operator_url": self.postgres_operator_url} if kind == "api" else {}
        return self.model_copy(update=dict.fromkeys(role_urls()) | kept | {"postgres_url": own})

    @property
    def run(self) -> Path:
        """Where each process says at which port it answers for itself."""
        return self.data_dir / "run"

    @property
    def inbox(self) -> Path:
        """The watched inbox."""
        return self.inbox_dir or self.data_dir / "inbox"

    @property
    def spool(self) -> Path:
        """What the HTTP and feed doors accepted and is not stored yet."""
        return self.spool_dir or self.data_dir / "spool"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` read: a process started twice with one environment gets one answer."""
        return (init_settings,) if isinstance(init_settings, InitSettingsSource) else ()


def load(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Read the settings; `overrides` win over the environment.

    Raises `SettingsError` that lists every unknown name, unreadable secret file and invalid value at once.
    """
    values, problems = collect(environ, Settings.model_fields)
    try:
        settings = Settings(**{**values, **overrides})
    except ValidationError as error:
        for fault in error.errors():
            names = [PREFIX + str(part).upper() for part in fault["loc"][:1]]
            problems.append(": ".join([*names, fault["msg"]]))
        raise SettingsError("environment", "; ".join(problems)) from error
    if problems:
        raise SettingsError("environment", "; ".join(problems))
    return settings


def role_urls() -> list[str]:
    """The settings that hold an address of Postgres for one role."""
    return [name for name in Settings.model_fields if re.fullmatch(r"postgres_[a-z]+_url", name)]


def origins_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Where each setting is from: `default`, `environment`, or the file that a variable names."""
    origins = dict.fromkeys(Settings.model_fields, "default")
    for name, field in Settings.model_fields.items():
        variable = PREFIX + name.upper()
        if environ.get(variable):
            origins[name] = "environment"
        elif is_secret(field) and environ.get(f"{variable}_FILE"):
            origins[name] = environ[f"{variable}_FILE"]
    return origins


def environment(settings: Settings) -> dict[str, str]:
    """Every setting as an environment variable, secrets in clear, for child processes.

    Laid over any other environment, in any working directory, it gives the same settings: paths are absolute, and
    what is not set is there, and empty.
    """
    out = {}
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, Path):
            value = value.absolute()
        out[PREFIX + name.upper()] = "" if value is None else str(value)
        if is_secret(field):
            out[f"{PREFIX}{name.upper()}_FILE"] = ""
    return out
