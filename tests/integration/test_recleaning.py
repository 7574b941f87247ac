"""Cleaning stored inputs again after a change of rules: shown first, applied in place, told, and beside writers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk.cleaning import Rules, load_rules
from copydesk.cli import app
from copydesk.delivery import recleaning
from copydesk.delivery.changes import number_changes
from copydesk.delivery.publication import Limits, entries_of
from copydesk.delivery.recleaning_run import RecleaningRun
from copydesk.delivery.search_index import index_texts
from copydesk.formats import parse
from copydesk.formats.feed_pages import MEDIA_TYPE, FeedPages, Page, name_of
from copydesk.models import Hints
from copydesk.queue.jobs import Job, JobItem
from copydesk.settings import PREFIX, Settings, load
from copydesk.storage import connection as database
from tests.entries import NOON, text
from tests.integration.writing import Desk

FOOT = "Read all about the island in the Gazette of tomorrow"
PROFILE = f"""
name = "gazette"
rules = [{{ action = "drop", match = "exact", text = "{FOOT}" }}]
"""


@pytest.fixture(scope="module")
def rules() -> Rules:
    return load_rules()


def body(seed: int, foot: str = FOOT) -> str:
    return f"Village {seed} opens its library\n\n{text(seed).capitalize()}.\n\n{text(seed + 9)}.\n\n{foot}\n"


def take_in(desk: Desk, rules: Rules, job_id: str, *items: dict[str, Any], source: str = "gazette") -> None:
    """As an ingest worker and a storage worker do."""
    given = tuple(JobItem.model_validate({"id": f"{job_id}-{n}", **item}) for n, item in enumerate(items))
    job = Job(v=1, id=job_id, source=source, kind="http", received_at=NOON, items=given)
    desk.store(list(entries_of(job, rules, lambda ref, limit: b"", Limits(10**6, 10**6))))
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        index_texts(connection)


def settings_of(desk: Desk, tmp_path: Path) -> Settings:
    return load({}, postgres_url=desk.database_url, redis_url=desk.redis_url, data_dir=tmp_path)


def command(desk: Desk, tmp_path: Path, *arguments: str) -> Any:
    env = {
        f"{PREFIX}POSTGRES_URL": desk.database_url,
        f"{PREFIX}REDIS_URL": desk.redis_url,
        f"{PREFIX}DATA_DIR": str(tmp_path),
    }
    result = CliRunner().invoke(app, arguments, env=env)
    assert result.exit_code == 0, result.output
    return result.stdout


def reclean(desk: Desk, tmp_path: Path, *arguments: str) -> Any:
    return json.loads(command(desk, tmp_path, "reclean", *arguments, "--json"))


@pytest.fixture
def new_rules(desk: Desk, tmp_path: Path, rules: Rules) -> None:
    """Two articles of a source, one without and one with what a new rule drops, and one of another source."""
    take_in(desk, rules, "j1", {"body": body(1)}, {"body": body(2, "The end came late.")})
    take_in(desk, rules, "j2", {"body": body(3)}, source="herald")
    (tmp_path / "gazette.toml").write_text(PROFILE)
    command(desk, tmp_path, "sources", "import", str(tmp_path / "gazette.toml"))


TEXTS = "select source, text, revision, changed_at from article order by source, title"


@pytest.mark.usefixtures("new_rules")
def test_the_difference_is_shown_and_nothing_is_changed(desk: Desk, tmp_path: Path) -> None:
    before = desk.rows(TEXTS)

    told = reclean(desk, tmp_path, "--all")

    assert told["results"] | {"changed": 1, "unchanged": 2, "no_input": 0, "no_article": 0} == told["results"]
    assert set(told["fields"]) == {"body", "pieces"}
    assert [f"-{FOOT}" in sample["diff"] for sample in told["samples"]] == [True]
    assert desk.rows(TEXTS) == before
    assert FOOT in command(desk, tmp_path, "reclean", "--all")


@pytest.mark.usefixtures("new_rules")
def test_applied_the_text_changes_in_place_and_consumers_are_told(desk: Desk, tmp_path: Path) -> None:
    ((before, *_), *_) = desk.rows("select max(position) from outbox")

    told = reclean(desk, tmp_path, "--source", "gazette", "--apply")
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        index_texts(connection)

    assert told["results"]["changed"] == 1
    assert desk.rows("select count(*) from revision") == [(3,)], "no revision is made"
    assert [source for source, text, *_ in desk.rows(TEXTS) if FOOT in text] == ["herald"]
    assert desk.rows("select event, revision, item_id from outbox where position > %s", (before,)) == [
        ("recleaned", 1, "j1-0")
    ]
    assert desk.rows("select count(*) from article_head where position > %s", (before,)) == [(1,)]
    assert desk.rows(
        "select distinct rules_version from revision where article_id in"
        " (select id from article_head where source = 'gazette')"
    ) == [(told["rules_version"],)]
    assert json.loads(command(desk, tmp_path, "articles", "search", "tomorrow", "--source", "gazette", "--json")) == []
    assert FOOT in desk.rows("select removed::text from article where title like 'Village 1 %%'")[0][0]

    again = reclean(desk, tmp_path, "--source", "gazette", "--apply")
    assert again["results"]["unchanged"] == 2
    desk.check()


def test_what_senders_said_beside_the_text_stays(desk: Desk, tmp_path: Path, rules: Rules) -> None:
    hints = {"title": "A headline of the sender's", "published_at": "2026-02-03T04:05:06+01:00", "language": "en"}
    take_in(desk, rules, "j1", {"body": text(1), "hints": hints}, {"body": body(2)})

    told = reclean(desk, tmp_path, "--all")

    assert told["results"]["unchanged"] == 2


def test_articles_without_their_input_are_counted_and_left(desk: Desk, tmp_path: Path, rules: Rules) -> None:
    take_in(desk, rules, "j1", {"body": body(1)}, {"body": body(2)})
    with database.connect(desk.database_url) as connection:
        connection.execute("delete from raw where sha256 = (select min(sha256) from raw)")

    told = reclean(desk, tmp_path, "--all", "--apply")

    assert (told["results"]["no_input"], told["results"]["unchanged"]) == (1, 1)


def test_each_article_of_a_list_is_found_in_it_again(desk: Desk, tmp_path: Path, rules: Rules) -> None:
    lines = "\n".join(json.dumps({"id": n, "title": f"Village {n}", "text": text(n)}) for n in range(5))
    take_in(desk, rules, "j1", {"body": lines, "hints": {"filename": "list.jsonl"}})

    assert reclean(desk, tmp_path, "--all")["results"]["unchanged"] == 5


def test_each_article_of_a_feed_is_found_in_it_again_with_its_page(desk: Desk, tmp_path: Path, rules: Rules) -> None:
    entries = "".join(
        f"<item><title>Village {n} opens</title><guid>g{n}</guid><link>/v/{n}</link><description>{text(n, 20)}"
        "</description></item>"
        for n in range(3)
    )
    feed = f"<rss version='2.0'><channel><title>Gazette</title>{entries}</channel></rss>"
    url = "https://gazette.example/rss"
    second = parse(feed.encode(), Hints(url=url))[1]
    page = f"<html><body><article><p>{text(1, 20)}</p><p>{text(1, 200)}</p></article></body></html>"
    pages = (Page(entry=name_of(second), url=second.fields.url or "", media_type="text/html", charset=None, body=page),)
    bundle = FeedPages(url=url, media_type="text/xml", charset=None, body=feed, pages=pages).packed()
    hints = {"url": url, "media_type": MEDIA_TYPE}

    take_in(desk, rules, "j1", {"body": bundle.decode(), "hints": hints})

    assert len(desk.rows("select 1 from article where length(text) > 1000")) == 1, "one has its page"
    assert reclean(desk, tmp_path, "--all")["results"]["unchanged"] == 3


@contextmanager
def running(desk: Desk, tmp_path: Path) -> Iterator[RecleaningRun]:
    settings = settings_of(desk, tmp_path)
    with database.connect(desk.database_url) as connection:
        yield RecleaningRun(settings, connection, source=None, since=None, applies=True)


@pytest.mark.usefixtures("new_rules")
def test_a_revision_that_comes_meanwhile_wins(
    desk: Desk, tmp_path: Path, rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_in(desk, rules, "j3", {"body": body(5), "hints": {"document_id": "a"}})
    cleaned = recleaning.clean_again

    def and_a_revision(*arguments: Any) -> Any:
        found = cleaned(*arguments)
        changed = body(5).replace("Village", "Town")
        take_in(desk, rules, "j4", {"body": changed, "hints": {"document_id": "a"}})
        return found

    monkeypatch.setattr(recleaning, "clean_again", and_a_revision)
    with running(desk, tmp_path) as run:
        list(run.slices())

    assert run.tally.results == {"changed": 1, "unchanged": 2, "overtaken": 1}
    assert desk.rows("select title, revision, text like %s from article where revision = 2", (f"%{FOOT}%",)) == [
        ("Town 5 opens its library", 2, True)
    ]
    desk.check()


@pytest.mark.usefixtures("new_rules")
def test_begun_again_it_goes_on_where_it_was(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recleaning, "SLICE", 1)
    with running(desk, tmp_path) as run:
        next(run.slices())
        assert not run.is_resumed
    with running(desk, tmp_path) as run:
        assert (run.is_resumed, run.left()) == (True, 2)
        list(run.slices())

    assert sum(run.tally.results.values()) == 3
    assert run.tally.results["changed"] == 1
