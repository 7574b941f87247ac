"""Inputs made to hurt go through a real ingest worker: each ends typed, and what stands behind it is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.hostile_inputs import HOSTILE, Hostile
from copydesk.delivery.limited import LimitedParser
from copydesk.errors import LimitExceeded, MalformedInput
from copydesk.models import Hints
from tests import entries
from tests.processes import Stack
from tests.waiting import wait_until

# Left to `python -m benchmarks.hostile`: more than a few seconds each of unpacking or cleaning alone.
LONG = {
    "CSV with a quote that never closes",
    "a JSON line of 19 MB",
    "a line of 19 MB",
    "bzip2 of 500 MB of zeros",
    "feed of 5 MB in one element",
    "gzip of 2 GB of zeros",
    "zip of 190 MB",
    "zip in zip in zip in zip in zip",
    "zstd of 1 GB of zeros",
}
SHORT = [hostile for hostile in HOSTILE if hostile.name not in LONG]


def source_of(hostile: Hostile) -> str:
    return f"h{HOSTILE.index(hostile)}"


@pytest.mark.slow
def test_hostile_inputs_end_typed_and_what_is_behind_them_is_stored(
    tmp_path: Path, redis_url: str, database_url: str
) -> None:
    limits = {"parse_seconds_max": 5, "inbox_grace_s": 0.2, "inbox_poll_s": 0.2}
    with Stack(tmp_path, redis_url, database_url, **limits) as stack:
        for hostile in SHORT:
            stack.drop(f"{source_of(hostile)}/{hostile.filename}", hostile.make())
            behind = entries.story(int(entries.sha256(hostile.name)[:8], 16))
            stack.drop(f"{source_of(hostile)}/zz-behind.txt", behind)
        stack.start("inbox", "ingest", "storage")
        worker = stack.pid("ingest")
        wait_until(lambda: len(list(stack.ended())) == 2 * len(SHORT), 240, f"all of it settled; {stack.tail()}")
        codes = {hostile.name: codes_of(stack, hostile) for hostile in SHORT}
        behind_in = {p.relative_to(stack.inbox).parts[0] for p in stack.ended() if p.name == "zz-behind.txt"}

        assert {name: found for name, found in codes.items() if not found <= allowed(name)} == {}
        assert behind_in == {"done"}
        assert stack.is_running("ingest")
        assert stack.pid("ingest") == worker
        assert {json.loads(line).get("level") for line in stack.log("ingest").splitlines() if line[:1] == "{"} <= {
            "info",
            "warning",
        }


def codes_of(stack: Stack, hostile: Hostile) -> set[str]:
    """What the outcome beside the file says of its items."""
    (place,) = stack.inbox.glob(f"*/{source_of(hostile)}/*/{hostile.filename}.outcome.json")
    told = json.loads(place.read_text("utf-8"))
    return {item.get("code", "") for item in [*told.get("items", ()), *told.get("faults", ())]}


def allowed(name: str) -> set[str]:
    # The limit is one of the clock: on a busy machine any input may pass it.
    return {code for hostile in HOSTILE if hostile.name == name for code in hostile.codes} | {"", "limit_exceeded"}


def test_a_parser_out_of_time_ends_alone_and_the_next_input_is_parsed() -> None:
    parser = LimitedParser(seconds=1, memory_bytes=512 * 1024 * 1024)
    try:
        with pytest.raises(LimitExceeded, match="more than 1 s"):
            parser.parse(b"<html><body>" + b"<p>x</p><br>" * 333_333, Hints(filename="a.html"))
        found = parser.parse(b"word and word\n" * 50_000, Hints(filename="a.txt"))
    finally:
        parser.stop()

    assert len(found[0].lines) == 50_000


def test_a_parser_out_of_memory_ends_with_its_reason() -> None:
    parser = LimitedParser(seconds=60, memory_bytes=1024 * 1024)
    try:
        with pytest.raises(LimitExceeded):
            parser.parse(b"".join(b"%d\n" % n for n in range(2_000_000)), Hints(filename="a.txt"))
    finally:
        parser.stop()


def test_an_error_of_the_child_is_the_parsers_own() -> None:
    parser = LimitedParser(seconds=30, memory_bytes=512 * 1024 * 1024)
    try:
        with pytest.raises(MalformedInput, match="nests deeper"):
            parser.parse(b'[{"a":' + b"[" * 1_000_000, Hints(filename="a.json"))
    finally:
        parser.stop()
