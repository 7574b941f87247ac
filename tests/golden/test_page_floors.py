"""Main text of pages on the corpora beside the project may only rise; raise a floor when its figure rose for good."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.score_hooks import page_meta, page_text
from tests.processes import ROOT

SHARED = Path(os.environ.get("COPYDESK_SHARED", ROOT.parent / "shared"))
SCORERS = SHARED / "score"
EVERY = 8
"""One page in so many is read, which takes 15 s of CPU in all; `make score pages` reads all of them."""

# Per cent. The sampled pages reach 95.8, 96.6, 99.5, 95.6; titles 85.3, 86.4, dates 78.8, 100, authors 92.5, 86.8.
TEXT_FLOORS = {"n4k-news": 95.0, "aeb": 95.5, "fundus-eval": 98.0, "fundus-tests": 94.5}
META_FLOORS = {
    "n4k-news": {"title": 84.0, "date": 78.0, "authors": 90.0},
    "fundus-tests": {"title": 85.0, "date": 99.0, "authors": 85.0},
}

pytestmark = pytest.mark.skipif(not SCORERS.is_dir(), reason=f"no corpora in {SHARED}: set COPYDESK_SHARED")


@pytest.fixture(scope="module")
def scorer() -> Iterator[Any]:
    sys.path.insert(0, str(SCORERS))
    yield importlib.import_module("extraction_score")
    sys.path.remove(str(SCORERS))


def sample(scorer: Any, name: str) -> list[Any]:
    """Every eighth page of an open set, with its gold answer."""
    return list(scorer.load_set(scorer.ROOTS["dev"], name)[::EVERY])


@pytest.mark.parametrize("name", TEXT_FLOORS)
def test_main_text_is_no_worse_than_it_was(scorer: Any, name: str) -> None:
    pages = sample(scorer, name)
    answers = {gold["id"]: page_text(html, gold.get("url") or "") for gold, html in pages}
    scored = scorer.evaluate_text(name, pages, answers)

    assert 100 * scored[scored["native"]][2] >= TEXT_FLOORS[name]


@pytest.mark.parametrize("name", META_FLOORS)
def test_metadata_is_no_worse_than_it_was(scorer: Any, name: str) -> None:
    pages = sample(scorer, name)
    counts = scorer.evaluate_meta(pages, {gold["id"]: page_meta(html, gold.get("url") or "") for gold, html in pages})
    reached = {
        "title": 100 * counts["title_exact"] / counts["title_n"],
        "date": 100 * counts["date_day"] / counts["date_n"],
        "authors": 200 * counts["author_tp"] / (2 * counts["author_tp"] + counts["author_fp"] + counts["author_fn"]),
    }

    assert {field: reached[field] for field, floor in META_FLOORS[name].items() if reached[field] < floor} == {}
