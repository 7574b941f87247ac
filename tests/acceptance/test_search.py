"""Articles found by their words, through the HTTP door of a whole stack."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from tests.http_door import NDJSON, TO_THE_ROW, HttpDoor, is_problem, open_door
from tests.servers import Server
from tests.waiting import wait_until

TEXTS = {
    "en": ("Ferries return to Holm", "The ferries crossed the sound again on Monday. The council had voted twice."),
    "de": ("Fähre fährt wieder", "Die Fähren haben am Montag wieder abgelegt, die Häuser am Kai waren geschmückt."),
    "ru": ("Паром вернулся", "Паромы снова вышли в море в понедельник, сообщил городской совет острова."),
    "zh": ("渡轮恢复航行", "市政府星期一宣布,连接两岸的渡轮恢复航行,数百名居民在码头迎接第一班渡轮。"),
    "ja": ("フェリー運航再開", "島を結ぶフェリーは月曜日に運航を再開し、港では多くの住民が出迎えた。"),
    "ko": ("여객선 운항 재개", "섬을 잇는 여객선이 월요일 운항을 다시 시작했다고 시의회가 밝혔다."),
    "th": ("เรือข้ามฟากกลับมา", "เรือข้ามฟากกลับมาให้บริการอีกครั้งในวันจันทร์ ชาวบ้านต่างมารอที่ท่าเรือ"),
    "hi": ("नौका सेवा फिर शुरू", "द्वीप को जोड़ने वाली नौका सेवा सोमवार को फिर शुरू हुई और लोग घाट पर जमा हुए।"),
    "xx": ("Bold & brave", "A piece about the tag <script>alert(1)</script> & what pilots make of it."),
}


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """Article id by the key of its text."""
    return {}


@pytest.fixture(scope="module")
def door(
    redis_server: Server, postgres_server: Server, ids: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HttpDoor]:
    """A whole stack with one article of each text, and one of 3 MB, all of them indexed."""
    folder = tmp_path_factory.mktemp("search")
    with open_door(redis_server, postgres_server, folder, *TO_THE_ROW) as made:
        huge = "\n\n".join(" ".join(f"w{n}x{i}" for i in range(40)) + " zebra." for n in range(12_000))
        texts = {**TEXTS, "huge": ("The long list", huge)}
        lines = [
            json.dumps(
                {
                    "id": key,
                    "body": f"{title}\n\n{body}\n",
                    "hints": {} if key in ("xx", "huge") else {"language": key},
                }
            )
            for key, (title, body) in texts.items()
        ]
        answer = made.post("\n".join(lines).encode(), NDJSON, wait="stored", source="search")
        assert answer.status_code == 200, answer.text
        ids.update({item["id"]: item["article"] for item in answer.json()["items"]})
        wait_until(lambda: len(found(made, "zebra")) == 1, 30, "everything is indexed")
        yield made


def found(door: HttpDoor, q: str, **query: object) -> list[str]:
    answer = door.client.get("/v1/search", params={"q": q, **query})  # type: ignore[arg-type]  # httpx checks
    assert answer.status_code == 200, answer.text
    return [article["id"] for article in answer.json()["articles"]]


@pytest.mark.parametrize(
    ("q", "keys"),
    [
        ("ferry", ["en"]),
        ("FERRIES councils", ["en"]),
        ('"crossed the sound"', ["en"]),
        ('"sound the crossed"', []),
        ("ferry -monday", []),
        ("ferry OR pilots", ["en", "xx"]),
        ("haus", ["de"]),
        ("Fähre", ["de"]),
        ("паромами", ["ru"]),
        ("渡轮", ["zh"]),
        ("轮恢", ["zh"]),
        ("恢复航行 居民", ["zh"]),
        ("恢渡", []),
        ("岸", ["zh"]),
        ("フェリー", ["ja"]),
        ("運航", ["ja"]),
        ("여객선", ["ko"]),
        ("시의회", ["ko"]),
        ("ท่าเรือ", ["th"]),
        ("सेवा", ["hi"]),
        ("w11999x3", []),
        ("w5x3", ["huge"]),
        ("nowhere", []),
    ],
)
def test_a_word_is_found_by_its_languages_rules(door: HttpDoor, ids: dict[str, str], q: str, keys: list[str]) -> None:
    assert sorted(found(door, q)) == sorted(ids[key] for key in keys)


def test_a_language_and_a_source_narrow_a_search(door: HttpDoor, ids: dict[str, str]) -> None:
    assert found(door, "monday", language="en", source="search") == [ids["en"]]
    assert found(door, "monday", language="de") == []
    assert found(door, "monday", source="other") == []


def test_the_title_counts_more_than_the_body_and_newest_first_goes_in_pages(door: HttpDoor) -> None:
    lines = [f'{{"body": "{title}\\n\\n{body}"}}' for title, body in _walruses()]
    stored = door.post("\n".join(lines).encode(), NDJSON, wait="stored", source=uuid.uuid4().hex[:8]).json()["items"]
    ids = [item["article"] for item in stored]
    wait_until(lambda: len(found(door, "walrus")) == 3, 20, "the three are indexed")

    first = door.client.get("/v1/search", params={"q": "walrus", "order": "newest", "limit": 2}).json()
    rest = found(door, "walrus", order="newest", limit=2, before=first["next"])

    assert found(door, "walrus")[0] == ids[1]
    assert [*(a["id"] for a in first["articles"]), *rest] == sorted(ids, reverse=True)


def _walruses() -> list[tuple[str, str]]:
    return [
        ("Harbour news", "A walrus was seen by the crew of the first ship that came in on Monday morning."),
        ("Walrus asleep on the pier", "It came in on Sunday, the harbour master of the town said to reporters there."),
        ("Zoo to open", "Bears, seals and the only walrus of the county move to their new house in the spring."),
    ]


def test_snippets_are_escaped_and_mark_the_form_that_was_met(door: HttpDoor) -> None:
    def snippet(q: str) -> str:
        (article,) = door.client.get("/v1/search", params={"q": q}).json()["articles"]
        return str(article["snippets"][0])

    assert "<mark>ferries</mark> crossed" in snippet("ferry")
    assert "<mark>渡轮</mark>恢复航行" in snippet("渡轮")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; what <mark>pilots</mark>" in snippet("pilot")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"q": "   "}, "invalid_query"),
        ({"q": '"" - OR'}, "invalid_query"),
        ({"q": "-ferry"}, "invalid_query"),
        ({"q": "a " * 31}, "invalid_query"),
        ({"q": "x" * 501}, "invalid_query"),
        ({"q": "ferry", "before": str(uuid.UUID(int=1))}, "invalid_request"),
        ({}, "invalid_request"),
    ],
)
def test_a_search_for_nothing_is_a_problem(door: HttpDoor, query: dict[str, str], code: str) -> None:
    assert is_problem(door.client.get("/v1/search", params=query), 422, code)


@pytest.mark.parametrize(
    "q", ["'", "\\", "a & | ! ( ) : * b", "'; drop table article_head; --", "\x00ferry", "%s %(v0)s", "ﬁ İ ß ｶﾞ"]
)
def test_no_sign_in_a_search_is_more_than_a_sign(door: HttpDoor, q: str) -> None:
    assert door.client.get("/v1/search", params={"q": q}).status_code in (200, 422)
    assert found(door, "zebra")
