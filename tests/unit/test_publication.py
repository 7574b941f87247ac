"""From a job to its stream entries: bad items between good ones, containers, numbers, bytes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from copydesk import pipeline
from copydesk.cleaning import Rules, load_rules
from copydesk.delivery import publication
from copydesk.delivery.ingestion import CHUNK_BYTES, in_chunks
from copydesk.delivery.publication import Limits, entries_of, refused_item, refused_job
from copydesk.errors import DependencyError, InputTooLarge, InvalidJob, MissingInput, ProcessingError, SpoolUnavailable
from copydesk.models import Outcome
from copydesk.pipeline import Processed
from copydesk.queue.entries import ArticleEntry, CloseEntry, OutcomeEntry, Outgoing
from copydesk.queue.jobs import Job, read_job
from copydesk.queue.streams import ENTRIES_AT_ONCE
from tests.entries import close, document, job, sha256, text

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIMITS = Limits(inline=20_000, document=50_000)
STORY = f"Old bridge closes\n\n{text(1)}.\n\n{text(2)}.\n"


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules([])


def _job(*items: dict[str, Any], **changes: Any) -> Job:
    return read_job({"v": 1, "items": list(items)} | changes, task_id="job", now=NOW)


def _read(ref: str, limit: int) -> bytes:
    match ref:
        case "gone":
            raise MissingInput(ref)
        case "large":
            raise InputTooLarge(ref, "too many bytes")
        case "away":
            raise SpoolUnavailable(ref)
        case _:
            return STORY.encode()


def _publish(found: Job, rules: Rules) -> list[Outgoing]:
    return list(entries_of(found, rules, _read, LIMITS))


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{}</channel></rss>"""
ENTRY = """<item><guid>{guid}</guid><title>Story {n}</title><link>https://a.example/{n}</link>
<description>{text}</description></item>"""


def _feed(*guids: str) -> str:
    return FEED.format("".join(ENTRY.format(guid=g, n=n, text=text(n)) for n, g in enumerate(guids)))


def test_bad_items_between_good_ones_are_told_and_the_good_ones_go_on(rules: Rules) -> None:
    found = _publish(
        _job(
            {"id": "1", "body": STORY},
            {"id": "2", "body": ""},
            {"id": "3", "body_base64": "*"},
            {"id": "4", "ref": "gone"},
            {"id": "5", "ref": "large"},
            {"id": "6", "body": "x" * (LIMITS.inline + 1)},
            {"id": "7", "body_base64": "AAECAwQFBgcICQoLDA0ODw=="},
            {"id": "8", "ref": "good"},
        ),
        rules,
    )
    told = [(e.entry.item_id, getattr(e.entry, "code", "article")) for e in found[:-1]]  # type: ignore[union-attr]

    assert told == [
        ("1", "article"),
        ("2", "empty_input"),
        ("3", "invalid_job"),
        ("4", "missing_input"),
        ("5", "input_too_large"),
        ("6", "input_too_large"),
        ("7", "binary_input"),
        ("8", "article"),
    ]
    assert all(e.entry.outcome is Outcome.REJECTED for e in found if isinstance(e.entry, OutcomeEntry))
    assert found[-1].entry == CloseEntry(job=publication.job_ref(_job({"id": "1", "body": ""})), total=8)


def test_a_body_of_the_limit_is_taken_and_measured_in_bytes(rules: Rules) -> None:
    just, over = "é" * (LIMITS.inline // 2), "é" * (LIMITS.inline // 2 + 1)
    codes = [
        getattr(e.entry, "code", "")
        for e in _publish(_job({"id": "1", "body": just}, {"id": "2", "body": over}), rules)
    ]

    assert codes[0] != "input_too_large"
    assert codes[1] == "input_too_large"


def test_a_fault_of_ours_is_one_dead_item_with_its_bytes_and_trace(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = pipeline.process

    def stumble(item: Any, *args: Any, **kwargs: Any) -> list[Processed]:
        if b"stumble" in item.data:
            raise ZeroDivisionError("oh")
        return process(item, *args, **kwargs)

    monkeypatch.setattr(pipeline, "process", stumble)
    with structlog.testing.capture_logs() as logs:
        bad, good, closing = _publish(_job({"id": "1", "body": "stumble"}, {"id": "2", "body": STORY}), rules)

    assert [line["item_id"] for line in logs if line["log_level"] == "error"] == ["1"]
    assert [line["item_id"] for line in logs] == ["1", "1", "2"]

    assert isinstance(bad.entry, OutcomeEntry)
    assert (bad.entry.outcome, bad.entry.code, bad.raw) == (Outcome.DEAD, "processing_error", b"stumble")
    assert "ZeroDivisionError: oh" in bad.entry.reason
    assert "in stumble" in (bad.entry.trace or "")
    assert isinstance(good.entry, ArticleEntry)
    assert closing.entry.total == 2  # type: ignore[union-attr]


def test_a_disk_that_is_away_is_no_outcome(rules: Rules) -> None:
    with pytest.raises(DependencyError):
        _publish(_job({"id": "1", "ref": "away"}), rules)


def test_an_entry_carries_what_the_row_and_the_sender_need(rules: Rules) -> None:
    meta = {"mine": [1, "\u0000", None]}
    item = {"id": "1", "body": STORY, "meta": meta, "hints": {"filename": "a.txt"}}
    (entry, _) = _publish(_job(item, source="wire", origin="x"), rules)

    assert isinstance(entry.entry, ArticleEntry)
    assert (entry.entry.name, entry.entry.meta, entry.entry.job.source) == ("a.txt", meta, "wire")
    assert entry.raw == STORY.encode()
    assert entry.entry.raw_sha256 == entry.entry.document.item_sha256 == sha256(STORY)
    assert ("item", "wire\n1") in {(key.kind, key.value) for key in entry.entry.document.keys}


def test_a_files_id_is_ours_and_no_name_of_the_document(rules: Rules) -> None:
    (entry, _) = _publish(_job({"id": "1", "body": STORY}, kind="file"), rules)

    assert isinstance(entry.entry, ArticleEntry)
    assert "item" not in {key.kind for key in entry.entry.document.keys}


def test_the_articles_of_a_container_have_ids_of_their_own_and_its_bytes_once(rules: Rules) -> None:
    feed = _feed("a", "b", "c")
    *found, closing = _publish(_job({"id": "1", "body": feed}), rules)
    again = _publish(_job({"id": "1", "body": feed}), rules)

    assert [e.entry.parent_id for e in found] == ["1"] * 3  # type: ignore[union-attr]
    assert len({e.entry.item_id for e in found}) == 3  # type: ignore[union-attr]
    assert all(e.entry.item_id.startswith("1#") for e in found)  # type: ignore[union-attr]
    assert [e.raw for e in found] == [feed.encode(), None, None]
    assert len({e.entry.raw_sha256 for e in found}) == 1  # type: ignore[union-attr]
    assert closing.entry.total == 3  # type: ignore[union-attr]
    assert [e.entry for e in again[:-1]] == [e.entry for e in found]


def test_ids_differ_even_where_keys_do_not(rules: Rules, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items of one id would get one receipt, and the job would wait for the second for ever."""
    twins = [Processed("k", document("x")), Processed("k", document("y")), Processed(None, None), Processed(None, None)]
    monkeypatch.setattr(pipeline, "process", lambda *args, **kwargs: twins)
    *found, closing = _publish(_job({"id": "1", "body": "x"}), rules)

    assert max(Counter(e.entry.item_id for e in found).values()) == 1  # type: ignore[union-attr]
    assert closing.entry.total == 4  # type: ignore[union-attr]


def test_an_empty_container_is_an_outcome_and_counts(rules: Rules) -> None:
    (entry, closing) = _publish(_job({"id": "1", "body": FEED.format("")}), rules)

    assert isinstance(entry.entry, OutcomeEntry)
    assert (entry.entry.outcome, entry.entry.item_id) == (Outcome.UNCHANGED, "1")
    assert closing.entry.total == 1  # type: ignore[union-attr]


def test_each_item_is_announced_before_it_is_read(rules: Rules) -> None:
    seen: list[str] = []
    found = entries_of(
        _job({"id": "1", "body": ""}, {"id": "2", "body": ""}),
        rules,
        _read,
        LIMITS,
        on_item=lambda i: seen.append(i.id),
    )

    assert [(next(found).entry.item_id, list(seen)) for _ in "12"] == [("1", ["1"]), ("2", ["1", "2"])]  # type: ignore[union-attr]


def test_a_refused_job_keeps_its_payload_and_closes() -> None:
    told, closing = refused_job(job("t"), InvalidJob("t", "v is 2"), b"{}", outcome=Outcome.REJECTED)

    assert isinstance(told.entry, OutcomeEntry)
    assert (told.entry.item_id, told.entry.code, told.raw) == ("t", "invalid_job", b"{}")
    assert told.entry.raw_sha256 == sha256("{}")
    assert closing.entry == close(job("t"), 1)


@pytest.mark.parametrize(
    ("given", "raw"),
    [({"body": "x"}, b"x"), ({"ref": "r"}, STORY.encode()), ({"ref": "gone"}, None), ({"ref": "large"}, None)],
)
def test_an_item_given_up_is_dead_under_its_own_id_with_its_bytes(given: dict[str, str], raw: bytes | None) -> None:
    found = _job({"id": "1", "meta": {"a": 1}, **given}, kind="http")
    told = refused_item(found, found.items[0], ProcessingError("1", "twice"), _read, LIMITS)

    assert isinstance(told.entry, OutcomeEntry)
    assert (told.entry.item_id, told.entry.outcome, told.entry.meta) == ("1", Outcome.DEAD, {"a": 1})
    assert (told.raw, told.entry.raw_sha256) == (raw, None if raw is None else sha256(raw))


def _outgoing(size: int | None = None) -> Outgoing:
    return Outgoing(close(job(), 0), None if size is None else bytes(size))


@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ([], []),
        ([None], [1]),
        ([None] * ENTRIES_AT_ONCE, [ENTRIES_AT_ONCE]),
        ([None] * (2 * ENTRIES_AT_ONCE + 1), [ENTRIES_AT_ONCE, ENTRIES_AT_ONCE, 1]),
        ([CHUNK_BYTES, None, None], [1, 2]),
        ([CHUNK_BYTES // 2] * 5, [2, 2, 1]),
    ],
)
def test_entries_are_cut_by_number_and_bytes(sizes: list[int | None], lengths: list[int]) -> None:
    entries = [_outgoing(size) for size in sizes]
    chunks = list(in_chunks(entries))

    assert [len(chunk) for chunk in chunks] == lengths
    assert [entry for chunk in chunks for entry in chunk] == entries


MESSAGE = """<newsMessage xmlns="http://iptc.org/std/nar/2006-10-01/"><itemSet>
<newsItem guid="a" version="2"><itemMeta><itemClass qcode="ninat:text"/></itemMeta>
<contentMeta><by>By Jane Roe</by><headline>Old bridge closes</headline></contentMeta>
<contentSet><inlineData contenttype="text/plain">{text}.</inlineData></contentSet></newsItem>
<newsItem guid="b"><itemMeta><itemClass qcode="ninat:picture"/></itemMeta></newsItem>
<newsItem guid="c" version="7"><itemMeta><pubStatus qcode="stat:canceled"/></itemMeta></newsItem>
<newsItem guid="d"><itemMeta><pubStatus qcode="stat:withheld"/></itemMeta></newsItem>
</itemSet></newsMessage>"""


def test_an_agency_message_is_articles_rejections_and_withdrawals(rules: Rules) -> None:
    found = [o.entry for o in _publish(_job({"id": "m", "body": MESSAGE.format(text=text(1))}), rules)]
    story, picture, kill, withheld, closing = found

    assert isinstance(story, ArticleEntry)
    assert (story.document.guid, story.document.version, story.document.authors) == ("a", "2", ("Jane Roe",))
    assert (story.document.title, story.document.body) == ("Old bridge closes", (f"{text(1)}.",))
    assert isinstance(picture, OutcomeEntry)
    assert (picture.outcome, picture.code, picture.reason) == (
        "rejected",
        "not_article",
        "not an article: a picture item",
    )
    orders = [entry.withdrawal for entry in (kill, withheld) if isinstance(entry, OutcomeEntry) and entry.withdrawal]
    assert [(o.keys[0].value, o.is_final, o.version) for o in orders] == [
        ("celery\nc", True, "7"),
        ("celery\nd", False, None),
    ]
    assert closing == close(story.job, 4)


def test_a_text_that_its_agency_calls_one_is_an_article_whatever_cleaning_says(rules: Rules) -> None:
    notice = "Subscribe now to keep reading this story. Already a subscriber? Sign in."
    item = f"<nitf><body><body.head/><body.content><p>{notice}</p></body.content></body></nitf>"
    (entry, _) = (outgoing.entry for outgoing in _publish(_job({"id": "n", "body": item}), rules))

    assert isinstance(entry, ArticleEntry)
    assert entry.document.body == (notice,)
    assert "kept_as_its_sender_states" in entry.document.warnings
