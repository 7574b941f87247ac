"""What a process did last and has in its hand, noted by the code that does it, from any thread.

One a process, as its log is: what is noted in a transport that kombu makes, and in a library call, has no other way
to one place. Decides nothing: see `rule`.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from copydesk.liveness.rule import Beat, InHand, Kind, Seen


class Pulse:
    """A note costs about a microsecond and never fails, so it may stand anywhere."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = Beat(Kind.STARTED, "the process", clock())
        self._in_hand: dict[tuple[int, str], InHand] = {}
        self._waits_since: float | None = None
        self._due_at: float | None = None
        self._held_up: Counter[str] = Counter()

    def begin(self, kind: str, name: str = "", *, limit_s: float | None = None) -> None:
        """This thread takes something into its hand; what it held of the same kind is finished by that."""
        self.end(kind)
        with self._lock:
            what = f"{kind} {name}".rstrip()
            self._in_hand[threading.get_ident(), kind] = InHand(what, self._clock(), limit_s)
            self._due_at = None

    def end(self, kind: str) -> None:
        """What this thread holds of a kind is finished. No-op when it holds none."""
        with self._lock:
            held = self._in_hand.pop((threading.get_ident(), kind), None)
            if held:
                self._last = Beat(Kind.FINISHED, held.what, self._clock())

    @contextmanager
    def holding(self, kind: str, name: str = "", *, limit_s: float | None = None) -> Iterator[None]:
        """`begin` and `end` around a block, however it ends."""
        self.begin(kind, name, limit_s=limit_s)
        try:
            yield
        finally:
            self.end(kind)

    def finish(self, what: str) -> None:
        """A part of what is in hand, or a look that found nothing, is finished."""
        self._note(Kind.FINISHED, what)

    def back_off(self, dependency: str) -> None:
        """A dependency is away, which is no fault of what this thread has in its hand: its time starts anew."""
        with self._lock:
            now = self._clock()
            self._last = Beat(Kind.BACKED_OFF, dependency, now)
            self._held_up[dependency] += 1
            for key, held in self._in_hand.items():
                if key[0] == threading.get_ident():
                    self._in_hand[key] = InHand(held.what, now, held.limit_s)

    def pause(self, mark: str) -> None:
        """A back-pressure mark holds this process up."""
        self._note(Kind.PAUSED, mark)
        with self._lock:
            self._held_up[mark] += 1

    def rest(self, seconds: float) -> None:
        """Nothing is in hand; the next look is due in `seconds`."""
        with self._lock:
            self._due_at = self._clock() + seconds

    def note_waiting(self, *, is_waiting: bool) -> None:
        """Whether work waits for this process, as its queue tells."""
        with self._lock:
            if not is_waiting:
                self._waits_since = None
            elif self._waits_since is None:
                self._waits_since = self._clock()

    def held_up(self) -> dict[str, int]:
        """How often it backed off on each dependency, and paused at each mark."""
        with self._lock:
            return dict(self._held_up)

    def seen(self) -> Seen:
        """All of it, as it stands now."""
        with self._lock:
            return Seen(self._last, tuple(self._in_hand.values()), self._waits_since, self._due_at)

    def _note(self, kind: Kind, what: str) -> None:
        with self._lock:
            self._last = Beat(kind, what, self._clock())


pulse = Pulse()
"""This process's own."""
