"""Stored documents are judged once more: by other rules, or because Redis had no room for them before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from copydesk.cli_dedupe import app
from copydesk.dedupe.likeness import DEFAULT, Thresholds
from copydesk.dedupe.sketch import pack, sketch
from copydesk.delivery.judging import Judging
from copydesk.delivery.rejudging import LateJudging, Replay
from copydesk.delivery.settlement import article_id
from copydesk.embedded import ValkeyServer
from copydesk.errors import QueueFull
from copydesk.models import Likened
from copydesk.queue import streams
from copydesk.queue.entries import ArticleEntry, Outgoing
from copydesk.queue.likeness_index import LikenessIndex
from copydesk.storage import connection as database
from tests.entries import NOON, article, close, job, text
from tests.integration.writing import Desk, desk_on

WINDOW = timedelta(days=28)
NOTHING = Thresholds(jaccard=2, containment=2, edited=2, edited_titled=2)
STORY = [text(1, 120), text(2, 120)]


def entry(name: str, minutes: float, *body: str) -> ArticleEntry:
    return article(name, *body, job=job(f"job {name}", minutes=minutes))


def store(desk: Desk, found: ArticleEntry, number: int | None, like: ArticleEntry | None = None) -> str:
    """Write a document as it was judged then; returns its id."""
    likened = like and Likened(relation="near", document=article_id(like), scores={}, reason="near")
    told = found.model_copy(update={"number": number, "is_indexed": number is not None, "likeness": likened})
    drawn = pack(sketch(told.document.title, told.document.body))
    desk.store([Outgoing(told, sketch=drawn), close(told.job, 1)])
    return article_id(told)


def clusters(desk: Desk) -> dict[str, str]:
    return dict(desk.rows("select id::text, cluster_id::text from article_head"))


def changes(
    desk: Desk, thresholds: Thresholds = DEFAULT, *, since: datetime = NOON, apply: bool = False
) -> list[tuple[str, str, str | None]]:
    with database.connect(desk.database_url) as connection:
        replay = Replay(connection, since=since, window=WINDOW, thresholds=thresholds)
        return [(c.document, c.kind, c.into) for c in replay.changes(apply=apply)]


def test_what_is_one_story_now_is_told_and_joined_only_when_asked(desk: Desk) -> None:
    first = store(desk, entry("first", 0, *STORY), 1)
    other = store(desk, entry("other", 1, text(7, 120)), 2)
    missed = store(desk, entry("missed", 2, *STORY, text(3, 20)), 3)
    before = desk.shape()

    assert changes(desk) == [(missed, "joins", first)]
    assert clusters(desk) == {first: first, other: other, missed: missed}
    assert changes(desk, apply=True) == [(missed, "joins", first)]
    assert clusters(desk) == {first: first, other: other, missed: first}
    assert desk.shape() == before, "articles, receipts and jobs stay what they are"
    assert changes(desk) == []


def test_a_duplicate_that_is_like_nothing_any_more_is_told(desk: Desk) -> None:
    first = entry("first", 0, *STORY)
    store(desk, first, 1)
    copy = store(desk, entry("copy", 1, *STORY, text(3, 20)), 2, first)

    assert changes(desk) == []
    assert changes(desk, NOTHING) == [(copy, "parts", None)]


def test_only_what_came_since_is_judged_but_against_what_came_before(desk: Desk) -> None:
    first = store(desk, entry("first", 0, *STORY), 1)
    store(desk, entry("second", 1, *STORY, text(3, 20)), 2)
    third = store(desk, entry("third", 5, *STORY, text(4, 20)), 3)

    found = changes(desk, since=NOON + timedelta(minutes=3))
    assert [(document, kind) for document, kind, _ in found] == [(third, "joins")]
    assert first not in {document for document, _, _ in found}


def test_the_command_prints_the_changes_and_the_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first = store(desk, entry("first", 0, *STORY), 1)
    missed = store(desk, entry("missed", 2, *STORY, text(3, 20)), 2)
    monkeypatch.setenv("COPYDESK_POSTGRES_URL", desk.database_url)
    asked = ["replay", "--since", NOON.strftime("%Y-%m-%dT%H:%M:%S")]

    change, counts = map(json.loads, CliRunner().invoke(app, [*asked, "--json"]).stdout.splitlines())
    assert (change["document"], change["into"], change["relation"]) == (missed, first, "near")
    assert counts == {"judged": 2, "joins": 1, "parts": 0, "unreadable": 0, "is_applied": False}
    applied = CliRunner().invoke(app, [*asked, "--apply"])
    assert applied.stdout.splitlines()[-1].startswith("2 documents judged: 1 joined")
    assert clusters(desk)[missed] == first


def test_what_a_full_redis_left_is_judged_once_there_is_room(own_redis: ValkeyServer, database_url: str) -> None:
    with (
        streams.connect(own_redis.url) as client,
        database.connect(database_url) as connection,
        desk_on(own_redis.url, database_url) as desk,
    ):
        index = LikenessIndex(client, window_s=timedelta(days=3650).total_seconds(), bytes_max=1 << 30)
        index.begin(NOON, expected=1)
        assert index.lock("test")
        assert index.finish("test", index.state().server_run, 10)
        index.unlock("test")
        judging = Judging(index, lambda: None)
        client.config_set("maxmemory", 1)
        (left,) = judging.judged([Outgoing(entry("left", 0, *STORY))], NOON)
        assert isinstance(left.entry, ArticleEntry)
        assert left.entry.number is None
        late = LateJudging(index)
        client.config_set("maxmemory", 0)
        desk.store([left, close(left.entry.job, 1)])
        client.config_set("maxmemory", 1)
        with pytest.raises(QueueFull):
            late.turn(connection)

        client.config_set("maxmemory", 0)
        (later,) = judging.judged([Outgoing(entry("later", 1, *STORY, text(3, 20)))], NOON)
        desk.store([later, close(later.entry.job, 1)])
        late.turn(connection)
        connection.commit()
        first, second = article_id(left.entry), str(later.document)
        assert clusters(desk) == {first: first, second: first}
        assert desk.rows("select number from sketch order by document_id") == [(12,), (11,)]
        (copy,) = judging.judged([Outgoing(entry("copy", 2, *STORY, text(5, 20)))], datetime.now(UTC))
        assert isinstance(copy.entry, ArticleEntry)
        assert copy.entry.likeness is not None
