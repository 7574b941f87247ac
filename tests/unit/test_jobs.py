"""The envelope of a job: what is taken, and what is refused, by name."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.errors import InvalidJob, UnsupportedJobVersion
from copydesk.queue.jobs import ITEMS_MAX, JobItem, payload_of, read_job, safe_id, schema, sent_job

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _job(**changes: Any) -> dict[str, Any]:
    return {"v": 1, "items": [{"id": "a", "body": "text"}]} | changes


def _with_item(**changes: Any) -> dict[str, Any]:
    return _job(items=[{"id": "a", "body": "text"} | changes])


def _read(payload: object) -> Any:
    return read_job(payload, task_id="task-1", now=NOW)


def test_the_smallest_job_is_filled_from_its_task() -> None:
    job = _read(_job())

    assert (job.id, job.source, job.kind, job.received_at) == ("task-1", "celery", "celery", NOW)
    assert job.items[0].inline_bytes() == b"text"


def test_what_the_job_says_itself_wins() -> None:
    job = _read(_job(id="mine", source="Wire 7/港", kind="http", received_at="2026-02-28T20:00:00+08:00"))

    assert (job.id, job.source, job.kind) == ("mine", "Wire 7/港", "http")
    assert job.received_at == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert job.received_at.utcoffset() == timedelta(0)


def test_a_datetime_that_kombu_read_is_taken() -> None:
    assert _read(_job(received_at=NOW)).received_at == NOW


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        pytest.param(_job(extra=1), "extra: unknown field", id="unknown field of the job"),
        pytest.param(_with_item(extra=1), "items.0.extra: unknown field", id="unknown field of an item"),
        pytest.param(_with_item(hints={"extra": 1}), "items.0.hints.extra: unknown field", id="unknown hint"),
        pytest.param(_with_item(ref="abc/0"), "exactly one of body", id="two bodies"),
        pytest.param(_with_item(body=None), "exactly one of body", id="no body"),
        pytest.param(_with_item(body=None, ref="../etc"), "items.0.ref", id="a ref that is a path"),
        pytest.param(_with_item(body=None, ref="abc/0\n"), "items.0.ref", id="a ref with a line break"),
        pytest.param(_with_item(body=None, ref="ab/cd"), "items.0.ref", id="a ref that names a file"),
        pytest.param(_with_item(body=None, ref="abc/claim.json"), "items.0.ref", id="a ref of our own file"),
        pytest.param(_with_item(body=5), "items.0.body", id="a number for a body"),
        pytest.param(_with_item(body="a\ud800"), "Invalid JSON", id="lone surrogate"),
        pytest.param(_with_item(meta={"a": float("nan")}), "not JSON", id="not a number"),
        pytest.param(_with_item(meta={"a": float("inf")}), "not JSON", id="infinity"),
        pytest.param(_with_item(meta=[1]), "items.0.meta", id="meta that is no object"),
        pytest.param(_with_item(id=""), "items.0.id", id="empty item id"),
        pytest.param(_with_item(id="a\x00b"), "items.0.id", id="NUL in an item id"),
        pytest.param(_with_item(id="x" * 501), "items.0.id", id="item id too long"),
        pytest.param(_with_item(id="\U0001f4f0" * 251), "items.0.id", id="item id too long in bytes"),
        pytest.param(_job(id="a\nb"), "id: ", id="line break in a job id"),
        pytest.param(_job(source=""), "source", id="empty source"),
        pytest.param(_job(source="a\tb"), "source", id="control character in a source"),
        pytest.param(_job(kind="mail"), "kind", id="unknown door"),
        pytest.param(_job(origin="a\x00"), "origin", id="NUL in an origin"),
        pytest.param(_job(items=[]), "items", id="no item"),
        pytest.param(_job(items=[{"id": str(n), "body": "x"} for n in range(51)]), "items", id="51 items"),
        pytest.param(_job(items=[{"id": "a", "body": "x"}] * 2), "two items have the same id", id="one id twice"),
        pytest.param(_job(received_at="2026-03-01T12:00:00"), "received_at", id="time without a zone"),
        pytest.param(_job(received_at="0001-01-01T00:00:00+14:00"), "received_at", id="time before our era"),
        pytest.param(_job(received_at="9999-12-31T23:59:59-12:00"), "received_at", id="time after year 9999"),
        pytest.param(_job(received_at="2026-03-02T12:00:01Z"), "lies in the future", id="a day ahead"),
    ],
)
def test_a_job_off_the_schema_is_refused_by_name(payload: object, said: str) -> None:
    with pytest.raises(InvalidJob) as caught:
        _read(payload)

    assert not isinstance(caught.value, UnsupportedJobVersion)
    assert said in caught.value.detail


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(InvalidJob) as caught:
        _read({"v": 1, "one": 1, "items": [{"id": "", "two": 2, "body": "x"}]})

    for named in ("one: unknown field", "items.0.two: unknown field", "items.0.id: "):
        assert named in caught.value.detail


@pytest.mark.parametrize("version", [0, 2, "1", None, True, [1], 1.5])
def test_another_version_is_refused_as_such(version: object) -> None:
    with pytest.raises(UnsupportedJobVersion):
        _read({"v": version, "unknown": 1})


@pytest.mark.parametrize("payload", [None, [], "job", 7, [_job()]])
def test_what_is_no_object_is_refused(payload: object) -> None:
    with pytest.raises(InvalidJob, match="not an object"):
        _read(payload)


def test_a_job_nested_without_end_is_refused_and_not_a_crash() -> None:
    nested: dict[str, Any] = {}
    for _ in range(5000):
        nested = {"a": nested}

    with pytest.raises(InvalidJob):
        _read(_with_item(meta=nested))


@pytest.mark.parametrize("count", [1, ITEMS_MAX])
def test_one_to_fifty_items_are_taken(count: int) -> None:
    assert ITEMS_MAX == 50
    assert len(_read(_job(items=[{"id": str(n), "body": "x"} for n in range(count)])).items) == count


def test_a_base64_body_is_bytes() -> None:
    data = bytes(range(256))
    job = _read(_job(items=[{"id": "a", "body_base64": base64.b64encode(data).decode()}]))

    assert job.items[0].inline_bytes() == data


@pytest.mark.parametrize("body", ["*", "YQ", "YQ==\n", "é"])
def test_bad_base64_is_the_items_own_fault(body: str) -> None:
    """The job stands: its other items are good."""
    job = _read(_job(items=[{"id": "a", "body_base64": body}, {"id": "b", "body": "x"}]))

    with pytest.raises(InvalidJob, match="body_base64 is not base64"):
        job.items[0].inline_bytes()


def test_an_empty_body_is_a_body() -> None:
    assert _read(_with_item(body="")).items[0].inline_bytes() == b""


@pytest.mark.parametrize(
    ("args", "kwargs", "sent"),
    [
        (({"v": 1},), {}, {"v": 1}),
        ((), {"job": {"v": 1}}, {"v": 1}),
        ((), {}, {"args": [], "kwargs": {}}),
        ((1, 2), {}, {"args": [1, 2], "kwargs": {}}),
        ((1,), {"job": 2}, {"args": [1], "kwargs": {"job": 2}}),
        ((), {"job": 1, "more": 2}, {"args": [], "kwargs": {"job": 1, "more": 2}}),
    ],
)
def test_the_job_is_found_among_a_tasks_arguments(
    args: tuple[object, ...], kwargs: dict[str, object], sent: object
) -> None:
    assert sent_job(args, kwargs) == sent


def test_a_job_survives_its_way_over_the_queue() -> None:
    job = _read(_job(kind="file", origin="a.txt", items=[{"id": "a", "ref": "c1/0", "hints": {"filename": "a.txt"}}]))

    assert _read(json.loads(json.dumps(payload_of(job)))) == job


@given(
    meta=st.dictionaries(
        st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)
    )
)
def test_meta_comes_through_untouched(meta: dict[str, Any]) -> None:
    read = read_job(_with_item(meta=meta), task_id="t", now=NOW)

    assert read.items[0].meta == meta


@given(task_id=st.text())
def test_any_task_id_can_stand_for_a_job(task_id: str) -> None:
    name = safe_id(task_id)

    assert JobItem.model_validate({"id": name, "body": ""}).id == name
    assert name == safe_id(name)


def test_task_ids_that_are_no_names_stay_apart() -> None:
    assert safe_id("7c9e-41") == "7c9e-41"
    assert len({safe_id(bad) for bad in ("", "a\x00", "b\x00", "x" * 600, "\ud800")}) == 5


def test_the_published_schema_leaves_out_what_a_producer_may() -> None:
    assert schema()["required"] == ["v", "items"]
    assert schema()["additionalProperties"] is False
