"""What the inbox and the spool do with the disk alike: sync a folder, and say what it did not do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from copydesk.errors import SpoolUnavailable


@contextlib.contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Raises `SpoolUnavailable` for any error of the operating system."""
    try:
        yield
    except OSError as error:
        raise SpoolUnavailable(str(path), str(error)) from error


def sync_folder(folder: Path) -> None:
    """Make the folder's entries (a new name, a rename) survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
