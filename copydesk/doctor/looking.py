"""Gathers the facts: asks both servers, the folders and the processes of this machine. Judges nothing."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from copydesk.doctor.facts import Facts, Folder, Process, Site
from copydesk.errors import DependencyError
from copydesk.liveness.asking import NoAnswer, ask
from copydesk.queue import server as redis_server
from copydesk.queue import streams
from copydesk.settings import Settings, role_urls
from copydesk.storage import api_keys
from copydesk.storage import connection as database
from copydesk.storage import server as postgres_server

WITHIN_S = 5.0


def look_around(settings: Settings) -> Facts:
    """Look once, for some seconds at most where servers are silent."""
    url = (settings.postgres_operator_url or settings.postgres_url).get_secret_value()
    others = {name.split("_")[1]: getattr(settings, name) for name in role_urls()}
    return Facts(
        settings=settings,
        site=Site((sys.version_info.major, sys.version_info.minor), in_container=Path("/.dockerenv").exists()),
        redis=_redis(settings.redis_url.get_secret_value()),
        postgres=_postgres(url),
        roles={kind: _postgres(own.get_secret_value()) for kind, own in others.items() if own},
        keys=_keys(url),
        folders={"inbox": _folder(settings.inbox), "spool": _folder(settings.spool)},
        processes=_processes(settings.run),
    )


def _redis(url: str) -> redis_server.RedisServer | DependencyError:
    client = streams.connect(url, socket_timeout_s=WITHIN_S, retries=0)
    try:
        return redis_server.look(client)
    except DependencyError as error:
        return error
    finally:
        client.close()


def _postgres(url: str) -> postgres_server.PostgresServer | DependencyError:
    try:
        with database.connect(url, deadline_s=WITHIN_S, name="copydesk doctor") as connection:
            return postgres_server.look(connection)
    except DependencyError as error:
        return error


def _keys(url: str) -> int | None:
    try:
        with (
            database.connect(url, deadline_s=WITHIN_S, name="copydesk doctor") as connection,
            database.translated_errors("keys"),
        ):
            return len(api_keys.valid(connection))
    except DependencyError:
        return None


def _folder(path: Path) -> Folder:
    """Files are put into it, so that is tried; a folder that is not there yet is judged by where it will be made."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    try:
        free = shutil.disk_usage(there).free
        if not there.is_dir():
            return Folder(str(path), free, f"{there} is no folder")
        if not os.access(there, os.R_OK | os.X_OK):
            return Folder(str(path), free, f"{there} cannot be read")
        with tempfile.TemporaryFile(dir=there):
            return Folder(str(path), free)
    except OSError as error:
        return Folder(str(path), 0, f"{error.strerror}: {there}")


def _processes(folder: Path) -> tuple[Process, ...]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            status, _ = ask(int(json.loads(path.read_text(encoding="utf-8"))["port"]), "/livez", WITHIN_S)
            found.append(Process(path.stem, "alive" if status == 200 else "stuck"))
        except (NoAnswer, OSError, ValueError, KeyError):
            found.append(Process(path.stem, "silent"))
    return tuple(found)
