"""The OpenAPI document against a running door: whatever it lets a client send, the answer is one that it names.

Requests are made by schemathesis from the document itself, a few an operation; on a real Postgres with something in it.
Nothing is behind the door: what waits for a worker answers that none did.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from copydesk.delivery.changes import number_changes
from copydesk.delivery.search_index import index_texts
from copydesk.delivery.settlement import article_id
from copydesk.models import Outcome
from copydesk.storage import connection as database
from copydesk.storage import sources
from tests.entries import article, close, ending, job, text
from tests.http_door import HttpDoor, open_door
from tests.integration.writing import desk_on
from tests.servers import Server

if TYPE_CHECKING:  # 3 s of CPU in every process of the suite that only collects
    import schemathesis

# Of each operation in every run of the suite; more find more.
EXAMPLES = int(os.environ.get("COPYDESK_TEST_EXAMPLES", "4"))

# The one part of a request that would make the test wait.
TIMEOUT = "timeout"

# Nobody is there to do these: 503 says so.
WAITED_FOR = ("not_stored_yet", "no_answer")

JOB = job("j1", source="desk")
FIRST = article("a", text(1), job=JOB, document_id="d")
LINE = {"source": "desk", "key": "k", "text": "A", "stories": 3, "at_edge": 3, "is_prose": True}

# By the names that paths have for them: else nearly every id would be nobody's.
STORED = {"article_id": article_id(FIRST), "feed_id": 1, "name": "desk", "key": "k", "number": 1, "item_id": "a"}


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    folder = tmp_path_factory.mktemp("openapi")
    with open_door(redis_server, postgres_server, folder, fetch_whole_s=0.05) as made:
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


def operations(door: HttpDoor) -> list[Any]:
    """What the door's document describes, as schemathesis makes requests of it; what deletes comes last."""
    import schemathesis
    from schemathesis.config import SchemathesisConfig

    @schemathesis.serializer("application/x-ndjson")
    def as_lines(_: schemathesis.SerializationContext, value: object) -> bytes:
        """The document describes the lines as one string."""
        return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")

    document = door.client.get("/openapi.json").json()
    found = schemathesis.openapi.from_dict(document, config=SchemathesisConfig()).get_all_operations()
    return sorted((result.ok() for result in found), key=lambda operation: operation.method == "delete")


def fault_of(case: schemathesis.Case, door: HttpDoor) -> str:
    """What is wrong with the answer to a request; empty when nothing is."""
    from schemathesis.specs.openapi import checks

    if any(parameter.name == TIMEOUT for parameter in case.operation.query):
        case.query = {**(case.query or {}), TIMEOUT: 0.1}
    response = case.call(base_url=str(door.client.base_url), timeout=60)
    if response.status_code >= 500 and response.json().get("code") not in WAITED_FOR:
        return f"{response.status_code} {response.text}\n{case.as_curl_command()}"
    named = [
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    ]
    try:
        case.validate_response(response, checks=named)
    except AssertionError as error:
        return str(error)
    except BaseExceptionGroup as error:
        return "\n".join(map(str, error.exceptions))
    return ""


def check(operation: Any, door: HttpDoor) -> int:
    """Make requests of an operation, right and wrong ones; how many. Raises `AssertionError` that shows the fault."""
    from schemathesis import GenerationMode

    made = 0
    is_given = operation.path_parameters or operation.query or operation.body
    modes = [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if is_given else [])]

    @given(case=st.one_of(*map(operation.as_strategy, modes)), is_known=st.booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=EXAMPLES < 10,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers(case: schemathesis.Case, is_known: bool) -> None:
        nonlocal made
        if is_known and case.path_parameters:
            case.path_parameters = {name: STORED[name] for name in case.path_parameters if name in STORED}
        fault = fault_of(case, door)
        assert not fault, f"{operation.label}: {fault}"
        made += 1

    answers()
    return made


def test_every_answer_is_one_that_the_document_names(door: HttpDoor) -> None:
    made = {operation.label: check(operation, door) for operation in operations(door)}

    assert len(made) > 30
    assert min(made.values()) > 0
