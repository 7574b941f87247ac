"""Who is stuck and who is not: the rule, what is noted for it, and a process that ends itself."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from copydesk.liveness.guard import EXIT_CODE
from copydesk.liveness.pulse import Pulse
from copydesk.liveness.rule import Beat, InHand, Kind, Seen, judge
from copydesk.supervisor.rounds import Asked, complaint

STUCK_AFTER_S = 30.0
NOW = 1000.0


def beat(kind: Kind, ago_s: float) -> Beat:
    return Beat(kind, "something", NOW - ago_s)


def held(ago_s: float, limit_s: float | None = None) -> InHand:
    return InHand("story 7", NOW - ago_s, limit_s)


LONG_AGO = beat(Kind.FINISHED, 999)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(Seen(LONG_AGO), id="idle"),
        pytest.param(Seen(beat(Kind.STARTED, 29), waits_since=NOW - 999), id="just started"),
        pytest.param(Seen(beat(Kind.FINISHED, 29), (held(900),), NOW - 999), id="busy"),
        pytest.param(Seen(beat(Kind.BACKED_OFF, 29), (held(900),), NOW - 999), id="waits for a server"),
        pytest.param(Seen(beat(Kind.PAUSED, 29), (held(900),), NOW - 999), id="paused by a mark"),
        pytest.param(Seen(LONG_AGO, (held(29),)), id="something came into its hand after a long rest"),
        pytest.param(Seen(LONG_AGO, waits_since=NOW - 29), id="work came after a long rest"),
        pytest.param(Seen(LONG_AGO, due_at=NOW + 60), id="rests until its next look"),
        pytest.param(Seen(LONG_AGO, due_at=NOW - 29), id="its next look is a little late"),
        pytest.param(Seen(LONG_AGO, (held(59, limit_s=60),)), id="an item within its own limit"),
        pytest.param(
            Seen(LONG_AGO, (held(99), held(59, limit_s=60)), NOW - 999), id="a job whose item is within its own limit"
        ),
    ],
)
def test_idle_busy_waiting_and_paused_are_alive(seen: Seen) -> None:
    assert not judge(seen, now=NOW, stuck_after_s=STUCK_AFTER_S).is_stuck


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(Seen(LONG_AGO, (held(31),)), "story 7 is in hand", id="in hand"),
        pytest.param(Seen(beat(Kind.BACKED_OFF, 31), (held(31),)), "backed off something", id="backed off long ago"),
        pytest.param(Seen(beat(Kind.PAUSED, 31), (held(31),)), "paused something", id="paused long ago"),
        pytest.param(Seen(LONG_AGO, waits_since=NOW - 31), "work waits", id="does not take what waits"),
        pytest.param(Seen(LONG_AGO, due_at=NOW - 31), "look is overdue", id="does not look"),
        pytest.param(Seen(beat(Kind.FINISHED, 0), (held(61, limit_s=60),)), "limit of 60 s", id="past its limit"),
        pytest.param(Seen(LONG_AGO, (held(2, limit_s=1),)), "limit of 1 s", id="past a short limit"),
    ],
)
def test_what_waits_or_is_in_hand_without_any_progress_is_stuck(seen: Seen, why: str) -> None:
    verdict = judge(seen, now=NOW, stuck_after_s=STUCK_AFTER_S)

    assert verdict.is_stuck
    assert why in verdict.why
    assert "; last " in verdict.why


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_a_dependency_that_is_away_gives_an_item_its_time_again_and_other_threads_theirs_not() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.begin("item", "mine", limit_s=60)
    other = threading.Thread(target=pulse.begin, args=("item", "other's"), kwargs={"limit_s": 60})
    other.start()
    other.join()
    clock.now += 50
    pulse.back_off("redis")

    assert pulse.seen().last == Beat(Kind.BACKED_OFF, "redis", NOW + 50)
    assert {h.what: h.since for h in pulse.seen().in_hand} == {"item mine": NOW + 50, "item other's": NOW}


def test_the_next_item_finishes_the_one_before_and_leaves_the_job_in_hand() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    with pulse.holding("job", "j"):
        pulse.begin("item", "a")
        clock.now += 1
        pulse.begin("item", "b")
        between = pulse.seen()
        pulse.end("item")
    pulse.end("item")

    assert between.last == Beat(Kind.FINISHED, "item a", NOW + 1)
    assert [h.what for h in between.in_hand] == ["job j", "item b"]
    assert pulse.seen() == Seen(Beat(Kind.FINISHED, "job j", NOW + 1))


def test_work_waits_since_it_was_first_seen_and_a_rest_ends_with_what_is_begun() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.note_waiting(is_waiting=True)
    pulse.rest(5)
    clock.now += 2
    pulse.note_waiting(is_waiting=True)
    resting = pulse.seen()
    pulse.begin("scan")
    pulse.note_waiting(is_waiting=False)

    assert (resting.waits_since, resting.due_at) == (NOW, NOW + 5)
    assert (pulse.seen().waits_since, pulse.seen().due_at) == (None, None)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Asked(1, 30, said="idle"), None),
        (Asked(1, 30, said="idle", silent_since=100, asked_at=130), None),
        (Asked(1, 30, said="idle", silent_since=100, asked_at=131), "no answer for 31 s; the last one was idle"),
        (Asked(1, 30, is_stuck=True, said="work waits"), "work waits"),
    ],
    ids=["answers", "silent within its patience", "silent for too long", "says so itself"],
)
def test_the_supervisor_complains_of_what_is_stuck_or_silent(asked: Asked, why: str | None) -> None:
    assert complaint(asked) == why


HANG = """\
import re, time
from copydesk.liveness.guard import Guard
from copydesk.liveness.pulse import Pulse
pulse = Pulse()
guard = Guard(pulse, stuck_after_s=30, patience_s={patience_s}, alarm_margin_s=0.5, look_every_s=0.05)
guard.start()
pulse.begin("item", "7", limit_s={limit_s})
{hang}
"""


@pytest.mark.parametrize(
    ("limit_s", "hang", "status", "said"),
    [
        (0.1, "time.sleep(600)", EXIT_CODE, "item 7 takes longer than its limit of 0.1 s"),
        # Holds the interpreter: no other thread of Python's runs.
        (600, "re.match('(a+)+b', 'a' * 60)", 1, 'File "<string>", line 8 in <module>'),
    ],
    ids=["asleep", "in C"],
)
def test_a_real_process_that_hangs_ends_itself(limit_s: float, hang: str, status: int, said: str) -> None:
    program = HANG.format(patience_s=0.5, limit_s=limit_s, hang=hang)
    ended = subprocess.run([sys.executable, "-c", program], timeout=60, check=False, capture_output=True, text=True)

    assert ended.returncode == status
    assert said in ended.stdout + ended.stderr
