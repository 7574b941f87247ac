"""What a sketch keeps of a text, packed and unpacked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.dedupe.likeness import compare
from copydesk.dedupe.sketch import HASHES_MAX, VERSION, line_hashes, pack, sketch, split_keys, unpack
from copydesk.errors import SketchUnreadable
from tests.entries import text

LONG = [text(number, words=200) for number in range(4)]
FURNITURE = "Read more of our award winning coverage every day."


@given(st.none() | st.text(), st.lists(st.text(), max_size=4))
def test_any_text_has_a_sketch_that_survives_packing(title: str | None, body: list[str]) -> None:
    drawn = sketch(title, body)

    assert unpack(pack(drawn)) == drawn


def test_a_long_text_survives_packing_and_stays_small() -> None:
    drawn = sketch("A headline", LONG)

    assert unpack(pack(drawn)) == drawn
    assert drawn.shingles > HASHES_MAX == len(drawn.hashes)
    assert len(pack(drawn)) <= 850
    assert len(pack(drawn, keys=False)) <= 720


def test_packed_without_keys_it_compares_the_same() -> None:
    one, other = sketch(None, LONG), sketch(None, LONG[:2])
    bare = unpack(pack(other, keys=False))

    assert split_keys(pack(other)) == (other.keys, pack(other, keys=False))
    assert bare.keys == ()
    assert compare(one, bare) == compare(one, other)


@pytest.mark.parametrize(
    "data",
    [b"", bytes([VERSION + 1]) + pack(sketch(None, LONG))[1:], pack(sketch(None, LONG))[:-1], bytes([VERSION])],
    ids=["nothing", "another version", "cut short", "a version alone"],
)
def test_what_cannot_be_read_is_said_so(data: bytes) -> None:
    with pytest.raises(SketchUnreadable):
        unpack(data)
    with pytest.raises(SketchUnreadable):
        split_keys(data)


@given(st.text(min_size=1, max_size=200))
def test_keys_are_few_and_fit_64_bits(body: str) -> None:
    keys = sketch(None, [body]).keys

    assert len(keys) == len(set(keys)) <= 16
    assert all(0 <= key < 1 << 64 for key in keys)


def test_white_space_case_and_signs_never_count() -> None:
    one = sketch(None, ["The Mayor of Oldham said: 'no'.", "Nobody\u00ad asked."])
    other = sketch(None, ["THE MAYOR of\noldham\u00a0said no. ", "nobody -- asked"])

    assert one.keys == other.keys


def test_repeated_lines_leave_the_rest_as_a_part_of_the_whole() -> None:
    repeated = line_hashes([FURNITURE])
    body = [LONG[0], FURNITURE, LONG[1]]

    without = sketch(None, body, repeated=repeated)
    evidence = compare(without, sketch(None, body))

    assert without.shingles < sketch(None, body).shingles
    assert evidence.containment == 1
    assert compare(without, sketch(None, [FURNITURE])).shared == 0


def test_a_text_of_nothing_but_repeated_lines_is_kept() -> None:
    assert sketch(None, [FURNITURE], repeated=line_hashes([FURNITURE])) == sketch(None, [FURNITURE])


def test_a_line_has_the_same_hash_in_any_text() -> None:
    assert set(line_hashes([FURNITURE])) <= set(line_hashes([LONG[0], FURNITURE]))
    assert line_hashes(["Read!", "..."]) == []


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_containment_is_estimated_whatever_the_lengths(share: float) -> None:
    words = [f"w{number}" for number in range(2000)]
    cut = words[: int(len(words) * share)]

    evidence = compare(sketch(None, [" ".join(cut)]), sketch(None, [" ".join(words)]))

    assert evidence.containment == 1
    assert evidence.jaccard == pytest.approx(share, abs=0.13)
    assert evidence.shared == pytest.approx(len(cut), rel=0.25)


def test_the_headline_is_cut_by_its_own_script() -> None:
    one = sketch("东京股市收盘上涨", LONG)
    other = sketch("收盘上涨 东京股市", LONG)

    assert len(one.headline) == 7, "pairs of characters"
    assert 0 < len(set(one.headline.tolist()) & set(other.headline.tolist())) < 7
    assert one.hashes.tolist() == other.hashes.tolist() == sketch(None, LONG).hashes.tolist()
