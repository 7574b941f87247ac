"""What changed between two revisions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copydesk.dedupe.difference import PARAGRAPHS_COMPARED, changes

A = "The ferry crossed again on Monday."
B = "Passengers waved from the pier."
C = "The harbour council had closed the line in March."


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([], [], []),
        ([A, B], [A, B], ["kept", "kept"]),
        ([A, B], [A, C, B], ["kept", "added", "kept"]),
        ([A, C, B], [A, B], ["kept", "removed", "kept"]),
        ([A, B], [A, "Passengers waved and cheered from the pier."], ["kept", "changed"]),
        ([A, B], [A, C], ["kept", "removed", "added"]),
        ([A], [B, C], ["removed", "added", "added"]),
    ],
)
def test_each_paragraph_is_kept_added_removed_or_changed(before: list[str], after: list[str], kinds: list[str]) -> None:
    assert [change.kind for change in changes(before, after)] == kinds


@given(
    st.lists(st.sampled_from([A, B, C, "", "d"]), max_size=12), st.lists(st.sampled_from([A, B, C, "e"]), max_size=12)
)
def test_both_texts_can_be_read_out_of_the_changes(before: list[str], after: list[str]) -> None:
    told = changes(before, after)

    assert [change.before for change in told if change.before is not None] == before
    assert [change.after for change in told if change.after is not None] == after


def test_a_text_of_very_many_paragraphs_is_compared_at_its_edges_only() -> None:
    middle = [f"line {number}" for number in range(PARAGRAPHS_COMPARED)]
    told = changes([A, *middle, B], [A, *(f"other {line}" for line in middle), B])

    assert [told[0].kind, told[-1].kind] == ["kept", "kept"]
    assert {change.kind for change in told[1:-1]} == {"removed", "added"}
