"""`copydesk sources`: profiles of sources, and the lines that were learnt of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from copydesk.cli_database import connected
from copydesk.cli_output import AsJson, print_answer, print_json, table_of
from copydesk.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Check, keep and list profiles of sources; see and undo learnt lines.")

Files = Annotated[list[Path], typer.Argument(help="TOML files, or folders of them.")]
Source = Annotated[str, typer.Argument(help="The source's name.")]
Keys = Annotated[list[str], typer.Argument(help="Keys of lines, or their beginnings, as `sources learnt` shows them.")]


@app.command()
def check(files: Files, as_json: AsJson = False) -> None:
    """Read profiles and say what is wrong with them; nothing is kept."""
    names = [name for name, _ in _read(files)]
    print_answer(f"{len(names)} profiles are right: {', '.join(names)}", {"profiles": names}, as_json=as_json)


@app.command("import")
def import_(files: Files, as_json: AsJson = False) -> None:
    """Keep profiles in Postgres, in place of those of the same names; workers use them within ten seconds."""
    from copydesk.storage import sources

    written = dict(_read(files))
    with connected() as connection:
        sources.import_profiles(connection, written)
    print_answer(f"{len(written)} profiles kept: {', '.join(written)}", {"profiles": list(written)}, as_json=as_json)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder that gets one TOML file a profile.")], as_json: AsJson = False
) -> None:
    """Write every kept profile as TOML, as it was imported."""
    from copydesk.storage import sources

    with connected() as connection:
        found = sources.profiles(connection)
    folder.mkdir(parents=True, exist_ok=True)
    for profile in found:
        safe = "".join(char if char.isalnum() or char in "-_" else "-" for char in profile.name).strip("-") or "source"
        (folder / f"{safe}.toml").write_text(profile.toml, encoding="utf-8")
    names = [profile.name for profile in found]
    print_answer(f"{len(found)} profiles written to {folder}", {"profiles": names}, as_json=as_json)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the sources of which a profile or repeated lines are kept."""
    from copydesk.storage import sources

    with connected() as connection:
        found = sources.listed(connection)
    if as_json:
        print_json(found)
        return
    table = table_of("source", "profile", "learns", "repeated lines")
    for row in found:
        learns = (
            "no" if not row["learns"] else f"from {row['fewest_stories']} stories" if row["fewest_stories"] else "yes"
        )
        table.add_row(row["name"], "kept" if row["has_profile"] else "", learns, str(row["repeated_lines"]))
    Console().print(table)


@app.command()
def remove(source: Source) -> None:
    """Forget a kept profile; one in a file holds again."""
    from copydesk.storage import sources

    with connected() as connection:
        is_removed = sources.remove_profile(connection, source)
    if not is_removed:
        raise UsageError(source, "no profile of this name is kept")


@app.command()
def learnt(source: Source, as_json: AsJson = False) -> None:
    """List the lines that a source repeats, and which of them are dropped."""
    from copydesk.delivery.knowledge import learnt_of
    from copydesk.storage import sources

    with connected() as connection:
        found = sources.lines(connection, source)
        dropped = learnt_of(line for line in sources.repeated(connection) if line.source == source)
    keys = dropped[source].keys if source in dropped else frozenset()
    rows = [{**row, "is_dropped": row["key"] in keys} for row in found]
    if as_json:
        print_json(rows)
        return
    table = table_of("key", "stories", "is", "line")
    for row in rows:
        state = "undone" if row["is_undone"] else "dropped" if row["is_dropped"] else "kept"
        table.add_row(row["key"][:12], str(row["stories"]), state, row["text"])
    Console().print(table)


@app.command()
def undo(source: Source, keys: Keys, as_json: AsJson = False) -> None:
    """Never drop these lines again; `copydesk reclean` puts them back where they were dropped."""
    _mark(source, keys, is_undone=True, as_json=as_json)


@app.command()
def redo(source: Source, keys: Keys, as_json: AsJson = False) -> None:
    """Take an undo back."""
    _mark(source, keys, is_undone=False, as_json=as_json)


@app.command()
def learning(
    source: Source,
    switch: Annotated[str, typer.Argument(help="on or off.")],
    fewest: Annotated[int | None, typer.Option(min=2, help="Stories that must show a line.")] = None,
) -> None:
    """Switch the learning of a source's lines on or off."""
    from copydesk.storage import sources

    if switch not in ("on", "off"):
        raise UsageError(switch, "say on or off")
    with connected() as connection:
        sources.switch(connection, source, learns=switch == "on", fewest=fewest)


def _mark(source: str, beginnings: list[str], *, is_undone: bool, as_json: bool) -> None:
    from copydesk.storage import sources

    with connected() as connection:
        known = [row["key"] for row in sources.lines(connection, source)]
        keys = [key for key in known if any(key.startswith(beginning) for beginning in beginnings)]
        if not keys:
            raise UsageError(", ".join(beginnings), f"{source} has no such repeated line")
        count = sources.undo(connection, source, keys, is_undone=is_undone)
    text = f"{count} lines are {'never dropped' if is_undone else 'dropped again'}"
    print_answer(text, {"lines": count}, as_json=as_json)


def _read(files: list[Path]) -> list[tuple[str, str]]:
    """(name, TOML) of each profile; of a file with several, each alone. Raises `LexiconError`, `UsageError`."""
    from copydesk.delivery.knowledge import parse

    found = []
    paths = [path for given in files for path in (sorted(given.glob("*.toml")) if given.is_dir() else [given])]
    if not paths:
        raise UsageError(", ".join(map(str, files)), "there is no TOML file")
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(str(path), str(error)) from error
        profiles = parse(path.name, text)
        if len(profiles) != 1 or "sources" in tomllib.loads(text):
            raise UsageError(str(path), "a kept profile is a file of its own, without `sources`")
        found.append((profiles[0].name, text))
    return found
