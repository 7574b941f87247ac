"""The names under which a document is met again, and what a meeting means."""

from __future__ import annotations

import hashlib
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.dedupe.codepoints import counts
from copydesk.dedupe.identity import identity_keys, judge, text_sha256
from copydesk.models import Held, IdentityKey, Outcome
from tests.entries import NOON, sha256, text

BODY = text(1)
NAME = IdentityKey(kind="name", value="wire\na.txt")
GUID = IdentityKey(kind="guid", value="wire\ng")
ITEM = IdentityKey(kind="item", value="wire\ni")
TEXT = IdentityKey(kind="text", value="t")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("T", ["Rain fell."]), ("t", ["rain  fell"])),
        (("T", ["Rain fell.", "Hard!"]), ("T", ["Rain fell. Hard"])),
        (("T", ["１２ ｋｍ"]), ("T", ["12 km"])),
        (("T", ["ﬁne"]), ("T", ["fine"])),
        (("T", ["Cafe\u0301"]), ("T", ["Café"])),
        (("One headline", [BODY * 5]), ("Another headline", [BODY * 5])),
        (("T", ["☀\ufe0f sun"]), ("T", ["☀ sun"])),
    ],
)
def test_a_copy_set_by_another_printer_is_the_same_text(
    one: tuple[str, list[str]], other: tuple[str, list[str]]
) -> None:
    assert text_sha256(*one) == text_sha256(*other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("A storm", ["More follows."]), ("A flood", ["More follows."])),
        (("T", ["12 km"]), ("T", ["13 km"])),
        (("T", ["कि"]), ("T", ["का"])),
        (("T", ["ดี"]), ("T", ["ดู"])),
        ((None, ["☀☀☀"]), (None, ["☂☂☂"])),
        ((None, ["***"]), (None, ["---"])),
        (("AB", ["C"]), ("A", ["BC"])),
    ],
)
def test_texts_that_differ_in_a_letter_differ(
    one: tuple[str | None, list[str]], other: tuple[str | None, list[str]]
) -> None:
    assert text_sha256(*one) != text_sha256(*other)


@given(st.text(st.sampled_from("aÉße\u0301\u0327Ａ１…ﬁ½Ⅷ™中한\u1112\u1161\u11abกิ़่क\u064eب０ﾊﾞ😀\U00030000\ud800 .")))
def test_looking_letters_up_gives_what_normalising_and_folding_the_text_gives(signs: str) -> None:
    body = text(2) + signs + text(3)
    letters = "".join(filter(counts, unicodedata.normalize("NFKC", body).casefold()))

    assert text_sha256(None, [body]) == hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


@given(st.text(), st.lists(st.text(), max_size=3))
def test_white_space_never_counts(title: str, body: list[str]) -> None:
    spaced = [f" {paragraph}\n" for paragraph in body]

    assert text_sha256(title, body) == text_sha256(title, spaced)


def test_keys_come_strongest_first_and_the_text_last() -> None:
    keys = identity_keys(
        source="wire",
        title="T",
        body=["b"],
        item_id="i",
        document_id="d",
        guid="g",
        url="https://a.example/x",
        name="n",
    )

    assert [key.kind for key in keys] == ["item", "document", "guid", "url", "name", "text"]
    assert [key.kind for key in identity_keys(source="wire", title="T", body=["b"])] == ["text"]


def test_all_names_but_the_text_count_within_one_source() -> None:
    names: dict[str, Any] = {"item_id": "i", "document_id": "d", "guid": "g", "url": "https://a.example/x", "name": "n"}
    here = identity_keys(source="wire", title="T", body=["b"], **names)
    there = identity_keys(source="feed", title="T", body=["b"], **names)

    assert set(here) & set(there) == {here[-1]}


@pytest.mark.parametrize("kind", ["item_id", "document_id", "guid", "url", "name"])
def test_a_long_name_fits_an_index_and_stays_itself(kind: str) -> None:
    long = "https://a.example/" + "é" * 3000
    keys = [
        identity_keys(source="s" * 900, title="T", body=["b"], **{kind: name})[0] for name in (long, long, long + "x")
    ]

    assert keys[0] == keys[1] != keys[2]
    assert all(len(key.value.encode()) <= 1500 for key in keys)


def _held(**changes: Any) -> Held:
    fields: dict[str, Any] = {
        "article_id": "first",
        "owned": True,
        "item_sha256": "old bytes",
        "content_sha256": "old content",
        "received_at": NOON,
        "title": "T",
        "body": (BODY,),
    }
    return Held(**fields | changes)


ALIKE = (BODY + " and one more sentence stands at the end",)
CUT = (text(1, words=20),)
UNLIKE = (text(2),)


@pytest.mark.parametrize(
    ("held", "new", "outcome", "article_id"),
    [
        pytest.param({}, {}, Outcome.STORED, None, id="nothing is held"),
        pytest.param({TEXT: {}}, {}, Outcome.DUPLICATE, "first", id="the text is held"),
        pytest.param({NAME: {}}, {"body": ALIKE}, Outcome.REVISED, "first", id="a name, alike"),
        pytest.param({NAME: {}}, {"body": CUT}, Outcome.REVISED, "first", id="a name, a cut of the text"),
        pytest.param({NAME: {}}, {"body": UNLIKE}, Outcome.STORED, None, id="a name, another story"),
        pytest.param({GUID: {}}, {"body": UNLIKE}, Outcome.REVISED, "first", id="a guid, however unlike"),
        pytest.param({NAME: {}}, {"item": "old bytes"}, Outcome.UNCHANGED, "first", id="the same bytes"),
        pytest.param({NAME: {}}, {"content": "old content"}, Outcome.UNCHANGED, "first", id="the same content"),
        pytest.param({NAME: {"owned": False}}, {"body": ALIKE}, Outcome.STORED, None, id="a name of a duplicate"),
        pytest.param(
            {NAME: {"owned": False}}, {"item": "old bytes"}, Outcome.UNCHANGED, "first", id="a duplicate again"
        ),
        pytest.param({ITEM: {}}, {"item": "old bytes"}, Outcome.UNCHANGED, "first", id="an item again"),
        pytest.param({ITEM: {}}, {"item": "other"}, Outcome.REJECTED, None, id="an item id with another body"),
        pytest.param({ITEM: {}, TEXT: {}}, {"item": "other"}, Outcome.REJECTED, None, id="a conflict of a known text"),
        pytest.param(
            {GUID: {}, TEXT: {"article_id": "second"}},
            {"body": UNLIKE},
            Outcome.REVISED,
            "first",
            id="guid before text",
        ),
        pytest.param(
            {NAME: {}, TEXT: {"article_id": "second"}},
            {"body": UNLIKE},
            Outcome.DUPLICATE,
            "second",
            id="another story under the name, known elsewhere",
        ),
    ],
)
def test_what_a_meeting_means(
    held: dict[IdentityKey, dict[str, Any]], new: dict[str, Any], outcome: Outcome, article_id: str | None
) -> None:
    verdict = judge(
        [ITEM, GUID, NAME, TEXT],
        {key: _held(**changes) for key, changes in held.items()},
        item_sha256=new.get("item", "new bytes"),
        content_sha256=new.get("content", "new content"),
        received_at=NOON + timedelta(minutes=1),
        body=new.get("body", (BODY,)),
    )

    assert (verdict.outcome, verdict.article_id) == (outcome, article_id)
    assert verdict.reason
    assert (verdict.code == "item_conflict") is (outcome is Outcome.REJECTED)


@pytest.mark.parametrize(("minutes", "is_current"), [(-1, False), (0, True), (1, True)])
def test_older_news_never_overwrites_newer(minutes: float, is_current: bool) -> None:
    verdict = judge(
        [GUID],
        {GUID: _held()},
        item_sha256="n",
        content_sha256=sha256("n"),
        received_at=NOON + timedelta(minutes=minutes),
        body=ALIKE,
    )

    assert (verdict.outcome, verdict.is_current) == (Outcome.REVISED, is_current)


@pytest.mark.parametrize(
    ("version", "known", "minutes", "is_current"),
    [
        ("10", "9", -1, True),
        ("9", "10", 1, False),
        ("1.2", "1.10", 1, False),
        ("3", None, -1, False),
        ("b", "a", 1, True),
        ("3", "3", -1, False),
        (None, "3", 1, True),
    ],
)
def test_numbers_of_versions_tell_which_is_newer_and_else_the_time_does(
    version: str | None, known: str | None, minutes: float, is_current: bool
) -> None:
    verdict = judge(
        [GUID],
        {GUID: _held(version=known)},
        item_sha256="n",
        content_sha256=sha256("n"),
        received_at=NOON + timedelta(minutes=minutes),
        body=ALIKE,
        version=version,
    )

    assert (verdict.outcome, verdict.is_current) == (Outcome.REVISED, is_current)
