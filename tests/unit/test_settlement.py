"""What a batch of articles changes, given what stands in Postgres. The store here is a dictionary."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from copydesk.delivery.settlement import (
    Plan,
    article_id,
    job_counts,
    plan_articles,
    plan_outcomes,
    together,
    wanted_keys,
)
from copydesk.models import IdentityKey, Outcome
from copydesk.queue.entries import ArticleEntry
from copydesk.storage.articles import CurrentArticle
from copydesk.storage.identities import KeyState
from tests.entries import article, close, ending, job, text

DAY = 24 * 60


@dataclass
class Desk:
    """Applies plans one after the other, as the writer does with its tables."""

    keys: dict[IdentityKey, KeyState] = field(default_factory=dict)
    articles: dict[str, CurrentArticle] = field(default_factory=dict)
    revisions: dict[str, list[str]] = field(default_factory=dict)

    def settle(self, *entries: ArticleEntry, redelivered: Sequence[ArticleEntry] = ()) -> Plan:
        wanted = wanted_keys([*redelivered, *entries])
        held = {key: self.keys[key] for key in wanted if key in self.keys}
        for key in wanted:
            self.keys.setdefault(key, wanted[key])
        plan = plan_articles(entries, wanted, held, dict(self.articles))
        self.keys.update(plan.keys)
        for key in plan.released:
            del self.keys[key]
        for revision in plan.revisions:
            numbers = self.revisions.setdefault(revision.article_id, [])
            numbers.append(revision.document.body[0])
            assert revision.number == len(numbers), "numbers have no gap and no double"
            before = self.articles.get(revision.article_id)
            if revision.is_current or before is None:
                shown = revision
                self.articles[revision.article_id] = CurrentArticle(
                    shown.article_id,
                    shown.number,
                    shown.number,
                    shown.document.content_sha256,
                    shown.received_at,
                    shown.document.title,
                    shown.document.body,
                    shown.cluster_id,
                )
            else:
                self.articles[revision.article_id] = CurrentArticle(
                    before.article_id,
                    revision.number,
                    before.current_number,
                    before.content_sha256,
                    before.received_at,
                    before.title,
                    before.body,
                    before.cluster_id,
                )
        assert not {state.article_id for state in self.keys.values()} - set(self.articles), "every key has its article"
        return plan

    def texts(self) -> list[str]:
        """The current text of every article."""
        return sorted(current.body[0] for current in self.articles.values())


def _outcomes(plan: Plan) -> list[str]:
    return [str(receipt.outcome) for receipt in plan.receipts]


FIRST = text(1)
CHANGED = FIRST + " and one sentence more"
CHANGED_AGAIN = FIRST + " and another sentence instead of it"
OTHER = text(2)


def _file(name: str, body: str, minutes: float = 0, number: int = 0) -> ArticleEntry:
    return article("f", body, job=job(f"job {name} {minutes} {number}", minutes=minutes, kind="file"), name=name)


def test_a_new_article_gets_its_keys_and_one_event() -> None:
    desk = Desk()
    entry = _file("a.txt", FIRST)
    plan = desk.settle(entry)

    assert _outcomes(plan) == ["stored"]
    assert [e["event"] for e in plan.events] == ["stored"]
    assert {desk.keys[key].article_id for key in entry.document.keys} == {article_id(entry)}
    assert not plan.released
    assert not plan.keys  # taken as wanted: nothing to write again


def test_the_same_text_under_another_name_is_a_duplicate_of_the_first() -> None:
    desk = Desk()
    first, again = _file("a.txt", FIRST), _file("b.txt", FIRST, 1)
    desk.settle(first)
    plan = desk.settle(again)

    assert _outcomes(plan) == ["duplicate"]
    assert plan.sightings[0]["article_id"] == plan.receipts[0].article_id == article_id(first)
    assert not plan.revisions
    assert desk.keys[again.document.keys[0]] == KeyState(article_id(first), False, again.document.item_sha256)


def test_a_text_changed_under_its_name_is_a_revision() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST))
    plan = desk.settle(_file("a.txt", CHANGED, 1))

    assert _outcomes(plan) == ["revised"]
    assert (plan.receipts[0].revision, desk.texts()) == (2, [CHANGED])
    assert plan.receipts[0].scores["containment"] == 1


def test_another_story_under_a_name_is_another_article_and_has_the_name_from_then_on() -> None:
    desk = Desk()
    desk.settle(_file("report.txt", FIRST))
    assert _outcomes(desk.settle(_file("report.txt", OTHER, DAY))) == ["stored"]

    plan = desk.settle(_file("report.txt", OTHER + " corrected", DAY + 1))

    assert _outcomes(plan) == ["revised"]
    assert desk.texts() == sorted([FIRST, OTHER + " corrected"])


def test_a_duplicate_never_takes_a_name_from_a_story() -> None:
    desk = Desk()
    desk.settle(_file("report.txt", FIRST), _file("b.txt", OTHER))
    desk.settle(_file("report.txt", OTHER, 1))

    assert _outcomes(desk.settle(_file("report.txt", CHANGED, 2))) == ["revised"]


def test_a_change_under_a_duplicates_name_is_a_story_of_its_own() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST))
    desk.settle(_file("b.txt", FIRST, 1))

    assert _outcomes(desk.settle(_file("b.txt", CHANGED, 2))) == ["stored"]
    assert _outcomes(desk.settle(_file("b.txt", CHANGED_AGAIN, 3))) == ["revised"]
    assert desk.texts() == sorted([FIRST, CHANGED_AGAIN])


def test_a_changed_text_under_a_guid_is_a_revision_however_unlike() -> None:
    desk = Desk()
    desk.settle(article("i#1", FIRST, job=job("1"), guid="g"))

    assert _outcomes(desk.settle(article("i#1", OTHER, job=job("2", minutes=1), guid="g"))) == ["revised"]


def test_the_same_bytes_again_change_nothing() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST))
    plan = desk.settle(_file("a.txt", FIRST, 1))

    assert _outcomes(plan) == ["unchanged"]
    assert [plan.revisions, plan.keys, plan.released, plan.events, plan.sightings] == [[], {}, [], [], []]


def test_other_bytes_with_the_same_content_are_unchanged_and_known_from_then_on() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST))
    padded = article("f", FIRST, job=job("2", minutes=1), name="a.txt", raw="padded")

    assert _outcomes(desk.settle(padded)) == ["unchanged"]
    assert desk.keys[padded.document.keys[0]].item_sha256 == padded.document.item_sha256


def test_an_item_id_with_another_body_is_refused_and_takes_nothing() -> None:
    desk = Desk()
    desk.settle(article("x", FIRST, job=job("1"), item_key="x"))
    before = dict(desk.keys)
    plan = desk.settle(article("x", OTHER, job=job("2", minutes=1), item_key="x"))

    assert _outcomes(plan) == ["rejected"]
    assert plan.receipts[0].code == plan.dead_letters[0].code == "item_conflict"
    assert desk.keys == before
    assert not plan.revisions


def test_an_older_revision_that_comes_late_is_kept_and_not_shown() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST, 10))
    desk.settle(_file("a.txt", CHANGED, 30))
    plan = desk.settle(_file("a.txt", CHANGED_AGAIN, 20))

    assert _outcomes(plan) == ["revised"]
    assert [(r.number, r.is_current) for r in plan.revisions] == [(3, False)]
    assert desk.texts() == [CHANGED]
    assert _outcomes(desk.settle(_file("a.txt", FIRST + " at last", 40))) == ["revised"]
    assert desk.revisions[article_id(_file("a.txt", FIRST, 10))][-1] == FIRST + " at last"


def test_a_text_that_goes_back_is_a_revision_again() -> None:
    desk = Desk()
    desk.settle(_file("a.txt", FIRST))
    desk.settle(_file("a.txt", CHANGED, 1))
    plan = desk.settle(_file("a.txt", FIRST, 2))

    assert _outcomes(plan) == ["revised"]
    assert plan.receipts[0].revision == 3
    assert desk.texts() == [FIRST]


def test_one_batch_gives_what_single_entries_give() -> None:
    entries = [
        _file("a.txt", FIRST),
        _file("b.txt", FIRST, 1),
        _file("a.txt", CHANGED, 2),
        _file("a.txt", CHANGED, 3),
        _file("a.txt", OTHER, 4),
        _file("b.txt", FIRST, 5),
        _file("a.txt", FIRST, 6),
        _file("c.txt", CHANGED, 7),
        _file("a.txt", OTHER, 8),
        _file("a.txt", OTHER + " late", 2.5),
    ]
    one_by_one, at_once = Desk(), Desk()
    single = [outcome for entry in entries for outcome in _outcomes(one_by_one.settle(entry))]

    assert _outcomes(at_once.settle(*entries)) == single
    assert at_once.keys == one_by_one.keys
    assert at_once.articles == one_by_one.articles
    assert at_once.revisions == one_by_one.revisions


def test_the_batch_above_meets_every_kind_of_verdict() -> None:
    desk = Desk()
    seen = _outcomes(
        desk.settle(
            _file("a.txt", FIRST),
            _file("b.txt", FIRST, 1),
            _file("a.txt", CHANGED, 2),
            _file("a.txt", CHANGED, 3),
            _file("a.txt", OTHER, 4),
        )
    )

    assert seen == ["stored", "duplicate", "revised", "unchanged", "stored"]


def test_keys_of_a_redelivered_entry_are_let_go() -> None:
    """Its article got other keys in the meantime, or none: what was taken for it now must not stay."""
    desk = Desk()
    done = _file("a.txt", FIRST)
    plan = desk.settle(_file("b.txt", OTHER, 1), redelivered=[done])

    assert set(plan.released) == set(done.document.keys)
    assert _outcomes(plan) == ["stored"]


def test_a_key_whose_article_is_gone_is_free() -> None:
    desk = Desk()
    entry = _file("a.txt", FIRST)
    wanted = wanted_keys([entry])
    gone = {key: KeyState("gone", True, state.item_sha256) for key, state in wanted.items()}
    plan = plan_articles([entry], wanted, gone, {})

    assert _outcomes(plan) == ["stored"]
    assert plan.keys == wanted
    assert desk.keys == {}


def test_an_articles_id_is_a_uuid_of_version_8_that_sorts_by_time_and_repeats() -> None:
    ids = [uuid.UUID(article_id(article("i", FIRST, job=job(f"job {n}", minutes=n)))) for n in range(5)]

    assert {(i.version, i.variant) for i in ids} == {(8, uuid.RFC_4122)}
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
    assert article_id(article("i", OTHER, job=job("job 0"))) == str(ids[0])
    assert article_id(article("j", FIRST, job=job("job 0"))) != str(ids[0])


@pytest.mark.parametrize(
    ("outcome", "letters"), [(Outcome.REJECTED, 1), (Outcome.DEAD, 1), (Outcome.UNCHANGED, 0), (Outcome.SUPPRESSED, 0)]
)
def test_an_item_without_an_article_gets_a_receipt_and_where_it_failed_a_dead_letter(
    outcome: Outcome, letters: int
) -> None:
    plan = Plan()
    plan_outcomes(plan, [ending("i", outcome, job=job(), raw_sha256="0" * 64, trace="here")])

    assert _outcomes(plan) == [str(outcome)]
    assert len(plan.dead_letters) == letters
    assert all((d.trace, d.raw_sha256) == ("here", "0" * 64) for d in plan.dead_letters)


def test_a_job_is_counted_by_the_receipts_that_were_inserted() -> None:
    one, two = job("1"), job("2")
    counts = job_counts(
        [article("a", FIRST, job=one), close(one, 3), article("a", OTHER, job=two)], [("1", "a"), ("1", "b")]
    )

    assert [(c.id, c.done, c.total) for c in counts] == [("1", 2, 3), ("2", 0, None)]


def test_counts_of_one_job_become_one() -> None:
    one = job("1")
    (open_one,) = job_counts([article("a", FIRST, job=one)], [("1", "a")])
    (closed,) = job_counts([close(one, 2)], [("1", "b")])

    assert [(c.done, c.total) for c in together([open_one, closed])] == [(2, 2)]
    assert [(c.done, c.total) for c in together([closed, open_one])] == [(2, 2)]
