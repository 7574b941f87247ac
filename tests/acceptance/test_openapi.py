"""The OpenAPI document against a running door: whatever it lets a client send, the answer is one that it names.

Requests are made by schemathesis from the document itself, a few an operation; on a real Postgres with something in it.
Nothing is behind the door: what waits for a worker answers that none did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.config import CoveragePhaseConfig, PhasesConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from copydesk.delivery.changes import number_changes
from copydesk.delivery.search_index import index_texts
from copydesk.delivery.settlement import article_id
from copydesk.models import Outcome
from copydesk.settings import load
from copydesk.storage import connection as database
from copydesk.storage import sources
from services.api.app import create_app
from tests.entries import article, close, ending, job, text
from tests.http_door import HttpDoor, open_door
from tests.integration.writing import desk_on
from tests.servers import Server

# Of each operation in every run of the suite; more find more.
EXAMPLES = int(os.environ.get("COPYDESK_TEST_EXAMPLES", "3"))

# The one part of a request that would make the test wait.
TIMEOUT = "timeout"

# Nobody is there to do these: 503 says so.
WAITED_FOR = ("not_stored_yet", "no_answer")

LINE = {"source": "desk", "key": "k", "text": "A", "stories": 3, "at_edge": 3, "is_prose": True}

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


def _described() -> dict[str, Any]:
    """The door's document, with what is stored below as its examples: else nearly every id would be nobody's."""
    document = create_app(load({})).openapi()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["example"] = STORED[parameter["name"]]
    return document


JOB = job("j1", source="desk")
FIRST = article("a", text(1), job=JOB, document_id="d")

# By the names that the paths have for them.
STORED = {"article_id": article_id(FIRST), "feed_id": 1, "name": "desk", "key": "k", "number": 1, "item_id": "a"}

# The longer form tries every border of every parameter too.
PHASES = PhasesConfig(coverage=CoveragePhaseConfig(enabled=EXAMPLES > 10))
CONFIG = SchemathesisConfig(projects=ProjectsConfig(default=ProjectConfig(phases=PHASES)))

schema = schemathesis.openapi.from_dict(_described(), config=CONFIG)


@schemathesis.serializer("application/x-ndjson")
def as_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
    """The document describes the lines as one string."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("openapi"), fetch_whole_s=0.05) as made:
        _store(made)
        yield made


def _store(door: HttpDoor) -> None:
    """Something of everything."""
    with desk_on(door.stack.redis_url, door.stack.database_url) as desk:
        desk.store([FIRST, ending("b", Outcome.REJECTED, job=JOB), article("c", text(2), job=JOB), close(JOB, 3)])
        revised = job("j2", source="desk", minutes=1)
        desk.store([article("d", text(1) + " and more", job=revised, document_id="d"), close(revised, 1)])
    with database.connect(door.stack.database_url) as connection:
        number_changes(connection)
        index_texts(connection)
        sources.count(connection, [LINE])
    for made in (
        door.client.post("/v1/feeds", json={"url": "https://e.example/rss", "source": "desk", "enabled": False}),
        door.client.put("/v1/sources/desk", json={"toml": 'name = "desk"\n'}),
    ):
        assert made.is_success, made.text


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_one_that_the_document_names(case: schemathesis.Case, door: HttpDoor) -> None:
    if any(parameter.name == TIMEOUT for parameter in case.operation.query):
        case.query = {**(case.query or {}), TIMEOUT: 0.1}
    response = case.call(base_url=str(door.client.base_url), timeout=60)
    assert response.status_code < 500 or response.json()["code"] in WAITED_FOR, response.text
    case.validate_response(response, checks=CHECKS)
