"""How alike two texts are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.dedupe.likeness import DEFAULT, likeness, read_thresholds
from copydesk.errors import LexiconError


@pytest.mark.parametrize(
    ("one", "other", "jaccard", "containment"),
    [
        pytest.param(["a b c d"], ["a b c d"], 1, 1, id="the same"),
        pytest.param(["a b c", "d"], ["a b", "c d"], 1, 1, id="other paragraphs"),
        pytest.param(["A, b. C!"], ["a b c"], 1, 1, id="case and punctuation"),
        pytest.param(["a b c"], ["d e f"], 0, 0, id="nothing shared"),
        pytest.param(["a b c d"], ["a b c e"], 1 / 3, 1 / 2, id="one word of four"),
        pytest.param(["a b c d e f"], ["a b c"], 1 / 4, 1, id="a cut"),
        pytest.param([], [], 0, 0, id="both empty"),
        pytest.param(["..."], ["a b c"], 0, 0, id="no word"),
        pytest.param(["a"], ["a"], 1, 1, id="fewer words than a shingle"),
        pytest.param(["a b"], ["a b c"], 0, 0, id="fewer words than a shingle in one"),
        pytest.param(["中国日本韩国"], ["中国日本韩国"], 1, 1, id="Chinese"),
        pytest.param(["中国日本韩国新闻"], ["中国日本韩国新年"], 1 / 2, 2 / 3, id="one Chinese character of eight"),
        pytest.param(["東京タワーは高い"], ["東京タワーは、高い。"], 1, 1, id="Japanese"),
        pytest.param(["한국의 서울은 크다"], ["한국의서울은 크다"], 1, 1, id="Korean, other spaces"),
        pytest.param(["ｔｈｅ １２ ｋｍ"], ["the 12 km"], 1, 1, id="width"),
        pytest.param(["كَتَبَ الولد الدرس"], ["كتب الولـد الدرس"], 1, 1, id="Arabic vowels and stretching"),
        pytest.param(["soft\u00adly he said"], ["softly he said"], 1, 1, id="soft hyphen"),
    ],
)
def test_likeness_counts_shared_shingles(one: list[str], other: list[str], jaccard: float, containment: float) -> None:
    assert likeness(one, other) == pytest.approx((jaccard, containment))


@given(st.lists(st.text()), st.lists(st.text()))
def test_likeness_is_symmetric_and_bounded(one: list[str], other: list[str]) -> None:
    jaccard, containment = likeness(one, other)

    assert (jaccard, containment) == likeness(other, one)
    assert 0 <= jaccard <= containment <= 1


def test_thresholds_are_changed_by_name() -> None:
    assert read_thresholds("") == DEFAULT
    assert read_thresholds("jaccard=0.55, shared = 14") == replace(DEFAULT, jaccard=0.55, shared=14)


@pytest.mark.parametrize("text", ["jacard=0.5", "jaccard", "jaccard=half", "shared=1.5", "jaccard=nan", "jaccard=-1"])
def test_a_wrong_threshold_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(LexiconError, match=text.partition("=")[0]):
        read_thresholds(text)
