"""The files that are made from the code: `python -m tests.published` writes them, tests/test_project.py compares."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from copydesk import cli
from copydesk.queue import jobs
from copydesk.settings import PREFIX, Settings, is_secret
from tests import api_page

ROOT = Path(__file__).resolve().parent.parent

_SETTINGS_HEAD = """\
# Settings

Made from `copydesk/settings.py` by `python -m tests.published`; a test compares them.

Every setting is an environment variable, read once at start. An unknown name or an invalid value stops the process,
with all problems listed. Empty is not set. A secret may also come from a file: `<NAME>_FILE` names it, and secrets are
masked wherever settings are printed.

| name | default | secret | meaning |
|---|---|---|---|
"""

_COMMANDS_HEAD = """\
# Commands

Made from the commands' own help by `python -m tests.published`; a test compares them.

`copydesk --install-completion` completes commands and options in your shell. Settings come from the environment
([settings.md](settings.md)); what goes on is told on standard error, answers on standard output. Exit 0 is done, 1
failed, 2 the command or the settings cannot be used; where there are others the command says so.
"""

_SAMPLE_HEAD = """\
# Copy to `.env` and change what you need. Made from copydesk/settings.py by `python -m tests.published`.
# What is commented out stands at its default. A secret may come from a file instead: <NAME>_FILE=/run/secrets/…
"""

_SAMPLE_COMPOSE = """
# --- Docker Compose only: docker-compose.yml reads these ---

# The user that owns the inbox and runs the containers.
# UID=1000
# GID=1000

# Set it before the first start.
# POSTGRES_PASSWORD=copydesk

# Where they answer on 127.0.0.1.
# POSTGRES_PORT=5432
# REDIS_PORT=6379

# The last wall: twice COPYDESK_STREAM_BYTES_MAX, and COPYDESK_DEDUPE_BYTES_MAX.
# REDIS_MAXMEMORY=768mb

# Time to stop; keep it above COPYDESK_SOFT_STOP_S.
# STOP_GRACE_PERIOD=30s
"""


def files() -> Mapping[Path, str]:
    """Path and content of each."""
    return {
        ROOT / "docs" / "job.schema.json": json.dumps(jobs.schema(), indent=2, ensure_ascii=False) + "\n",
        ROOT / "docs" / "settings.md": _settings_table(),
        ROOT / ".env.example": _sample(),
        ROOT / "docs" / "api.md": api_page.page(),
        ROOT / "docs" / "cli.md": _COMMANDS_HEAD + "".join(_described(name, command) for name, command in commands()),
    }


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """(name, command) of every command, those of groups under the group's name, in the order of their names."""

    def below(command: object, name: str) -> Iterator[tuple[str, TyperCommand]]:
        if isinstance(command, TyperGroup):
            for part, inner in sorted(command.commands.items()):
                yield from below(inner, f"{name} {part}")
        elif isinstance(command, TyperCommand):
            yield name, command

    return below(typer.main.get_command(cli.app), "copydesk")


def _described(name: str, command: TyperCommand) -> str:
    arguments = [p for p in command.params if isinstance(p, TyperArgument)]
    options = [p for p in command.params if isinstance(p, TyperOption)]
    usage = " ".join([name, *map(_shown, arguments)])
    help_text = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    rows = [(_shown(p), getattr(p, "help", None) or "") for p in arguments]
    rows += [(", ".join([*p.opts, *p.secondary_opts]), _with_default(p)) for p in options]
    table = "".join(f"| `{what}` | {said.replace('|', chr(92) + '|')} |\n" for what, said in rows)
    return f"\n## `{usage}`\n\n{help_text}\n" + (f"\n| | |\n|---|---|\n{table}" if table else "")


def _shown(argument: TyperArgument) -> str:
    name = (argument.metavar or argument.name or "").strip("{}").upper()
    many = "…" if argument.nargs == -1 else ""
    return f"{name}{many}" if argument.required else f"[{name}{many}]"


def _with_default(option: TyperOption) -> str:
    said = option.help or ""
    shown = option.default if isinstance(option.default, str | int | float | Path) else None
    return said if shown is None or isinstance(shown, bool) else f"{said} Default: {shown}."


def _settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = _default(name)
        shown = f"`{default}`" if default else "not set"
        secret = "yes" if is_secret(field) else ""
        rows.append(f"| `{PREFIX}{name.upper()}` | {shown} | {secret} | {field.description} |\n")
    return _SETTINGS_HEAD + "".join(rows)


def _sample() -> str:
    parts = [
        f"\n# {field.description}\n# {PREFIX}{name.upper()}={_default(name)}\n"
        for name, field in Settings.model_fields.items()
    ]
    return _SAMPLE_HEAD + "".join(parts) + _SAMPLE_COMPOSE


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if value is None:
        return ""
    # The shipped addresses hold no password.
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


if __name__ == "__main__":
    for path, content in files().items():
        path.write_text(content, encoding="utf-8")
        print(path.relative_to(ROOT))
