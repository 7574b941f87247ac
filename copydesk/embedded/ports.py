"""Choose a TCP port on 127.0.0.1 for a server that shall have the same one after every restart."""

from __future__ import annotations

import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

# Below the range that Linux (32768) and macOS (49152) hand to outgoing connections. A port inside it can be taken by
# any client while the server is down, even by a client that keeps trying to reach that very port.
_LOWEST, _BEYOND = 15000, 32768
_FILE = "port"


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def candidates(seed: str) -> Iterator[int]:
    """Every port of the range, once, from a place that depends on `seed`: two data folders start far apart."""
    size = _BEYOND - _LOWEST
    start = zlib.crc32(seed.encode()) % size
    return (_LOWEST + (start + step) % size for step in range(size))


def kept(data_dir: Path) -> int | None:
    """The port that this data folder's server had last time."""
    try:
        return int((data_dir / _FILE).read_text("ascii"))
    except (FileNotFoundError, ValueError):
        return None


def keep(data_dir: Path, port: int) -> None:
    """Remember the port with the data."""
    (data_dir / _FILE).write_text(f"{port}\n", "ascii")
