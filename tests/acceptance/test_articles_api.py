"""Articles read through the HTTP door of a whole stack."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from copydesk.client import (
    ArticleDeleted,
    AsyncClient,
    Changed,
    Client,
    Document,
    Gone,
    Hints,
    NotFound,
    Outcome,
)
from tests import entries
from tests.http_door import JSON, TO_THE_ROW, HttpDoor, is_problem, open_door
from tests.servers import Server
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def door(redis_server: Server, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpDoor]:
    """Every process of the way from the HTTP door to the row, and the scheduler."""
    with open_door(redis_server, postgres_server, tmp_path_factory.mktemp("articles"), *TO_THE_ROW) as made:
        yield made


def unique() -> str:
    return uuid.uuid4().hex[:8]


def story(name: str, extra: str = "") -> str:
    """A text of its own for each name, with a notice at its foot; `extra` is added to its last paragraph."""
    text = entries.story(int(name, 16)).rstrip() + extra
    return f"{text}\n\n© 2026 {name} Herald. All rights reserved.\n"


def store(door: HttpDoor, text: str, *, document_id: str | None = None, **query: object) -> dict[str, Any]:
    """Hand over a document and wait for its outcome."""
    body = {"body": text, "hints": {"language": "en", "document_id": document_id}}
    answer = door.client.post("/v1/documents", json=body, params={"wait": "stored", **query})  # type: ignore[arg-type]  # httpx checks
    assert answer.status_code == 200, answer.text
    item: dict[str, Any] = answer.json()["items"][0]
    return item


def read(door: HttpDoor, path: str, **query: object) -> httpx.Response:
    return door.client.get(path, params=query)  # type: ignore[arg-type]  # httpx checks


def test_an_article_is_read_with_what_was_removed_and_the_input_as_it_came(door: HttpDoor) -> None:
    name = unique()
    item = store(door, story(name), source=name)

    found = read(door, f"/v1/articles/{item['article']}").json()
    raw = read(door, f"/v1/articles/{item['article']}/raw")

    assert found["title"] == f"Village {int(name, 16)} opens its library"
    assert found["text"] == "\n\n".join(found["body"])
    assert "rights reserved" not in found["text"]
    assert [(piece["kind"], piece["span"]["line"]) for piece in found["removed"]] == [("rights", 7)]
    assert raw.content == story(name).encode()
    assert raw.headers["x-content-type-options"] == "nosniff"


def test_an_unchanged_article_is_not_sent_again(door: HttpDoor) -> None:
    name = unique()
    path = f"/v1/articles/{store(door, story(name), source=name)['article']}"
    first = read(door, path)

    for tag in (first.headers["etag"], f'"other", W/{first.headers["etag"]}', "*"):
        again = door.client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b""), tag
    assert door.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_pages_give_every_article_once_though_others_arrive_meanwhile(door: HttpDoor) -> None:
    source = unique()
    stored = [store(door, story(unique()), source=source)["article"] for _ in range(5)]
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = read(door, "/v1/articles", source=source, limit=2, **before).json()
        seen += [article["id"] for article in page["articles"]]
        store(door, story(unique()), source=source)
        if page["next"] is None:
            break
        before = {"before": page["next"]}

    assert seen == stored[::-1]


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"language": "en"}, True),
        ({"language": "de"}, False),
        ({"received_from": "2026-01-01T00:00:00Z"}, True),
        ({"received_to": "2026-01-01T00:00:00+02:00"}, False),
        ({"published_from": "1990-01-01T00:00:00Z"}, False),
        ({"publisher": "Nobody"}, False),
        ({"url": "https://e.example/nowhere"}, False),
    ],
)
def test_a_list_shows_what_its_filters_let_through(door: HttpDoor, query: dict[str, str], is_found: bool) -> None:
    source = unique()
    stored = store(door, story(source), source=source)["article"]

    found = read(door, "/v1/articles", source=source, **query).json()["articles"]

    assert [article["id"] for article in found] == ([stored] if is_found else [])


def test_a_follower_of_changes_sees_stored_and_revised_articles_and_no_duplicates(door: HttpDoor) -> None:
    source = unique()

    def changed(since: int) -> tuple[list[tuple[str, int]], int]:
        answer = read(door, "/v1/articles", source=source, changed_since=since).json()
        return [(a["id"], a["revision"]) for a in answer["articles"]], answer["next"]

    first = store(door, story(source), source=source, document_id="a")["article"]
    second = store(door, story(unique()), source=source, document_id="b")["article"]
    wait_until(lambda: len(changed(0)[0]) == 2, 20, "both are numbered")
    seen, position = changed(0)
    assert seen == [(first, 1), (second, 1)]
    assert changed(position) == ([], position)

    assert store(door, story(source), source=source, document_id="c")["outcome"] == "duplicate"
    assert store(door, story(source, " Then they danced."), source=source, document_id="a")["outcome"] == "revised"
    wait_until(lambda: changed(position)[0], 20, "the revision is numbered")
    assert changed(position)[0] == [(first, 2)]
    assert changed(0)[0] == [(second, 1), (first, 2)]


def test_revisions_are_listed_read_and_compared(door: HttpDoor) -> None:
    name = unique()
    article = store(door, story(name), source=name, document_id="a")["article"]
    store(door, story(name, " Then they danced."), source=name, document_id="a")
    path = f"/v1/articles/{article}"

    listed = read(door, f"{path}/revisions").json()["revisions"]
    first = read(door, f"{path}/revisions/1").json()
    told = read(door, f"{path}/diff", before=1, after=2).json()["changes"]

    assert [(r["revision"], r["is_current"]) for r in listed] == [(1, False), (2, True)]
    assert (first["is_current"], "danced" in first["text"]) == (False, False)
    assert [change["kind"] for change in told] == ["kept", "changed"], told
    assert told[1]["after"].endswith("danced.")


def test_where_else_an_article_was_seen_is_told(door: HttpDoor) -> None:
    name = unique()
    article = store(door, story(name), source=name)["article"]
    store(door, story(name), source=f"{name}-other", url="https://e.example/copy")

    (sighting,) = read(door, f"/v1/articles/{article}/sightings").json()["sightings"]

    assert (sighting["source"], sighting["relation"]) == (f"{name}-other", "exact")


def test_a_deleted_article_is_gone_for_readers_and_followers_and_stays_gone(door: HttpDoor) -> None:
    source = unique()
    item = store(door, story(source), source=source, document_id="a")
    path = f"/v1/articles/{item['article']}"
    word = f"Village {int(source, 16)}"

    def found() -> list[str]:
        answer = read(door, "/v1/search", q=f'"{word}"', source=source).json()
        return [article["id"] for article in answer["articles"]]

    wait_until(found, 20, "it is indexed")
    tag = read(door, path).headers["etag"]
    assert is_problem(door.client.delete(path), 422, "invalid_request")
    stale = door.client.delete(path, params={"reason": "x"}, headers={"If-Match": '"another"'})
    assert is_problem(stale, 412, "changed_meanwhile")
    deleted = door.client.delete(path, params={"reason": "Ruling 12"}, headers={"If-Match": tag})
    assert (deleted.status_code, deleted.json()["is_banned"], deleted.json()["deleted_by"]) == (200, True, "http")

    for part in ("", "/raw", "/revisions", "/revisions/1", "/sightings", "/diff?before=1&after=1"):
        answer = door.client.get(path + part)
        assert is_problem(answer, 410, "deleted_article")
        assert answer.json()["reason"] == "Ruling 12"
    assert found() == read(door, "/v1/articles", source=source).json()["articles"] == []
    wait_until(lambda: followed(door, source) == [("deleted", "Ruling 12")], 20, "followers are told")
    assert store(door, story(source), source=source, document_id="a")["outcome"] == "suppressed"

    lifted = door.client.delete(f"{path}/deletion").json()
    assert (lifted["is_banned"], lifted["reason"]) == (False, "Ruling 12")
    again = store(door, story(source), source=source, document_id="a")
    assert (again["outcome"], again["article"] == item["article"]) == ("stored", False)
    assert read(door, path).status_code == 410


def followed(door: HttpDoor, source: str) -> list[tuple[str, str]]:
    answer = read(door, "/v1/articles", source=source, changed_since=0).json()
    assert answer["articles"] == []
    return [(gone["event"], gone["reason"]) for gone in answer["gone"]]


@pytest.fixture(scope="module")
def client(door: HttpDoor) -> Iterator[Client]:
    with Client(str(door.client.base_url)) as made:
        yield made


def test_the_client_sends_and_reads_what_the_door_has(door: HttpDoor, client: Client, tmp_path: Path) -> None:
    source, other = unique(), unique()
    document = Document(story(source), id="a", hints=Hints(language="en", document_id="d"), meta={"n": 1})
    (stored,) = client.store(document, source=source).items
    (tmp_path / "a.txt").write_text(story(other), encoding="utf-8")
    filed = client.send_file(tmp_path / "a.txt", source=source, item_id="file-1").items[0]
    many = [
        one
        for accepted in client.send_many([story(unique()) for _ in range(3)], source=source)
        for one in accepted.items
    ]
    assert [client.settled(one.id, source=source).outcome for one in (filed, *many)] == [Outcome.STORED] * 4
    revised = Document(story(source, " Then they danced."), hints=Hints(language="en", document_id="d"))
    client.store(revised, source=source)

    article = client.article(stored.article or "")
    assert (article.title, article.meta, article.revision) == (f"Village {int(source, 16)} opens its library", None, 2)
    assert article.removed[0].kind == "rights"
    assert client.revision(article.id, 1).meta == {"n": 1}
    assert [one.revision for one in client.revisions(article.id)] == [1, 2]
    assert "danced" in str(client.difference(article.id, 1, 2).changes[-1].after)
    assert client.raw(article.id) == story(source, " Then they danced.").encode()
    assert len(list(client.articles(source=source))) == 5
    assert sum(row.items for row in client.stats(source=source)) == 6
    found = wait_until(lambda: list(client.search(f'"Village {int(other, 16)}"')), 20, "it is indexed")
    assert [one.name for one in found] == ["a.txt"]
    with pytest.raises(NotFound):
        client.article(str(uuid.UUID(int=1)))


def test_the_client_follows_changes_from_where_it_was(door: HttpDoor, client: Client) -> None:
    source = unique()
    ids = [client.store(story(unique()), source=source).items[0].article or "" for _ in range(3)]
    wait_until(lambda: len(list(client.changes(source=source))) == 3, 20, "all are numbered")
    first = next(client.changes(source=source))
    rest = list(client.changes(first.position, source=source))
    assert [change.article.id for change in (first, *rest) if isinstance(change, Changed)] == ids

    client.delete(ids[1], "a slip")
    place = rest[-1].position
    wait_until(lambda: list(client.changes(place, source=source)), 20, f"the deletion is told; {door.stack.tail()}")
    gone = next(client.changes(place, source=source, follow=True))
    assert isinstance(gone, Gone)
    assert (gone.id, gone.event, gone.reason) == (ids[1], "deleted", "a slip")
    with pytest.raises(ArticleDeleted):
        client.article(ids[1])
    assert client.undelete(ids[1]).is_banned is False


def test_the_client_reads_and_settles_dead_letters(door: HttpDoor, client: Client) -> None:
    source = unique()
    client.store(b"\x00\x01\x02\x03" * 50, source=source)
    (letter,) = client.dead(source=source)

    assert letter.code in [cause.code for cause in client.causes()]
    assert client.discard(letter.id, reason="of no use") == 1
    assert list(client.dead(source=source)) == []
    assert [one.note for one in client.dead(source=source, resolved=True)] == ["of no use"]
    assert client.replay(letter.id) == 1


async def _first(found: AsyncIterator[Any]) -> Any:
    async for one in found:
        return one
    return None


def test_the_asynchronous_client_does_the_same(door: HttpDoor) -> None:
    source = unique()

    async def run() -> tuple[Any, ...]:
        async with AsyncClient(str(door.client.base_url)) as client:
            (stored,) = (await client.store(story(source), source=source)).items
            listed = await _first(client.articles(source=source))
            return stored.article, listed.id, (await client.article(listed.id)).source

    article, listed, sender = asyncio.run(run())
    assert (article, sender) == (listed, source)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/v1/articles/{uuid.UUID(int=1)}/deletion", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}/raw", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}/revisions", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}/revisions/{10**30}", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}/sightings", 404, "unknown_article"),
        (f"/v1/articles/{uuid.UUID(int=1)}/diff?before=1&after=2", 404, "unknown_article"),
        ("/v1/articles/not-an-id", 422, "invalid_request"),
        ("/v1/articles?limit=0", 422, "invalid_request"),
        ("/v1/articles?received_from=2026-01-01", 422, "invalid_request"),
        ("/v1/articles?changed_since=-1", 422, "invalid_request"),
        ("/v1/articles?source=a%00b", 422, "invalid_request"),
        (f"/v1/articles?changed_since=1&before={uuid.UUID(int=1)}", 422, "invalid_request"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(door: HttpDoor, path: str, status: int, code: str) -> None:
    assert is_problem(door.client.get(path, headers=JSON), status, code)
