"""Deleted articles: what goes, what stays, and what becomes of all that comes of them again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from copydesk.dedupe.identity import guid_key
from copydesk.delivery.changes import number_changes
from copydesk.delivery.search_index import index_texts
from copydesk.delivery.settlement import article_id
from copydesk.models import Likened, Outcome, Withdrawal
from copydesk.queue.entries import ArticleEntry, Outgoing
from copydesk.storage import connection as database
from copydesk.storage import deletions, outbox, reading
from copydesk.storage.reading import Filters
from tests.entries import article, close, ending, job, text
from tests.integration.writing import Desk

TEXT = text(1)


def story(
    number: int, body: str = TEXT, *, like: ArticleEntry | None = None, relation: str = "near", **named: Any
) -> Any:
    """The one item of the job `j<number>`, received `number` minutes after noon."""
    kind = named.pop("kind", "celery")
    entry = article(f"i{number}", body, job=job(f"j{number}", minutes=number, kind=kind), **named)
    if like is not None:
        said = {"relation": relation, "document": article_id(like), "scores": {"jaccard": 0.8}, "reason": relation}
        entry = entry.model_copy(update={"likeness": Likened.model_validate(said)})
    return entry.model_copy(update={"number": number, "is_indexed": True})


def settle(desk: Desk, *entries: Any) -> list[str]:
    """Each in a transaction of its own; how each ended."""
    for entry in entries:
        desk.publish([Outgoing(entry, raw=f"raw {entry.item_id}".encode(), sketch=b"sketch"), close(entry.job, 1)])
        desk.drain(desk.writer())
    desk.check()
    outcomes = desk.outcomes()
    return [outcomes.get(entry.item_id, "counted") for entry in entries]


def delete(desk: Desk, entry: ArticleEntry, reason: str = "a court order") -> deletions.Deletion:
    with database.connect(desk.database_url) as connection:
        found = deletions.delete(connection, article_id(entry), reason=reason, by="the test")
    assert found is not None
    return found


def lift(desk: Desk, entry: ArticleEntry) -> None:
    with database.connect(desk.database_url) as connection:
        assert deletions.lift(connection, article_id(entry), by="the test")


def test_text_revisions_and_inputs_go_and_a_tombstone_stays(desk: Desk) -> None:
    first, second = story(1, document_id="a"), story(2, TEXT + " and more", document_id="a")
    copy = story(3, raw="the copy")
    assert settle(desk, first, second, copy, story(4, text(2))) == ["stored", "revised", "duplicate", "stored"]
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        index_texts(connection)
    found = delete(desk, first)

    assert (found.reason, found.deleted_by, found.source, found.lifted_at) == (
        "a court order",
        "the test",
        "wire",
        None,
    )
    assert desk.rows("select count(*) from revision") == desk.rows("select count(*) from article_text") == [(1,)]
    assert desk.rows("select sha256 from raw") == desk.rows("select raw_sha256 from revision")
    assert desk.rows("select count(*) from article_head") == [(2,)]
    assert desk.rows("select outcome from receipt order by item_id limit 2") == [("stored",), ("revised",)]
    assert delete(desk, first, "another") == found
    desk.check()


def test_an_input_that_held_other_articles_too_stays(desk: Desk) -> None:
    ref = job("j1")
    two = [article(f"file#{n}", text(n), job=ref, parent_id="file", raw="both") for n in (1, 2)]
    desk.store([Outgoing(two[0], raw=b"both"), two[1], close(ref, 2)])
    delete(desk, two[0])
    assert desk.rows("select count(*) from raw") == [(1,)]

    delete(desk, two[1])
    assert desk.rows("select count(*) from raw") == [(1,)], "the other one's receipt still names the file"


AGAIN: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "guid": ({"guid": "g"}, {"guid": "g", "body": text(7)}),
    "url": ({"url": "https://e.example/a"}, {"url": "https://e.example/a?utm_source=x", "body": text(8)}),
    "document": ({"document_id": "d"}, {"document_id": "d", "body": text(9)}),
    "item": ({"item_key": "k"}, {"item_key": "k", "body": text(10)}),
    "text": ({}, {}),
    "text under another guid": ({"guid": "h"}, {"guid": "another"}),
    "bytes under a file's name": ({"name": "a.txt"}, {"name": "a.txt"}),
}


def test_what_comes_of_it_again_is_suppressed_and_not_kept(desk: Desk) -> None:
    first = {what: story(100 + n, text(n + 20), **names) for n, (what, (names, _)) in enumerate(AGAIN.items())}
    again = {
        what: story(200 + n, **{"body": text(n + 20)} | names) for n, (what, (_, names)) in enumerate(AGAIN.items())
    }
    settle(desk, *first.values())
    for entry in first.values():
        delete(desk, entry)

    assert dict(zip(again, settle(desk, *again.values()), strict=True)) == dict.fromkeys(again, "suppressed")
    assert desk.rows("select count(*) from revision") == desk.rows("select count(*) from raw") == [(0,)]
    found = dict(desk.rows("select item_id, article_id::text from receipt where outcome = 'suppressed'"))
    assert found == {again[what].item_id: article_id(entry) for what, entry in first.items()}
    assert desk.rows("select distinct event from outbox") == [("deleted",)]
    assert "a court order" in desk.rows("select reason from receipt where item_id = 'i200'")[0][0]


def test_what_is_like_it_is_suppressed_and_what_is_like_that_too(desk: Desk) -> None:
    entry = story(1)
    like = [story(n, text(n), like=entry, relation=r) for n, r in ((2, "near"), (3, "contained-in"), (4, "contains"))]
    settle(desk, entry)
    delete(desk, entry)

    assert settle(desk, *like, story(9, text(9), like=like[0])) == ["suppressed"] * 4
    assert desk.rows("select count(*) from article") == [(0,)]


def test_a_follower_that_came_before_its_leader_was_deleted_goes_where_it_went(desk: Desk) -> None:
    leader = story(1)
    early, late = story(2, text(8), like=leader), story(3, text(9), like=leader)
    assert settle(desk, early) == ["duplicate"]
    assert settle(desk, leader) == ["stored"]
    delete(desk, leader)

    assert settle(desk, late, early, leader) == ["suppressed", "duplicate", "stored"]
    assert desk.rows("select count(*) from article") == [(0,)]
    assert desk.rows("select count(*) from raw") == [(0,)], "what was delivered again is not kept either"


def test_other_stories_and_versions_of_other_articles_are_stored_as_ever(desk: Desk) -> None:
    entry, other = story(1, name="a.txt"), story(2, text(2), guid="other")
    settle(desk, entry, other)
    delete(desk, entry)

    tomorrow = story(3, text(3), name="a.txt")
    version = story(4, text(2) + " and more", guid="other", like=entry)
    assert settle(desk, tomorrow, version) == ["stored", "revised"]
    assert settle(desk, story(5, TEXT, guid="other")) == ["suppressed"], "the deleted text, under the other's name"


def test_a_feed_tells_once_what_each_of_its_polls_brings_again(desk: Desk) -> None:
    def polled(number: int) -> Any:
        ref = job(f"j{number}", minutes=number, kind="feed")
        return article(f"poll{number}#guid", TEXT, job=ref, parent_id=f"poll{number}", guid="g", raw="the same")

    first = polled(1)
    assert settle(desk, first) == ["stored"]
    delete(desk, first)

    assert settle(desk, polled(2), polled(3), polled(4)) == ["suppressed", "counted", "counted"]
    assert desk.rows("select sum(unchanged_count)::integer from ingest") == [(2,)]
    lift(desk, first)
    assert settle(desk, polled(5)) == ["stored"]
    assert desk.rows("select count(*) from feed_reject") == [(0,)]


def test_an_undone_deletion_lifts_the_ban_and_brings_nothing_back(desk: Desk) -> None:
    entry = story(1, guid="g")
    settle(desk, entry)
    delete(desk, entry)
    lift(desk, entry)
    assert desk.rows("select count(*) from article") == [(0,)]

    again = story(2, guid="g")
    like, longer = story(3, text(9), like=entry), story(5, text(10), like=entry, relation="contains")
    assert settle(desk, again, like, longer) == ["stored", "stored", "stored"]
    assert desk.rows("select distinct cluster_id = id from article") == [(True,)]
    delete(desk, entry, "for good")
    assert settle(desk, story(4, TEXT + " and more", guid="g")) == ["revised"], "the new article has its names now"


def test_a_kill_of_a_deleted_article_is_kept_and_not_told(desk: Desk) -> None:
    entry = story(1, guid="g")
    settle(desk, entry)
    delete(desk, entry)
    said = Withdrawal(keys=(guid_key("wire", "g"),), is_final=True, version=None, reason="killed")
    kill = ending("i2", Outcome.WITHDRAWN, job=job("j2"), code="", reason="killed", stage="parse", withdrawal=said)

    assert settle(desk, kill) == ["withdrawn"]
    assert desk.rows("select event from outbox") == [("deleted",)]
    assert desk.rows("select reason from withdrawal") == [("killed",)]


def test_consumers_are_told_and_an_embargoed_article_is_never_told_of(desk: Desk) -> None:
    end = datetime.now(UTC) + timedelta(days=1)
    seen, embargoed = story(1), story(2, text(2), changes={"embargo_until": end})
    settle(desk, seen, embargoed)
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
    delete(desk, seen)
    delete(desk, embargoed)

    with database.connect(desk.database_url) as connection:
        number_changes(connection)
        events = outbox.after(connection, 0, 10, source="wire")
        page = reading.changes(connection, Filters(source="wire"), position=1, limit=10)
    assert [(e.event, e.article_id, e.title) for e in events] == [
        ("stored", article_id(seen), None),
        ("deleted", article_id(seen), None),
        ("deleted", article_id(embargoed), None),
    ]
    assert ([a["id"] for a in page.articles], [g["id"] for g in page.gone], page.next) == (
        [],
        [article_id(seen), article_id(embargoed)],
        3,
    )


def test_pages_of_changes_tell_every_article_and_every_deletion_once(desk: Desk) -> None:
    entries = [story(n, text(n)) for n in range(1, 9)]
    settle(desk, *entries)
    with database.connect(desk.database_url) as connection:
        number_changes(connection)
    for entry in entries[::2]:
        delete(desk, entry)
        with database.connect(desk.database_url) as connection:
            number_changes(connection)

    told: list[str] = []
    position = 0
    with database.connect(desk.database_url) as connection:
        while (page := reading.changes(connection, Filters(), position=position, limit=3)).next > position:
            told += [row["id"] for row in sorted([*page.articles, *page.gone], key=lambda row: row["position"])]
            position = page.next

    assert told == [article_id(entry) for entry in (*entries[1::2], *entries[::2])]
