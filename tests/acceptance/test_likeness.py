"""Copies that share no name: through the real stack, each is linked to the story that it is a version of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Stack

STORY = [
    "The harbour council voted on Monday to close the old swing bridge after engineers found cracks in two piers.",
    "Ferries will carry commuters across the river until a new crossing opens in the spring, the mayor said at dawn.",
    "Shopkeepers on the northern quay fear for their trade, although the council promised lower fares for residents.",
    "The bridge was built by prisoners a century ago and has been painted green in every year since the great flood.",
    "An inquiry will ask why the inspectors who walked across the deck each autumn never looked beneath the waterline.",
    "Fishermen had reported falling stones to the harbour office, which kept their letters in a drawer unanswered.",
]
MORE = [
    "Late in the evening the regional government offered to pay for half of the new crossing, a spokeswoman said.",
    "Three firms have been asked for their plans, among them the builders of the tunnel beneath the northern bay.",
    "Divers are to examine the remaining piers before the end of the week, weather permitting, the engineers said.",
    "Until then heavy lorries have to take the coast road, which is some forty minutes longer in the best of cases.",
    "The oldest of the ferries was brought back from a museum, and its captain from the garden of his retirement.",
    "School starts an hour later for all children who live beyond the river, the education office told parents.",
]


def text(title: str, paragraphs: list[str]) -> str:
    return "\n\n".join([title, *paragraphs]) + "\n"


@pytest.fixture
def stack(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Stack]:
    with Stack(tmp_path, redis_url, database_url) as running:
        yield running.start("storage", "ingest", "inbox")


def test_versions_of_one_story_are_linked_to_it_and_the_longest_is_an_article_beside_it(stack: Stack) -> None:
    near = [p.replace("on Monday", "on Monday evening").replace("a century ago", "long ago") for p in STORY]
    ends = {}
    for source, name, written in (
        ("wire", "first.txt", text("Council closes the old bridge", STORY)),
        ("paper", "near.txt", text("Old swing bridge is closed", near)),
        ("radio", "cut.txt", text("Bridge closed over cracks", STORY[:2])),
        ("weekly", "long.txt", text("How the old bridge came to be closed", STORY + MORE)),
        ("wire", "other.txt", text("Ferries are painted red", MORE)),
    ):
        stack.drop(f"{source}/{name}", written)
        ends[name] = stack.settled(name).relative_to(stack.inbox).parts[0]

    assert ends == {
        "first.txt": "done",
        "near.txt": "duplicate",
        "cut.txt": "duplicate",
        "long.txt": "done",
        "other.txt": "duplicate",
    }
    first, long = stack.rows("select id, cluster_id from article order by received_at")
    assert first[0] == first[1] == long[1] != long[0]
    seen = stack.rows("select name, relation, article_id, scores ? 'containment' from sighting order by seen_at")
    assert seen == [
        ("near.txt", "near", first[0], True),
        ("cut.txt", "contained-in", first[0], True),
        ("other.txt", "contained-in", long[0], True),
    ]
    longest = "select name from article where cluster_id = %s order by length(text) desc limit 1"
    assert stack.rows(longest, first[1]) == [("long.txt",)]
