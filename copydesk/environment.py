"""How settings stand in an environment: names, what is empty, and secrets that are in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

PREFIX = "COPYDESK_"

# Names that start with the prefix and belong to the test suite and the benchmarks.
FOREIGN = ("COPYDESK_TEST_", "COPYDESK_SHARED")


def is_secret(field: FieldInfo) -> bool:
    """Whether the value of a setting must never be printed."""
    return field.annotation in (SecretStr, SecretStr | None)


def collect(environ: Mapping[str, str], fields: Mapping[str, FieldInfo]) -> tuple[dict[str, str], list[str]]:
    """The values by setting, those of secret files read; and every unknown name and unreadable file."""
    values: dict[str, str] = {}
    problems: list[str] = []
    for variable in sorted(environ):
        # Empty is not set: that is how Compose passes what its own environment lacks.
        if not variable.startswith(PREFIX) or variable.startswith(FOREIGN) or not environ[variable]:
            continue
        name = variable.removeprefix(PREFIX).lower()
        secret = name.removesuffix("_file")
        if name in fields:
            values[name] = environ[variable]
        elif name != secret and secret in fields and is_secret(fields[secret]):
            if environ.get(PREFIX + secret.upper()):
                problems.append(f"{variable}: {PREFIX}{secret.upper()} is set too; set one of them")
                continue
            try:
                values[secret] = Path(environ[variable]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                problems.append(f"{variable}: cannot read the file: {error}")
                continue
            if not values[secret]:
                problems.append(f"{variable}: the file is empty")
        else:
            problems.append(f"{variable}: no such setting")
    return values, problems
