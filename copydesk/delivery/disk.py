"""What all that is kept on disk has alike: opened files, synced folders, small files that are whole or not there."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

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


def write_json(path: Path, value: object) -> None:
    """Put a value in the place of what the file holds, at once and to stay. Raises `SpoolUnavailable`."""
    writing = path.with_name(f"{path.name}.writing")
    with translated_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        writing.rename(path)
        sync_folder(path.parent)


def read_json(path: Path) -> Any:
    """What `write_json` wrote; None where there is no such file. Raises `SpoolUnavailable`."""
    with translated_errors(path):
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def open_file(path: Path) -> BinaryIO:
    """Open a file to read it. Raises `OSError`: ELOOP for a link, ENXIO for a pipe and whatever else is no file.

    A pipe would keep whoever opens it waiting until somebody writes.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.ENXIO, "not a file", str(path))
    return os.fdopen(descriptor, "rb")
