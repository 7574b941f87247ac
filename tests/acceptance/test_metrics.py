"""Metrics of a whole stack, as Prometheus scrapes them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.entries import story
from tests.http_door import TEXT, TO_THE_ROW, HttpDoor, open_door
from tests.servers import Server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """Every process of the way from the HTTP door to the row, and the scheduler."""
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("metrics"), *TO_THE_ROW) as made:
        yield made


def scraped(door: HttpDoor) -> dict[tuple[str, str], float]:
    """(series, label values) -> value, summed over the stack's processes."""
    values: dict[tuple[str, str], float] = {}
    for path in (door.stack.folder / "run").glob("*.json"):
        port = json.loads(path.read_text(encoding="utf-8"))["port"]
        for family in text_string_to_metric_families(httpx.get(f"http://127.0.0.1:{port}/metrics").text):
            for sample in family.samples:
                place = (sample.name, " ".join(sample.labels.values()))
                values[place] = values.get(place, 0.0) + sample.value
    return values


def test_what_was_handed_over_is_counted_by_outcome_stage_and_status(door: HttpDoor) -> None:
    before = scraped(door)
    for text in (story(1), story(2), story(1), "© 2026 The Herald. All rights reserved.\n"):
        assert door.post(text.encode(), TEXT, wait="stored").status_code == 200
    door.client.get("/v1/articles/not-an-id")

    def risen(*place: str) -> float:
        after = scraped(door)
        key = (place[0], place[1] if len(place) > 1 else "")
        return after.get(key, 0.0) - before.get(key, 0.0)

    wait_until(lambda: risen("copydesk_items_total", "rejected") == 1, 20, "the last outcome is counted")
    assert risen("copydesk_items_total", "stored") == 2
    assert risen("copydesk_items_total", "duplicate") == 1
    assert risen("copydesk_job_seconds_count") == 4
    assert risen("copydesk_batch_seconds_count") >= 1
    assert risen("copydesk_http_requests_total", "POST /v1/documents 200") == 4
    assert risen("copydesk_http_requests_total", "GET /v1/articles/{article_id} 422") == 1


def test_the_scheduler_measures_what_all_share(door: HttpDoor) -> None:
    def measured() -> bool:
        found = scraped(door)
        return found.get(("copydesk_measured_timestamp_seconds", ""), 0) > 0 and (
            found.get(("copydesk_dead_letters", "rejected"), 0) >= 1
        )

    wait_until(measured, 30, "the scheduler has measured")
    found = scraped(door)

    assert found["copydesk_stream_entries", ""] == 0
    assert found["copydesk_redis_bytes", ""] > 0
    assert found["copydesk_spool_free_bytes", ""] > 0
    assert found["copydesk_reader_lag", "search"] >= 0
