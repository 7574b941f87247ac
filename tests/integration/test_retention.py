"""How long inputs, superseded revisions and articles are kept: what goes, what is waited for, what is known again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from copydesk import metrics
from copydesk.cli import app
from copydesk.delivery.changes import number_changes
from copydesk.delivery.retention import Days, Retention, days_of
from copydesk.delivery.search_index import index_texts
from copydesk.models import Outcome
from copydesk.queue.entries import Outgoing
from copydesk.settings import PREFIX, load
from copydesk.storage import connection as database
from copydesk.storage import retention
from copydesk.storage.retention import OwnDays
from tests.entries import article, close, ending, job, text
from tests.integration.writing import Desk


def store(desk: Desk, job_id: str, *seeds: int, source: str = "wire", told: bool = True, **named: Any) -> None:
    """Articles with their inputs; `told`: numbered, and passed by the reader that there is."""
    ref = job(job_id, minutes=int(job_id.strip("j")), source=source)
    entries = [article(f"{job_id}-{n}", text(n), job=ref, raw=f"raw {n}", title=f"Story {n}", **named) for n in seeds]
    desk.store([*(Outgoing(e, e.document.title.encode()) for e in entries), close(ref, len(entries))])
    if told:
        follow(desk)


def follow(desk: Desk) -> None:
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        index_texts(connection)


def age(desk: Desk, days: int = 100) -> None:
    """Everything was stored so long ago."""
    with database.connect(desk.database_url) as connection:
        for statement in (
            "update raw set stored_at = stored_at - make_interval(days => %s)",
            "update article_head set changed_at = changed_at - make_interval(days => %s)",
            "update revision set stored_at = stored_at - make_interval(days => %s)",
        ):
            connection.execute(statement.encode(), (days,))


def keep(desk: Desk, *own: OwnDays, **days: float) -> None:
    """One turn of the scheduler's chore."""
    settings = load({}, **{f"retention_{kind}_days": of for kind, of in days.items()})
    with database.connect(desk.database_url) as connection:
        for each in own:
            retention.keep(connection, each)
        connection.commit()
        Retention(settings).turn(connection)


def shown(desk: Desk) -> list[str]:
    return [title for (title,) in desk.rows("select title from article order by title")]


def inputs(desk: Desk) -> int:
    ((count,),) = desk.rows("select count(*) from raw")
    return int(count)


def test_articles_over_their_days_are_emptied_and_out_of_sight(desk: Desk) -> None:
    store(desk, "j1", 1, 2)
    age(desk)
    store(desk, "j2", 3)
    before = metrics.retention.labels("articles")._value.get()

    keep(desk, article=30)

    assert shown(desk) == ["Story 3"]
    assert desk.rows(
        "select distinct title, body, pieces, publisher from revision where article_id in"
        " (select id from article_head where expired_at is not null)"
    ) == [(None, [], [], None)]
    assert desk.rows("select count(*) from article_text") == [(1,)]
    assert desk.rows("select count(*) from receipt") == [(3,)], "how everything ended stays"
    assert metrics.retention.labels("articles")._value.get() - before == 2


def test_what_went_is_known_again_and_a_new_version_of_it_is_shown(desk: Desk) -> None:
    store(desk, "j1", 1, document_id="a")
    store(desk, "j2", 2, document_id="b")
    age(desk)
    keep(desk, article=30)

    store(desk, "j3", 1, document_id="a")
    ref = job("j4", minutes=4)
    desk.store([article("j4-0", text(2) + " It rained.", job=ref, title="Story 2", document_id="b"), close(ref, 1)])

    assert {k: v for k, v in desk.outcomes().items() if k[:2] in ("j3", "j4")} == {
        "j3-1": "unchanged",
        "j4-0": "revised",
    }
    assert shown(desk) == ["Story 2"]


@pytest.mark.parametrize("held_by", ["an event without number", "a reader", "a webhook", "an open job"])
def test_what_somebody_waits_for_is_kept(desk: Desk, held_by: str) -> None:
    store(desk, "j1", 1, told=held_by != "an event without number")
    age(desk)
    with database.connect(desk.database_url) as connection:
        statement = {
            "an event without number": "insert into reader (name, position) values ('search', 1000)",
            "a reader": "insert into reader (name, position) values ('events', 0)",
            "a webhook": "insert into webhook (url, secret, events, position) values ('http://a', '', '{stored}', 0)",
            "an open job": "update ingest set closed_at = null",
        }[held_by]
        connection.execute(statement.encode())

    keep(desk, article=30, raw=30 if held_by == "an open job" else 10_000)

    assert (shown(desk), inputs(desk)) == (["Story 1"], 1)


def test_each_source_has_its_own_days_for_inputs(desk: Desk) -> None:
    store(desk, "j1", 1, source="short")
    store(desk, "j2", 2, source="long")
    store(desk, "j3", 3, source="forever")
    store(desk, "j4", 4, source="as the settings say")
    store(desk, "j5", 9, source="short")
    store(desk, "j6", 9, source="long", document_id="another")
    age(desk)
    own = (
        OwnDays("short", 10, None, None),
        OwnDays("long", 200, None, None),
        OwnDays("forever", float("inf"), None, None),
    )

    keep(desk, *own, raw=30)

    assert desk.rows("select source from raw order by 1") == [("",), ("forever",), ("long",)]
    assert len(shown(desk)) == 5, "the articles stay"


def test_inputs_that_came_again_or_that_a_letter_needs_are_kept(desk: Desk) -> None:
    store(desk, "j1", 1, 2)
    ref = job("j2", minutes=2)
    refused = ending("j2-0", Outcome.REJECTED, job=ref, code="not_article", raw_sha256="0" * 64)
    desk.store([Outgoing(refused, b"refused"), close(ref, 1)])
    age(desk)
    store(desk, "j3", 1, item_key="again")

    keep(desk, raw=30)

    ((sha256,),) = desk.rows("select raw_sha256 from revision where title = 'Story 1'")
    assert desk.rows("select sha256 from raw order by 1") == sorted([("0" * 64,), (sha256,)])

    with database.connect(desk.database_url) as connection:
        connection.execute("update dead_letter set resolution = 'discarded'")
    keep(desk, raw=30)
    assert inputs(desk) == 1


def test_superseded_revisions_go_and_the_current_one_stays(desk: Desk) -> None:
    for number in range(1, 5):
        ref = job(f"j{number}", minutes=number)
        changed = f"{text(1)} {number}"
        desk.store([article(f"j{number}-0", changed, job=ref, raw=changed, document_id="a"), close(ref, 1)])
        if number == 3:
            age(desk)
    follow(desk)

    keep(desk, revision=30)
    assert desk.rows("select number from revision order by 1") == [(3,), (4,)], "3 was superseded only now"

    keep(desk, OwnDays("wire", None, float("inf"), None), revision=1)
    assert len(desk.rows("select number from revision")) == 2


def test_days_of_a_source_stand_over_those_of_the_settings() -> None:
    settings = load({}, retention_raw_days=30, retention_article_days=365)
    own = [OwnDays("a", 10, None, float("inf")), OwnDays("b", None, 5, None)]

    assert days_of(settings, own) == {"a": Days(10, None, None), "b": Days(30, 5, 365), "": Days(30, None, None)}
    assert days_of(settings, [OwnDays("a", float("inf"), None, None)])[""].raw is None


def test_the_command_sets_days_and_shows_what_goes(desk: Desk) -> None:
    store(desk, "j1", 1)
    store(desk, "j2", 2, told=False)
    age(desk)
    env = {f"{PREFIX}POSTGRES_URL": desk.database_url}

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, ["retention", *arguments], env=env)
        assert result.exit_code == code, result.output
        return result.stdout

    run("set", "wire", "--raw", "30", "--articles", "30", "--revisions", "forever")
    (wire, several) = json.loads(run("show", "--json"))

    assert (wire["source"], several["source"]) == ("wire", "")
    assert wire["days"] == {"raw": 30.0, "revisions": None, "articles": 30.0}
    assert (wire["articles"], wire["raw"]["rows"]) == ({"rows": 2, "would_go": 1, "size": 0}, 2)
    assert "1, 1 held back" in run("show")
    run("set", "wire", "--raw", "soon", code=1)
