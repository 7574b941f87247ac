"""docs/api.md, made from the HTTP door's OpenAPI description: routes by the word that they begin with, then fields."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from copydesk.settings import load
from services.api.app import create_app

_HEAD = """\
# HTTP API

Made from the description that the door serves at `/openapi.json`, by `python -m tests.published`; a test compares them.
How it behaves, with its keys, limits and idempotency: [the HTTP door](http.md).

Errors are `application/problem+json` (RFC 9457) everywhere: [Problem](#problem).
"""

Schema = Mapping[str, Any]


def page() -> str:
    """The page as Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        description = create_app(load({}, data_dir=Path(folder))).openapi()
    return "\n".join([_HEAD, *_routes(description["paths"]), *_schemas(description["components"]["schemas"])])


def _routes(paths: Mapping[str, Any]) -> Iterator[str]:
    group = ""
    for path, methods in sorted(paths.items(), key=lambda pair: (_group(pair[0]), pair[0])):
        if _group(path) != group:
            group = _group(path)
            yield f"## {group}\n"
        for method, route in methods.items():
            yield from _route(method.upper(), path, route)


def _group(path: str) -> str:
    parts = [part for part in path.split("/") if part and part != "v1"]
    return parts[0].capitalize() if path.startswith("/v1/") else "Health"


def _route(method: str, path: str, route: Schema) -> Iterator[str]:
    yield f"### {method} {path}\n"
    yield f"{route.get('description') or route.get('summary', '')}\n"
    parameters = [parameter for parameter in route.get("parameters", []) if parameter["in"] != "cookie"]
    if parameters:
        yield "| parameter | in | type | meaning |"
        yield "|---|---|---|---|"
        for each in parameters:
            needed = " (required)" if each.get("required") and each["in"] != "path" else ""
            meaning = each.get("description") or each["schema"].get("description", "")
            yield f"| `{each['name']}`{needed} | {each['in']} | {_type(each['schema'])} | {_cell(meaning)} |"
        yield ""
    bodies = route.get("requestBody", {}).get("content", {})
    if bodies:
        yield f"Takes: {', '.join(f'`{kind}`{_of(content)}' for kind, content in bodies.items())}.\n"
    yield "| status | answer |"
    yield "|---|---|"
    for status, answer in route["responses"].items():
        shown = ", ".join(f"`{kind}`{_of(content)}" for kind, content in answer.get("content", {}).items())
        yield f"| {status} | {_cell(answer['description']).rstrip('.')}{': ' if shown else ''}{shown} |"
    yield ""


def _of(content: Schema) -> str:
    named = _type(content.get("schema", {}))
    return f" {named}" if named.startswith("[") or "of [" in named else ""


def _schemas(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield "## Fields\n"
    for name, schema in sorted(schemas.items()):
        yield f"### {name}\n"
        if schema.get("description"):
            yield f"{' '.join(schema['description'].split())}\n"
        if "properties" not in schema:
            yield f"{_type(schema)}\n"
            continue
        yield "| field | type | meaning |"
        yield "|---|---|---|"
        for field, inner in schema["properties"].items():
            needed = " (required)" if field in schema.get("required", []) else ""
            yield f"| `{field}`{needed} | {_type(inner)} | {_cell(inner.get('description', ''))} |"
        yield ""


def _type(schema: Schema) -> str:
    several = next((schema[key] for key in ("anyOf", "oneOf", "allOf") if key in schema), None)
    if several:
        return " or ".join(dict.fromkeys(_type(each) for each in several if each.get("type") != "null"))
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"map of {_type(schema['additionalProperties'])}"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS.items() if abs(schema.get(key, _NONE)) < _NONE]
    format_ = [f"({schema['format']})"] if "format" in schema else []
    return " ".join([str(schema.get("type", "any")), *format_, *bounds])


_BOUNDS = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}


# What only says how wide Postgres's integers are.
_NONE = 2**31


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
