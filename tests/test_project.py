"""Lists that are kept in two places, and rules about the tree that no linter knows."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk.settings import PREFIX, Settings, load, role_urls
from tests import published

ROOT = Path(__file__).resolve().parent.parent
CODE = [p for part in ("copydesk", "services", "workers") for p in sorted((ROOT / part).rglob("*.py"))]

_SQL = re.compile(
    r"\b(select\b.+\bfrom|insert\s+into|update\s+\w+\s+(\w+\s+)?set|delete\s+from|create\s+(table|index|view)|"
    r"alter\s+table|drop\s+(table|database))\b",
    re.IGNORECASE | re.DOTALL,
)

# The embedded server makes its cluster's role and database before there is a schema.
_WITH_SQL = ("copydesk/storage/", "copydesk/embedded/")


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """String literals that are no docstrings, f-strings joined."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(str(v.value) for v in node.values if isinstance(v, ast.Constant))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_sql_stands_in_storage_and_nowhere_else() -> None:
    found = [
        f"{_name(path)}:{line}: {text[:60]}"
        for path in CODE
        if not _name(path).startswith(_WITH_SQL)
        for line, text in _texts(path)
        if _SQL.search(text)
    ]

    assert found == []


def test_the_search_above_finds_sql_where_it_is() -> None:
    tables = (ROOT / "copydesk" / "storage").glob("*.py")
    with_sql = {path.stem for path in tables if any(_SQL.search(text) for _, text in _texts(path))}

    assert {"articles", "attempts", "dead_letters", "identities", "outbox", "raws", "receipts", "sightings"} <= with_sql


def test_no_module_but_settings_reads_the_environment() -> None:
    """A process hands its environment to `load` and may set what a library reads; the servers' children get theirs."""
    readers = {
        _name(path)
        for path in CODE
        if re.search(r"os\.environ(?!\.setdefault)|getenv", path.read_text(encoding="utf-8"))
        and not re.search(r"load\(os\.environ\)", path.read_text(encoding="utf-8"))
    }

    assert {r for r in readers if not r.startswith(("copydesk/embedded/", "copydesk/supervisor/"))} == set()


@pytest.mark.parametrize("path", published.files(), ids=lambda p: p.name)
def test_what_is_made_from_the_code_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == published.files()[path], "run `python -m tests.published`"


def test_the_settings_pages_name_every_setting_once_and_nothing_else() -> None:
    names = [PREFIX + name.upper() for name in Settings.model_fields]
    table = re.findall(r"^\| `(\w+)` ", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    sample = re.findall(r"^# (COPYDESK_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)

    assert table == names
    assert sample == names


def test_the_sample_uncommented_is_the_defaults() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.removeprefix("# ").partition("=") for line in lines if re.match(r"# COPYDESK_\w+=", line)]

    assert load({name: value for name, _, value in pairs}) == load({})


def test_the_published_schema_is_json_that_describes_itself() -> None:
    schema = json.loads((ROOT / "docs" / "job.schema.json").read_text(encoding="utf-8"))

    assert schema["properties"]["v"] == {"const": 1, "title": "V", "type": "integer"}
    assert schema["$defs"]["JobItem"]["additionalProperties"] is False


def _compose() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def test_each_process_folder_is_one_compose_service() -> None:
    folders = {
        f"{kind}.{main.parent.name}" for kind in ("services", "workers") for main in (ROOT / kind).glob("*/__main__.py")
    }
    services = _compose().partition("\nservices:\n")[2].partition("\nvolumes:\n")[0]
    blocks = re.split(r"(?m)^  (?=[\w-]+:$)", services)[1:]
    started = {
        (block.partition(":")[0], module) for block in blocks for module in re.findall(r'"-m", "([\w.]+)"', block)
    }

    others = {"redis", "postgres", "claim-inbox", "migrate"}

    assert {module for _, module in started} == folders
    assert {block.partition(":")[0] for block in blocks} == {service for service, _ in started} | others
    assert {(module.partition(".")[2], module) for module in folders} == started, "a service is called as its folder"


def test_compose_passes_on_every_setting_that_a_container_can_use() -> None:
    block = _compose().partition("x-settings: &settings\n")[2].partition("\n\n")[0]
    passed = {name.lower() for name in re.findall(rf"(?m)^  {PREFIX}(\w+):", block)}
    # The number of processes is the number of containers; a container's paths are those of its image. An address with a
    # role is for one container alone: deploy/compose.roles.yml.
    of_the_host = {"data_dir", "http_port", "ingest_processes", "storage_processes", "rules_dir", "worker_name"}
    of_the_host |= {*role_urls(), *(name for name in Settings.model_fields if "_tls_" in name)}

    assert passed | of_the_host == set(Settings.model_fields) | of_the_host
    assert passed <= set(Settings.model_fields)


def test_every_module_says_what_it_is_for() -> None:
    modules = {_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in CODE if path.stat().st_size}

    assert [name for name, module in modules.items() if ast.get_docstring(module) is None] == []


def test_no_file_is_longer_than_is_read_in_one_go() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}

    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_module_is_named_for_nothing() -> None:
    assert [_name(p) for p in CODE if p.stem in {"utils", "util", "helpers", "common", "manager", "misc"}] == []
