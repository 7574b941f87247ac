"""What the audit of dependencies makes of pip-audit's answers: a database that does not answer is no clean bill."""

from __future__ import annotations

from typing import Any

import pytest

from tests.audit import judge

CLEAN = {"name": "clean", "version": "1", "vulns": []}
HOLED = {
    "name": "holed",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}, {"id": "GHSA-2", "fix_versions": []}],
}
SKIPPED = {"name": "unknown", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("found", "complaint", "is_required", "last", "has_failed"),
    [
        ([CLEAN, CLEAN], "", False, "audited: 2 of 2 dependencies, 0 known holes", False),
        ([CLEAN, HOLED], "", False, "audited: 2 of 2 dependencies, 2 known holes", True),
        ([CLEAN, SKIPPED], "", False, "audited: 1 of 2 dependencies, 0 known holes", False),
        ([CLEAN, SKIPPED], "", True, "audited: 1 of 2 dependencies, 0 known holes", True),
        ([SKIPPED, SKIPPED], "", False, "NOT AUDITED: ", False),
        ([SKIPPED, SKIPPED], "", True, "NOT AUDITED: ", True),
        (None, "ConnectionError: no such host", False, "NOT AUDITED: ", False),
        (None, "ConnectionError: no such host", True, "NOT AUDITED: ", True),
        ([], "", True, "NOT AUDITED: ", True),
    ],
)
def test_only_what_was_looked_up_counts(
    found: list[dict[str, Any]] | None, complaint: str, is_required: bool, last: str, has_failed: bool
) -> None:
    verdict = judge(None if found is None else {"dependencies": found}, complaint, is_required=is_required)

    assert verdict.has_failed is has_failed
    assert verdict.lines[-1].startswith(last)
    assert complaint in verdict.lines[-1]


def test_each_hole_is_named_with_the_version_that_mends_it() -> None:
    lines = judge({"dependencies": [HOLED, SKIPPED]}, "", is_required=False).lines

    assert lines[:3] == [
        "holed 2: PYSEC-1, mended in 2.1",
        "holed 2: GHSA-2, mended in no version yet",
        "NOT AUDITED: unknown",
    ]
