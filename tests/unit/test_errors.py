"""The error tree: what survives Celery's pickling, and what receipts and logs say of it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from copydesk import errors
from copydesk.errors import CopydeskError


def _all(of: type[CopydeskError]) -> Iterator[type[CopydeskError]]:
    yield of
    for below in of.__subclasses__():
        yield from _all(below)


EVERY = sorted(set(_all(CopydeskError)), key=lambda c: c.__name__)


def test_the_tree_is_whole() -> None:
    declared = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, CopydeskError)}

    assert declared <= set(EVERY)
    assert len(EVERY) > 20


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_an_error_comes_through_pickle_with_its_subject_and_detail(kind: type[CopydeskError]) -> None:
    copy = pickle.loads(pickle.dumps(kind("item 7", "it was late")))  # noqa: S301 - our own object

    assert type(copy) is kind
    assert (copy.subject, copy.detail, copy.code) == ("item 7", "it was late", kind().code)
    assert str(copy) == str(kind("item 7", "it was late"))


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_the_docstring_is_the_default_message(kind: type[CopydeskError]) -> None:
    headline = (kind.__doc__ or "").splitlines()[0]

    assert headline.endswith(".")
    assert str(kind()) == headline.rstrip(".")
    assert str(kind("a.txt", "why")) == f"{headline.rstrip('.')}: a.txt: why"


def test_codes_are_distinct_snake_case_names() -> None:
    codes = {kind().code for kind in EVERY}

    assert len(codes) == len(EVERY)
    assert errors.UnsupportedJobVersion().code == "unsupported_job_version"


@pytest.mark.parametrize("kind", EVERY, ids=lambda k: k.__name__)
def test_only_a_dependency_is_worth_another_try(kind: type[CopydeskError]) -> None:
    assert kind.retryable is issubclass(kind, errors.DependencyError)
