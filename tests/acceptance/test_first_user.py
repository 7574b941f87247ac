"""The first user's own file through the file door: what comes out, and what the same names and texts mean later."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from copydesk import pipeline
from copydesk.cleaning import load_rules
from copydesk.models import Hints, RawItem
from tests.entries import story
from tests.processes import ROOT, Stack

SEED = next((ROOT / "seeds" / "inbox").glob("000_*.txt"))
TEXT = SEED.read_text(encoding="utf-8")
LINES = TEXT.split("\n")

COLUMNS = (
    *("title", "section", "published_text", "publisher", "language", "dateline", "authors", "captions", "corrections"),
    *("body", "credits", "rights", "removed", "pieces", "source", "revision", "id", "raw_sha256"),
)

ARTICLE = f"select {', '.join(COLUMNS)} from article where source = %s and name = %s order by stored_at"  # noqa: S608 - our own column names


def stored(stack: Stack, source: str, name: str) -> dict[str, object]:
    (row,) = stack.rows(ARTICLE, source, name)
    row = tuple(str(value) if isinstance(value, UUID) else value for value in row)
    return dict(zip(COLUMNS, row, strict=True))


@pytest.fixture(scope="module")
def article(stack: Stack) -> dict[str, object]:
    """The file dropped with no sender configured: directly into the inbox."""
    stack.drop("seed.txt", TEXT)
    assert stack.settled("done/inbox/*/seed.txt")
    return stored(stack, "inbox", "seed.txt")


def test_fields_are_what_a_reader_would_say(article: dict[str, object]) -> None:
    got = {name: article[name] for name in ("title", "section", "published_text", "publisher", "language", "dateline")}

    assert got == {
        "title": "Li Xixie: The restart of the China Japan ROK Leaders' Meeting is of great significance",
        "section": "Question from East to West",
        "published_text": "2024-05-25T15:23:00+08:00",
        "publisher": "China News Network",
        "language": "en",
        "dateline": None,
    }
    assert (article["authors"], article["captions"], article["corrections"]) == ([], [], [])


def test_body_is_the_four_paragraphs_without_the_producers(article: dict[str, object]) -> None:
    paragraphs = [line for line in LINES[4:11] if line]
    paragraphs[-1] = paragraphs[-1].removesuffix(" (Produced by Liu Xu and Wang Dongqian, Wang Jiayi)")

    assert len(paragraphs) == 4
    assert article["body"] == paragraphs


def test_people_are_credited_by_role(article: dict[str, object]) -> None:
    assert article["credits"] == {
        "producers": ["Liu Xu", "Wang Dongqian", "Wang Jiayi"],
        "editors": ["Liu Xian"],
    }


def test_rights_are_kept_as_four_lines_in_file_order(article: dict[str, object]) -> None:
    rights = article["rights"]

    assert isinstance(rights, list)
    assert rights == [line for line in LINES if line.startswith(("Copyright", "The information", "It is forbidden"))]
    assert len(rights) == 4


def test_each_removed_piece_has_its_place_class_and_rule(article: dict[str, object]) -> None:
    removed = article["removed"]
    assert isinstance(removed, list)
    by_class: dict[str, list[str]] = {}
    for piece in removed:
        by_class.setdefault(piece["kind"], []).append(piece["text"])
        assert piece["rule"]
        span = piece["span"]
        assert piece["text"] in "\n".join(LINES[span["line"] - 1 : span["end_line"]])

    assert by_class["dropped"] == [next(line for line in LINES if line.startswith("Please follow"))]
    assert by_class["metadata"] == [
        LINES[2],
        "(Produced by Liu Xu and Wang Dongqian, Wang Jiayi)",
        "Editor in charge: [Liu Xian]",
    ]
    assert len(by_class["rights"]) == 4
    assert by_class["section"] == ["[Question from East to West]"]


def test_the_story_can_be_put_back_together_from_the_row(article: dict[str, object]) -> None:
    pieces = article["pieces"]
    assert isinstance(pieces, list)
    rebuilt = [""] * len(LINES)
    for piece in pieces:
        span = piece["span"]
        assert span["line"] == span["end_line"]
        line = span["line"] - 1
        rebuilt[line] = rebuilt[line].ljust(span["start"]) + piece["text"]

    assert [line.rstrip() for line in rebuilt] == [line.rstrip() for line in LINES]


def test_the_input_is_kept_byte_for_byte(stack: Stack, article: dict[str, object]) -> None:
    import zlib

    ((data,),) = stack.rows("select data from raw where sha256 = %s", article["raw_sha256"])

    assert zlib.decompress(data) == SEED.read_bytes()


def test_the_outcome_stands_beside_the_file(stack: Stack, article: dict[str, object]) -> None:
    place = stack.settled("done/inbox/*/seed.txt")
    outcome = json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))

    assert place.read_bytes() == SEED.read_bytes()
    assert outcome["outcome"] == "stored"
    assert [item["article"] for item in outcome["items"]] == [article["id"]]


def test_the_same_text_under_another_name_is_a_duplicate_of_the_first(stack: Stack, article: dict[str, object]) -> None:
    stack.drop("partner/copy.txt", TEXT)
    place = stack.settled("duplicate/partner/*/copy.txt")
    outcome = json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))

    assert (outcome["outcome"], outcome["items"][0]["article"]) == ("duplicate", article["id"])
    assert stack.rows("select article_id::text, relation, name, source from sighting where name = 'copy.txt'") == [
        (article["id"], "exact", "copy.txt", "partner")
    ]


def test_a_changed_paragraph_under_the_same_name_is_a_revision(stack: Stack) -> None:
    stack.drop("wire/story.txt", story(41))
    stack.settled("done/wire/*/story.txt")
    before = stored(stack, "wire", "story.txt")
    stack.drop("wire/story.txt", story(41).rstrip() + " It rained over two decades.\n")
    place = stack.settled("done/wire/*/story~*.txt")
    outcome = json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))
    after = stored(stack, "wire", "story.txt")

    assert (outcome["outcome"], outcome["items"][0]["revision"]) == ("revised", 2)
    assert (after["id"], before["revision"], after["revision"]) == (before["id"], 1, 2)
    assert "over two decades" in str(after["body"])
    assert stack.rows("select number, body from revision where article_id = %s and number = 1", before["id"]) == [
        (1, before["body"])
    ]


def test_another_story_under_the_same_name_is_another_article(stack: Stack, article: dict[str, object]) -> None:
    other = (ROOT / "seeds" / "inbox" / "en-ferry-strike.txt").read_text(encoding="utf-8")
    stack.drop("seed.txt", other)
    place = stack.settled("done/inbox/*/seed~*.txt")
    outcome = json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))

    assert outcome["outcome"] == "stored"
    assert outcome["items"][0]["article"] != article["id"]


def test_the_same_file_dropped_again_is_unchanged(stack: Stack) -> None:
    stack.drop("again/same.txt", story(42))
    stack.settled("done/again/*/same.txt")
    stack.drop("again/same.txt", story(42))
    place = stack.settled("duplicate/again/*/same.txt")

    assert json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))["outcome"] == "unchanged"


def test_a_copy_with_a_word_changed_is_a_near_duplicate_of_the_first(stack: Stack, article: dict[str, object]) -> None:
    stack.drop("chinanews/seed.txt", TEXT.replace("exclusive interview", "long interview"))
    place = stack.settled("duplicate/chinanews/*/seed.txt")
    outcome = json.loads(Path(f"{place}.outcome.json").read_text(encoding="utf-8"))

    assert (outcome["outcome"], outcome["items"][0]["article"]) == ("duplicate", article["id"])
    assert stack.rows("select relation from sighting where source = 'chinanews'") == [("near",)]


def test_a_configured_sender_gives_the_same_fields(article: dict[str, object]) -> None:
    """With the sender's own profile."""
    item = RawItem(SEED.read_bytes(), "chinanews", datetime.now(UTC), Hints(filename=SEED.name))
    (processed,) = pipeline.process(item, load_rules())
    assert processed.document
    own = processed.document.model_dump(mode="json") | {"published_text": processed.document.published_at}

    for name in ("title", "section", "published_text", "publisher", "language", "credits", "rights"):
        assert own[name] == article[name]
