"""The checks: from facts to findings. Pure, one function a subject."""

from __future__ import annotations

from collections.abc import Iterator

from copydesk.doctor.facts import Facts
from copydesk.doctor.findings import Finding, fail, ok, warn
from copydesk.doctor.server_rules import LOOPBACK, check_postgres, check_redis, check_roles
from copydesk.errors import DependencyError

# A door's clock gives `received_at`, Redis's the leases, Postgres's embargoes and `stored_at`. Seconds matter to none
# of them alone; a minute puts revisions of one text into the wrong order.
SKEW_WARN_S, SKEW_FAIL_S = 2.0, 60.0

# One process of each kind must run; several machines may share them.
KINDS = ("api", "fetch", "inbox", "ingest", "scheduler", "storage")


def judge(facts: Facts) -> list[Finding]:
    """Every check, in the order in which they are worth mending."""
    return [
        *_versions(facts),
        *check_redis(facts),
        *check_postgres(facts),
        *check_roles(facts),
        *_clocks(facts),
        *_doors(facts),
        *_folders(facts),
        *_processes(facts),
    ]


def _versions(facts: Facts) -> Iterator[Finding]:
    version = ".".join(map(str, facts.site.python))
    if facts.site.python < (3, 11):
        yield fail("python", f"Python {version}", "install Python 3.11 or later")
    else:
        yield ok("python", f"Python {version}")


def _clocks(facts: Facts) -> Iterator[Finding]:
    for name, server in (("redis", facts.redis), ("postgres", facts.postgres)):
        if isinstance(server, DependencyError):
            continue
        check, ahead = f"{name} clock", server.ahead_s
        says = f"{abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
        advice = "let NTP set the clocks of both machines"
        if abs(ahead) > SKEW_FAIL_S:
            yield fail(check, says, f"{advice}: older news may pass for newer")
        elif abs(ahead) > SKEW_WARN_S:
            yield warn(check, says, advice)
        else:
            yield ok(check, says)


def _doors(facts: Facts) -> Iterator[Finding]:
    settings, contained = facts.settings, facts.site.in_container
    host = settings.http_host
    if settings.http_keys == "required":
        if facts.keys == 0:
            yield warn("http keys", "keys are required and none is in force", "copydesk keys add NAME --scope ingest")
        else:
            yield ok("http keys", "required")
    elif host in LOOPBACK:
        yield ok("http keys", f"none, and only this machine reaches {host}")
    elif contained:
        yield warn(
            "http keys",
            f"none, on {host} of this container",
            "publish its port on 127.0.0.1 only, as docker-compose.yml does, or set COPYDESK_HTTP_KEYS=required",
        )
    else:
        yield fail(
            "http keys",
            f"none, and whoever reaches {host} may send and read",
            "set COPYDESK_HTTP_KEYS=required and make keys with `copydesk keys add`, or COPYDESK_HTTP_HOST=127.0.0.1",
        )
    if settings.health_host not in LOOPBACK and not contained:
        yield warn(
            "health ports",
            f"/metrics is open on {settings.health_host} without a key",
            "set COPYDESK_HEALTH_HOST=127.0.0.1, or let a firewall admit Prometheus alone",
        )
    if settings.fetch_allow_private:
        yield warn(
            "fetching",
            "feeds and pages may be fetched from this machine and private networks",
            "set COPYDESK_FETCH_ALLOW_PRIVATE=false unless your feeds are there",
        )


def _folders(facts: Facts) -> Iterator[Finding]:
    mark = facts.settings.spool_free_bytes_min
    for name, folder in facts.folders.items():
        if folder.fault:
            yield fail(
                f"{name} folder",
                folder.fault,
                f"give {folder.path} to the user that copydesk runs as, or set COPYDESK_{name.upper()}_DIR",
            )
            continue
        yield ok(f"{name} folder", folder.path)
        says = f"{folder.free_bytes / 2**30:.1f} GiB free"
        if folder.free_bytes < mark:
            yield fail(f"{name} disk", says, "free some space: below COPYDESK_SPOOL_FREE_BYTES_MIN nothing is taken")
        elif folder.free_bytes < 4 * mark:
            yield warn(f"{name} disk", says, "free some space before the HTTP door closes")
        else:
            yield ok(f"{name} disk", says)


def _processes(facts: Facts) -> Iterator[Finding]:
    if facts.settings.health_port:
        yield ok("processes", f"asked for on port {facts.settings.health_port}: `docker compose ps` shows them")
        return
    for process in facts.processes:
        check = f"process {process.name}"
        if process.state == "alive":
            yield ok(check, "alive")
        elif process.state == "stuck":
            yield fail(check, "stuck", "it ends by itself and is started again; its log says what it did last")
        else:
            yield warn(check, "does not answer", "its log says why; it has ended, or another container runs it")
    running = {process.name.rpartition("-")[0] or process.name for process in facts.processes}
    running |= {process.name for process in facts.processes}
    missing = [kind for kind in KINDS if kind not in running]
    if missing:
        yield warn(
            "processes",
            f"not running from here: {', '.join(missing)}",
            "copydesk up, or see that others do",
        )
