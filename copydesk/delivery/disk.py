"""What the inbox and the spool do with the disk alike: open a file, sync a folder, and say what it did not do."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

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


def open_file(path: Path) -> BinaryIO:
    """Open a file to read it. Raises `OSError`: ELOOP for a link, ENXIO for a pipe and whatever else is no file.

    A pipe would keep whoever opens it waiting until somebody writes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ENXIO, "not a file", str(path))
    return os.fdopen(descriptor, "rb")
