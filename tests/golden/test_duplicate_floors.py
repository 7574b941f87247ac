"""Quality of the duplicate judge on the corpus beside the project may only rise."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.score_hooks import make_judge
from tests.processes import ROOT

SHARED = Path(os.environ.get("COPYDESK_SHARED", ROOT.parent / "shared"))
CORPUS = SHARED / "corpora" / "dedup"

# A little under what was reached (.9988, .9988, .9988), since the luck of the hashes moves the figures by .001.
OVERALL_MIN = {"content": 0.996, "pair": 0.995, "ari": 0.995}
RECALL_MIN = {"trunc-short": 0.98, "trunc": 0.98, "summary": 0.97, "copyedit-heavy": 0.97}
MERGED_MAX = {"neg-template": 0.02, "neg-brief": 0.02, "neg-shared": 0.005, "neg-same": 0.0}

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus in {SHARED}: set COPYDESK_SHARED")


@pytest.fixture(scope="module")
def result() -> Iterator[dict[str, Any]]:
    sys.path.insert(0, str(SHARED / "score"))
    scorer = importlib.import_module("dedup_score")
    stream = scorer.load([str(CORPUS)])
    yield scorer.evaluate(stream, scorer.run(stream, make_judge())[0])
    sys.path.remove(str(SHARED / "score"))


def test_the_stream_is_judged_no_worse_than_it_was(result: dict[str, Any]) -> None:
    reached = {"content": result["content"][2], "pair": result["pair"][2], "ari": result["ari"]}

    assert {name: reached[name] for name, floor in OVERALL_MIN.items() if reached[name] < floor} == {}
    assert result["update"][2] == 1


def test_every_kind_of_copy_is_found(result: dict[str, Any]) -> None:
    found = {kind: share for kind, (share, _) in result["recall_by_kind"].items()}

    assert {kind: found[kind] for kind, floor in RECALL_MIN.items() if found[kind] < floor} == {}


def test_look_alikes_stay_apart(result: dict[str, Any]) -> None:
    merged = result["false_merge_by_kind"]
    worst = {start: max(share for kind, (share, _) in merged.items() if kind.startswith(start)) for start in MERGED_MAX}

    assert {start: share for start, share in worst.items() if share > MERGED_MAX[start]} == {}
