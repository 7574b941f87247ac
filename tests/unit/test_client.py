"""The client of the HTTP door without one: what answers mean to it, when it asks again, how it cuts what it sends."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from copydesk.client import (
    ArticleDeleted,
    AsyncClient,
    Client,
    ClientError,
    Document,
    DoorUnavailable,
    Hints,
    NotAllowed,
    NotFound,
    NotStoredYet,
    RequestRefused,
    UnexpectedAnswer,
    answers,
    calls,
)

ACCEPTED = {"job": "j", "jobs": ["j"], "items": [{"id": "i", "job": "j", "status_url": "/v1/items/i"}], "newer": 1}

Answer = httpx.Response | Exception


def problem(status: int, code: str, **headers: str) -> httpx.Response:
    body = {"code": code, "detail": "why", "items": [{"id": "i", "job": "j"}]}
    return httpx.Response(status, json=body, headers=headers)


def script(*told: Answer) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A transport that tells these one after the other, and what it was asked."""
    left, asked = list(told), []

    def tell(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(tell), asked


@pytest.mark.parametrize(
    ("answer", "error", "cause"),
    [
        (problem(401, "no_valid_key"), NotAllowed, "no_valid_key"),
        (problem(403, "wrong_scope"), NotAllowed, "wrong_scope"),
        (problem(404, "unknown_article"), NotFound, "unknown_article"),
        (problem(410, "deleted_article"), ArticleDeleted, "deleted_article"),
        (problem(422, "invalid_request"), RequestRefused, "invalid_request"),
        (problem(429, "too_often"), DoorUnavailable, "too_often"),
        (problem(503, "database_unavailable"), DoorUnavailable, "database_unavailable"),
        (problem(503, "not_stored_yet"), NotStoredYet, "not_stored_yet"),
        (problem(500, "internal_error"), UnexpectedAnswer, "internal_error"),
        (httpx.Response(200, text="<html>a proxy</html>"), UnexpectedAnswer, ""),
        (httpx.Response(502, text="<html>a proxy</html>"), DoorUnavailable, ""),
        (httpx.ConnectError("refused"), DoorUnavailable, ""),
    ],
)
def test_each_answer_is_a_typed_error(answer: Answer, error: type[ClientError], cause: str) -> None:
    transport, _ = script(answer)
    with Client("http://door", transport=transport, patience_s=0) as client, pytest.raises(ClientError) as raised:
        client.send("text")

    assert (type(raised.value), raised.value.cause) == (error, cause)


def test_what_is_accepted_and_not_stored_yet_is_named() -> None:
    transport, _ = script(problem(503, "not_stored_yet"))
    with Client("http://door", transport=transport) as client, pytest.raises(NotStoredYet) as raised:
        client.store("text")

    assert raised.value.items == [("i", "j")]


def test_a_door_that_is_away_is_asked_again_with_the_same_key() -> None:
    told = (problem(503, "database_unavailable", **{"Retry-After": "0"}), httpx.Response(202, json=ACCEPTED))
    transport, asked = script(*told)
    with Client("http://door", transport=transport, key="cd_1.x") as client:
        assert client.send("text").items[0].id == "i"

    assert len({request.headers["idempotency-key"] for request in asked}) == 1
    assert [request.headers["authorization"] for request in asked] == ["Bearer cd_1.x"] * 2
    assert asked[0].content == asked[1].content


def test_a_wait_that_is_longer_than_the_patience_is_not_begun() -> None:
    transport, asked = script(problem(429, "too_often", **{"Retry-After": "3600"}))
    with Client("http://door", transport=transport, patience_s=60) as client, pytest.raises(DoorUnavailable):
        client.send("text")

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("tries", "retry_after", "pause_s"),
    [
        (1, None, 0.5),
        (3, None, 2.0),
        (50, None, 15.0),
        (1, "5", 5.0),
        (3, "1", 2.0),
        (1, "Wed, 21 Oct 2026 07:28:00 GMT", 0.5),
    ],
)
def test_pauses_grow_to_a_bound_and_are_no_shorter_than_asked_for(
    tries: int, retry_after: str | None, pause_s: float
) -> None:
    assert answers.pause_s(tries, retry_after) == pause_s


def test_many_documents_are_cut_by_number_and_by_size() -> None:
    small, large = Document("x"), Document("x" * (calls.BATCH_BYTES // 2))

    assert [len(batch) for batch in calls.batches([small] * (calls.BATCH_DOCUMENTS + 1))] == [calls.BATCH_DOCUMENTS, 1]
    assert [len(batch) for batch in calls.batches([large] * 5)] == [2, 2, 1]
    assert list(calls.batches([])) == []


def test_a_document_is_a_line_with_what_is_known_of_it() -> None:
    documents = [Document("Grüße\n2", id="a", hints=Hints(language="de"), meta={"n": 1}), Document(b"\xff")]
    lines = (calls.send(documents, "desk").content or b"").splitlines()

    assert [json.loads(line) for line in lines] == [
        {"id": "a", "body": "Grüße\n2", "hints": {"language": "de"}, "meta": {"n": 1}},
        {"body_base64": "/w=="},
    ]


def test_both_clients_have_the_same_methods_and_parameters() -> None:
    def shape(kind: type[Any]) -> dict[str, list[str]]:
        public: dict[str, Callable[..., Any]] = {n: m for n, m in vars(kind).items() if callable(m) and n[0] != "_"}
        return {name: list(inspect.signature(method).parameters) for name, method in public.items()}

    assert shape(Client) == shape(AsyncClient)


def test_the_asynchronous_client_asks_again_too() -> None:
    async def run() -> str:
        transport, _ = script(httpx.ReadTimeout("late"), httpx.Response(202, json=ACCEPTED))
        async with AsyncClient("http://door", transport=transport) as client:
            return (await client.send("text")).job

    assert asyncio.run(run()) == "j"
