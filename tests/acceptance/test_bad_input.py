"""Bad input gets a clear outcome through both doors, and what comes before and after it is stored."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.entries import story
from tests.processes import Stack


def good(name: str) -> str:
    """An article unlike that of any other name."""
    return story(int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big"))


EMPTY_FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Quiet</title><link>https://q.example/</link>
<description>Nothing yet</description></channel></rss>"""

TORN_FEED = b"""<?xml version="1.0"?><rss version="2.0"><chan"""

TORN_ITEM = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Torn</title><item><title>Half a headl"""

BAD_FILES: dict[str, tuple[bytes, str, str]] = {
    # name: content, folder it ends in, code of its outcome
    "picture.txt": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "rejected", "binary_input"),
    "empty.txt": (b"", "rejected", "empty_input"),
    "blank.txt": (b" \n\t\n", "rejected", "empty_input"),
    "nul.txt": (b"\x00" * 4096, "rejected", "binary_input"),
    "torn.xml": (TORN_FEED, "rejected", "malformed_input"),
    "torn-item.xml": (TORN_ITEM, "rejected", "not_article"),
    "quiet.xml": (EMPTY_FEED, "duplicate", ""),
}


def outcome_of(place: Path) -> dict[str, Any]:
    return dict(json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_ends_with_a_reason_between_two_good_ones(stack: Stack, name: str) -> None:
    data, folder, code = BAD_FILES[name]
    source = name.replace(".", "-")
    stack.drop(f"{source}/before.txt", good(f"1{name}"))
    stack.drop(f"{source}/{name}", data)
    stack.drop(f"{source}/after.txt", good(f"2{name}"))
    place = stack.settled(f"{folder}/{source}/*/{name}")
    (item,) = outcome_of(place)["items"]

    assert item.get("code", "") == code
    assert item["reason"]
    assert place.read_bytes() == data
    assert outcome_of(stack.settled(f"done/{source}/*/before.txt"))["outcome"] == "stored"
    assert outcome_of(stack.settled(f"done/{source}/*/after.txt"))["outcome"] == "stored"


def test_a_stray_nul_is_taken_out_of_a_good_text_and_said(stack: Stack) -> None:
    stack.drop("stray/nul.txt", f"{good('nul')}\nSo the har\x00bour office said.\n".encode())
    stack.settled("done/stray/*/nul.txt")
    ((text, warnings),) = stack.rows("select text, warnings from article where source = 'stray'")

    assert "the harbour office" in text
    assert warnings == ["control_characters_removed"]


def test_a_file_of_200_mb_is_rejected_without_being_read(stack: Stack) -> None:
    stack.drop("large/before.txt", good("1large"))
    with (stack.inbox / "large" / "huge.txt.part").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    (stack.inbox / "large" / "huge.txt.part").rename(stack.inbox / "large" / "huge.txt")
    stack.drop("large/after.txt", good("2large"))
    (item,) = outcome_of(stack.settled("rejected/large/*/huge.txt"))["items"]

    assert item["code"] == "input_too_large"
    assert "209,715,200 bytes" in item["reason"]
    assert stack.settled("done/large/*/before.txt")
    assert stack.settled("done/large/*/after.txt")


BAD_JOBS: dict[str, tuple[dict[str, Any], str, str]] = {
    # name: job, code, words that its reason must have
    "unknown field": (
        {"v": 1, "items": [{"id": "u1", "body": "x"}], "colour": "red"},
        "invalid_job",
        "colour: unknown field",
    ),
    "unknown field in an item": (
        {"v": 1, "items": [{"id": "u2", "body": "x", "bdy": "y"}]},
        "invalid_job",
        "items.0.bdy: unknown field",
    ),
    "another version": ({"v": 2, "documents": []}, "unsupported_job_version", "v is 2"),
    "no version": ({"items": [{"id": "u3", "body": "x"}]}, "unsupported_job_version", "v is None"),
    "no items": ({"v": 1, "items": []}, "invalid_job", "items"),
    "not an object": ([1, 2], "invalid_job", "not an object"),  # type: ignore[dict-item]
    "a path for a ref": ({"v": 1, "items": [{"id": "u4", "ref": "../../etc/passwd"}]}, "invalid_job", "items.0.ref"),
}


@pytest.mark.parametrize("name", BAD_JOBS)
def test_a_bad_job_is_recorded_with_its_bytes_and_others_go_on(stack: Stack, name: str) -> None:
    from celery import Celery

    job, code, words = BAD_JOBS[name]
    stack.send({"id": f"before {name}", "body": good(f"3{name}")}, source="jobs")
    with Celery(broker=stack.redis_url, set_as_current=False) as producer:
        task_id = producer.send_task("copydesk.ingest", args=[job]).id
    stack.send({"id": f"after {name}", "body": good(f"4{name}")}, source="jobs")
    query = f"select outcome, code, reason from receipt where ingest_id = '{task_id}'"  # noqa: S608 - our own id
    ((outcome, got_code, reason),) = stack.wait_for_rows(query, lambda rows: len(rows) == 1)

    assert (outcome, got_code) == ("rejected", code)
    assert words in reason
    ((raw,),) = stack.rows(
        "select r.data from dead_letter d join raw r on r.sha256 = d.raw_sha256 where d.ingest_id = %s", task_id
    )
    assert raw
    both = f"select item_id from receipt where item_id in ('before {name}', 'after {name}') and outcome = 'stored'"  # noqa: S608 - as above
    stack.wait_for_rows(both, lambda rows: len(rows) == 2)


def test_a_bad_item_does_not_stop_its_neighbours_in_one_job(stack: Stack) -> None:
    stack.send(
        {"id": "n1", "body": good("5a")},
        {"id": "n2", "body_base64": base64.b64encode(b"%PDF-1.7\n" + bytes(3000)).decode()},
        {"id": "n3", "body": ""},
        {"id": "n4", "body": "x" * (1024 * 1024 + 1)},
        {"id": "n5", "ref": "00000000000000000000/0"},
        {"id": "n6", "body": good("5b")},
        source="mixed",
    )
    query = "select item_id, outcome, code from receipt where source = 'mixed' order by 1"
    found = stack.wait_for_rows(query, lambda rows: len(rows) == 6)

    assert found == [
        ("n1", "stored", ""),
        ("n2", "rejected", "binary_input"),
        ("n3", "rejected", "empty_input"),
        ("n4", "rejected", "input_too_large"),
        ("n5", "rejected", "missing_input"),
        ("n6", "stored", ""),
    ]
    lines = [json.loads(line) for line in stack.log("ingest").splitlines() if '"item_id"' in line]
    told = {line["item_id"]: line["event"] for line in lines if line["event"] in ("cleaned", "no article")}
    assert {item_id: told.get(item_id) for item_id, _, _ in found} == {
        item_id: "cleaned" if outcome == "stored" else "no article" for item_id, outcome, _ in found
    }


def test_an_unknown_task_and_a_message_that_is_none_are_recorded(stack: Stack) -> None:
    from celery import Celery

    with Celery(broker=stack.redis_url, set_as_current=False) as producer:
        unknown = producer.send_task("somebody.elses.task", args=[1]).id
        pickled = producer.send_task("copydesk.ingest", args=[{"v": 1}], serializer="pickle").id
    query = f"select ingest_id, outcome, code from receipt where ingest_id in ('{unknown}', '{pickled}')"  # noqa: S608 - our own ids
    found = stack.wait_for_rows(query, lambda rows: len(rows) == 2)

    assert {row[0] for row in found} == {unknown, pickled}
    assert {row[1:] for row in found} == {("rejected", "invalid_job")}


def test_the_same_item_id_with_another_body_is_a_conflict(stack: Stack) -> None:
    for body in (good("6a"), good("6a"), good("6b")):
        task = stack.send({"id": "same", "body": body}, source="conflict")
        stack.wait_for_rows(
            f"select 1 from receipt where ingest_id = '{task}'",  # noqa: S608 - our own id
            lambda rows: len(rows) == 1,
        )
    outcomes = stack.rows("select outcome, code from receipt where source = 'conflict' order by recorded_at")

    assert outcomes == [("stored", ""), ("unchanged", ""), ("rejected", "item_conflict")]
    assert stack.rows("select count(*) from article where source = 'conflict'") == [(1,)]


def test_the_callers_own_json_comes_back_untouched(stack: Stack) -> None:
    meta = {"z": [1, 2.5, None], "a": {"ключ": "значение\x00"}, "order": True}
    stack.send({"id": "m1", "body": good("7a"), "meta": meta}, source="meta")
    ((got,),) = stack.wait_for_rows("select meta::text from article where source = 'meta'", lambda rows: len(rows) == 1)

    assert json.loads(got) == meta
