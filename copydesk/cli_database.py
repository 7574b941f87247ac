"""The database as a command line uses it: one connection for one command, found by the settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from copydesk.settings import load

if TYPE_CHECKING:  # 0.2 s of imports that commands without a database do not need
    from copydesk.storage.connection import Connection


@contextmanager
def connected(*, deadline_s: float = 60.0) -> Iterator[Connection]:
    """A connection whose work is committed when the block ends, and undone when it raises.

    Statements are cut after `deadline_s`. Raises `DatabaseUnavailable`, `SettingsError`.
    """
    from copydesk.storage import connection as database

    url = load(os.environ).of("operator").postgres_url.get_secret_value()
    # The commit is inside the translation: it can fail too.
    with (
        database.translated_errors("command"),
        database.connect(url, deadline_s=deadline_s, name="copydesk cli") as connection,
    ):
        yield connection
