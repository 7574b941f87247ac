"""The HTTP door alone, with neither Redis nor Postgres there: what it accepts, and every refusal."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from copydesk.delivery import spool
from tests.http_door import FORM, JSON, NDJSON, TEXT, HttpDoor, http_door, is_problem
from tests.waiting import wait_until

NOWHERE = "redis://127.0.0.1:1/0"
NO_DATABASE = "postgresql://copydesk@127.0.0.1:1/copydesk"
LIMIT = 1024 * 1024


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """A door whose Redis and Postgres are away; documents up to 1 MiB, requests up to 4, up to 2,000 documents."""
    folder = tmp_path_factory.mktemp("api")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "tests.processes.ArticleStream.create_group", lambda self: None
        )  # there is no Redis to make it in
        with http_door(
            folder,
            NOWHERE,
            NO_DATABASE,
            document_bytes_max=LIMIT,
            http_request_bytes_max=4 * LIMIT,
            http_items_max=2000,
            http_idle_s=1,
        ) as made:
            yield made.open()


def bodies(door: HttpDoor, accepted: dict[str, object]) -> list[bytes]:
    """The bodies of a request's items as an ingest worker reads them."""
    items = accepted["items"]
    assert isinstance(items, list)
    found = []
    for item in items:
        of_job = spool.load(door.stack.spool, item["job"])
        assert of_job is not None
        number = [i.id for i in of_job.items].index(item["id"])
        found.append(spool.read(door.stack.spool, f"{item['job']}/{number}", 10**9))
    return found


def only_item(door: HttpDoor, accepted: dict[str, object]) -> spool.SpooledItem:
    of_job = spool.load(door.stack.spool, str(accepted["job"]))
    assert of_job is not None
    return next(i for i in of_job.items if i.id == accepted["items"][0]["id"])  # type: ignore[index]  # JSON


@pytest.mark.parametrize(
    ("content_type", "media_type", "encoding"),
    [
        ("text/plain", "text/plain", None),
        ("text/plain; charset=ISO-8859-1", "text/plain", "iso-8859-1"),
        ("text/html", "text/html", None),
        ("application/rss+xml", "application/rss+xml", None),
        ("APPLICATION/XML", "application/xml", None),
        ("application/octet-stream", "application/octet-stream", None),
    ],
)
def test_a_raw_document_is_on_disk_with_its_hints_when_202_is_said(
    door: HttpDoor, content_type: str, media_type: str, encoding: str | None
) -> None:
    answer = door.post(
        b"caf\xe9 " + content_type.encode(), {"Content-Type": content_type}, filename="a.txt", source="w"
    )
    accepted = answer.json()
    item = only_item(door, accepted)

    assert answer.status_code == 202
    assert answer.headers["location"] == accepted["status_url"] == accepted["items"][0]["status_url"]
    assert bodies(door, accepted) == [b"caf\xe9 " + content_type.encode()]
    assert (item.hints.media_type, item.hints.encoding, item.hints.filename) == (media_type, encoding, "a.txt")
    assert door.client.get(accepted["status_url"]).json()["state"] == "accepted"


@pytest.mark.parametrize("size", [300_000, LIMIT])
def test_a_large_document_streams_into_a_file_of_its_own(door: HttpDoor, size: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    accepted = door.post(iter([data[:100_000], data[100_000:]]), TEXT).json()

    assert bodies(door, accepted) == [data]
    assert door.client.get(accepted["status_url"]).json()["state"] == "accepted"


@pytest.mark.parametrize("body", [{"body": "Gruß"}, {"body_base64": base64.b64encode("Gruß".encode()).decode()}])
def test_a_json_document_carries_id_hints_and_meta(door: HttpDoor, body: dict[str, str]) -> None:
    own = f"own-{next(iter(body))}"
    document = {"id": own, "hints": {"url": "https://x.example/1"}, "meta": {"n": [1, {"a": None}]}, **body}
    accepted = door.client.post("/v1/documents", json=document, params={"filename": "f", "url": "https://y"}).json()
    item = only_item(door, accepted)

    assert bodies(door, accepted) == ["Gruß".encode()]
    assert (item.id, item.meta, item.hints.url, item.hints.filename) == (
        own,
        document["meta"],
        "https://x.example/1",
        "f",
    )


def test_a_thousand_lines_become_jobs_of_fifty(door: HttpDoor) -> None:
    lines = [json.dumps({"id": f"line-{n}", "body": f"Story {n}"}) for n in range(1000)]
    accepted = door.post("\n".join(lines).encode(), NDJSON, source="many").json()

    assert [item["id"] for item in accepted["items"]] == [f"line-{n}" for n in range(1000)]
    assert len(accepted["jobs"]) == 20
    assert bodies(door, accepted)[::333] == [b"Story 0", b"Story 333", b"Story 666", b"Story 999"]
    assert door.item("line-999", "many").json()["state"] == "accepted"


def test_the_same_id_twice_in_a_request_stands_in_two_jobs(door: HttpDoor) -> None:
    accepted = door.post(b'{"id":"twice","body":"a"}\n\n{"id":"twice","body":"b"}\n', NDJSON).json()

    assert len(accepted["jobs"]) == 2
    assert bodies(door, {"items": accepted["items"][:1]}) == [b"a"]


def test_files_of_a_multipart_request_keep_their_names_and_types(door: HttpDoor) -> None:
    files = [
        ("file", ("a.txt", b"one" * 100_000, "text/plain")),
        ("file", ("dir/Grüße.html", b"<p>two", "text/html; charset=utf-8")),
        ("other", ("c", b"three", "application/octet-stream")),
    ]
    accepted = door.client.post("/v1/documents", files=files).json()
    of_job = spool.load(door.stack.spool, accepted["job"])

    assert of_job is not None
    assert bodies(door, accepted) == [b"one" * 100_000, b"<p>two", b"three"]
    assert [i.hints.filename for i in of_job.items] == ["a.txt", "Grüße.html", "c"]
    assert [i.hints.media_type for i in of_job.items] == ["text/plain", "text/html", "application/octet-stream"]


@pytest.mark.parametrize(
    ("content", "headers", "query", "refusal"),
    [
        pytest.param(b"", TEXT, {}, (422, "empty"), id="empty"),
        pytest.param(b"\n\n", NDJSON, {}, (422, "empty"), id="no line"),
        pytest.param(b"{}", JSON, {}, (422, "invalid_document"), id="no body"),
        pytest.param(b"{", JSON, {}, (422, "invalid_document"), id="no JSON"),
        pytest.param(b'{"body":"a","x":1}', JSON, {}, (422, "invalid_document"), id="field"),
        pytest.param(b'{"body":"a","meta":{"x":NaN}}', JSON, {}, (422, "invalid_document"), id="NaN"),
        pytest.param(b'{"body_base64":"?"}', JSON, {}, (422, "invalid_document"), id="base64"),
        pytest.param(b'{"body":""}', JSON, {}, (422, "empty"), id="empty JSON"),
        pytest.param(b'{"body":"a","hints":{"filename":"a\\u0000"}}', JSON, {}, (422, "invalid_document"), id="NUL"),
        pytest.param(b'{"body":"a"}\n{"body":1}', NDJSON, {}, (422, "invalid_document"), id="second line"),
        pytest.param(b"x", TEXT, {"source": "a\x01"}, (422, "invalid_request"), id="source"),
        pytest.param(b"x", TEXT, {"wait": "forever"}, (422, "invalid_request"), id="wait"),
        pytest.param(b"x", {**TEXT, "Idempotency-Key": "a b"}, {}, (422, "invalid_request"), id="key"),
        pytest.param(b"x", {"Content-Type": "image/png"}, {}, (415, "unsupported_media_type"), id="type"),
        pytest.param(
            b"x", {"Content-Type": "application/x-www-form-urlencoded"}, {}, (415, "unsupported_media_type"), id="form"
        ),
        pytest.param(b"x", {**TEXT, "Content-Encoding": "gzip"}, {}, (415, "unsupported_content_encoding"), id="gzip"),
        pytest.param(b"x", {"Content-Type": "multipart/form-data"}, {}, (422, "invalid_multipart"), id="no boundary"),
        pytest.param(b"x", FORM, {}, (422, "invalid_multipart"), id="no multipart"),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\ntext',
            FORM,
            {},
            (422, "invalid_multipart"),
            id="cut off",
        ),
        pytest.param(
            b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\ntext\r\n--b--\r\n',
            FORM,
            {},
            (422, "invalid_multipart"),
            id="no file",
        ),
        pytest.param(b'{"body":"' + b"a" * (2 * LIMIT) + b'"}', NDJSON, {}, (413, "too_large"), id="line"),
        pytest.param(b'{"body":"a"}\n' * 2001, NDJSON, {}, (413, "too_many"), id="documents"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    door: HttpDoor, content: bytes, headers: dict[str, str], query: dict[str, str], refusal: tuple[int, str]
) -> None:
    before = set(door.spooled())

    assert is_problem(door.post(content, headers, **query), *refusal)
    assert set(door.spooled()) == before
    assert not door.unfinished()


def test_a_faulty_line_is_named(door: HttpDoor) -> None:
    problem = door.post(b'{"body":"a"}\n\n{"body":1}', NDJSON).json()

    assert problem["line"] == 3
    assert "body" in problem["errors"][0]


@pytest.mark.parametrize("is_declared", [True, False])
def test_thirty_megabytes_are_refused_while_they_come(door: HttpDoor, is_declared: bool) -> None:
    data = b"x" * (30 * 1024 * 1024)
    before = set(door.spooled())
    content = data if is_declared else (data[i : i + 65536] for i in range(0, len(data), 65536))

    answer = door.post(content, TEXT)

    assert is_problem(answer, 413, "too_large")
    assert answer.json()["limit"] == LIMIT
    assert set(door.spooled()) == before
    assert not door.unfinished()


# The begin of a request that no library would send.
BY_HAND = b"POST /v1/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"


def test_a_client_that_waits_for_100_is_refused_before_it_sends(door: HttpDoor) -> None:
    with door.connect() as raw:
        raw.sendall(BY_HAND + b"Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        assert raw.recv(1000).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize("sent", [1000, 600_000])
def test_a_client_that_leaves_midway_leaves_nothing_behind(door: HttpDoor, sent: int) -> None:
    before = set(door.spooled())
    with door.connect() as raw:
        raw.sendall(BY_HAND + b"Content-Length: 900000\r\n\r\n")
        raw.sendall(b"x" * sent)
        if sent > 300_000:
            wait_until(door.unfinished, 10, "the body streams into the spool")

    wait_until(lambda: not door.unfinished(), 10, "nothing is left")
    assert set(door.spooled()) == before


def test_a_client_that_falls_silent_is_let_go(door: HttpDoor) -> None:
    with door.connect() as raw:
        raw.sendall(BY_HAND + b"Content-Length: 100\r\n\r\nabc")
        told = b""
        while b"problem:too_slow" not in told and (more := raw.recv(2000)):
            told += more

    assert told.startswith(b"HTTP/1.1 408")
    assert b"problem:too_slow" in told


def test_the_same_key_and_documents_get_the_same_answer(door: HttpDoor) -> None:
    key = {**TEXT, "Idempotency-Key": '"key-1"'}
    first = door.post(b"once", key).json()
    jobs = door.spooled()

    assert first["items"][0]["id"] == "key-1"
    assert door.post(b"once", {**TEXT, "Idempotency-Key": "key-1"}).json() == first
    assert door.spooled() == jobs
    assert is_problem(door.post(b"other", key), 422, "idempotency_conflict")
    assert door.post(b"other", key, source="another").status_code == 202


def test_a_key_names_the_documents_of_a_large_request(door: HttpDoor) -> None:
    key = {**NDJSON, "Idempotency-Key": "key-2"}
    first = door.post(b'{"body":"a"}\n{"body":"b"}', key).json()

    assert [item["id"] for item in first["items"]] == ["key-2/0", "key-2/1"]
    assert door.post(b'{"body":"a"}\n{"body":"b"}', key).json() == first
    assert is_problem(door.post(b'{"body":"a"}\n{"body":"c"}', key), 422, "idempotency_conflict")
    assert door.item("key-2/1").json()["state"] == "accepted"
    assert not door.unfinished()


def test_waiting_while_nothing_can_be_stored_ends_with_the_ids(door: HttpDoor) -> None:
    answer = door.post(b"wait for me", TEXT, wait="stored", timeout=0.3)

    assert is_problem(answer, 503, "not_stored_yet")
    assert int(answer.headers["retry-after"]) > 0
    assert door.item(answer.json()["items"][0]["id"]).json()["state"] == "accepted"


def test_an_item_that_only_postgres_could_know_is_503(door: HttpDoor) -> None:
    answer = door.item("nobody-sent-this")

    assert is_problem(answer, 503, "database_unavailable")
    assert "retry-after" in answer.headers


def test_what_the_framework_refuses_is_a_problem_too(door: HttpDoor) -> None:
    assert is_problem(door.client.get("/nothing/here"), 404, "not_found")
    refused = door.client.put("/v1/documents")
    assert is_problem(refused, 405, "method_not_allowed")
    assert refused.headers["allow"] == "POST"


def test_it_is_ready_without_redis_and_postgres_and_says_so(door: HttpDoor) -> None:
    answer = door.client.get("/readyz")

    assert answer.status_code == 200
    assert (answer.json()["ready"], answer.json()["redis"], answer.json()["postgres"]) == (True, "down", "down")


def test_the_openapi_document_names_every_body_answer_and_problem(door: HttpDoor) -> None:
    document = door.client.get("/openapi.json").json()
    post = document["paths"]["/v1/documents"]["post"]

    assert {"DocumentIn", "Hints", "Accepted", "Stored", "Problem", "Settled", "Pending"} <= set(
        document["components"]["schemas"]
    )
    refusals = {"400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert set(post["responses"]) == {"200", "202", *refusals}
    assert {"text/plain", "application/json", "application/x-ndjson", "multipart/form-data"} <= set(
        post["requestBody"]["content"]
    )
    assert "HTTPValidationError" not in json.dumps(document["paths"])


def test_a_full_disk_refuses_and_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.processes.ArticleStream.create_group", lambda self: None)  # there is no Redis
    with http_door(tmp_path, NOWHERE, NO_DATABASE, spool_free_bytes_min=10**18) as door:
        door.open()
        answer = door.post(b"x", TEXT)

        assert is_problem(answer, 503, "disk_full")
        assert "retry-after" in answer.headers
        ready = door.client.get("/readyz")
        assert (ready.status_code, ready.json()["spool"]) == (503, "below its mark")


@pytest.mark.parametrize(
    ("hints", "status"),
    [
        ({"fields": {"title": "kop"}, "page": {"body": ["div.story"], "drop": [".poll"]}}, 202),
        ({"fields": {"title": "a\u0000b"}}, 422),
        ({"page": {"body": ["a\u0000b"]}}, 422),
        ({"page": {"nonsense": ["p"]}}, 422),
        ({"page": {"body": ["p"] * 21}}, 422),
    ],
)
def test_hints_that_are_maps_are_checked_like_the_others(door: HttpDoor, hints: dict[str, object], status: int) -> None:
    answer = door.post(json.dumps({"body": "Text", "hints": hints}), JSON)

    assert answer.status_code == status, answer.text
