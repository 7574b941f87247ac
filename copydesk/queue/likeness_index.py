"""The likeness index in Redis: which earlier documents share a candidate key with a new one.

It numbers documents, finds holders of keys and remembers what it answered; it compares nothing. Postgres holds the
truth, and `add` refuses (`IndexIncomplete`) until somebody has loaded what belongs there. The scripts are in
`likeness_scripts.py`.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import redis

from copydesk.errors import IndexIncomplete
from copydesk.queue import likeness_scripts
from copydesk.queue.streams import LIKENESS, job_key, text, translated_errors
from copydesk.settings import Settings

OLDER_KEPT: Final = 1
"""Generations that are looked into beside the one that is written. With one, each as long as the window, a document is
found for one to two windows; more would forget more exactly, and cost a look-up a key each."""

# A job is finished or its answers are of no use long before.
ANSWER_KEPT_S: Final = 24 * 3600

# What one call of `tidy` removes: about 10 ms of Redis.
SLICE: Final = 5000

LOCK: Final = f"{LIKENESS}:lock"
LOCK_S: Final = 30

_HEAD: Final = struct.Struct("<16sI")


@dataclass(frozen=True, slots=True)
class Record:
    """A document as the index keeps it."""

    document: str
    """UUID."""
    received_at: datetime
    sketch: bytes
    """Packed; what it is the index does not know."""

    def encode(self) -> bytes:
        """The record as bytes; times are cut to seconds."""
        return _HEAD.pack(uuid.UUID(self.document).bytes, int(self.received_at.timestamp())) + self.sketch

    @classmethod
    def decode(cls, data: bytes) -> Record:
        """The record that `encode` made."""
        document, moment = _HEAD.unpack_from(data)
        return cls(str(uuid.UUID(bytes=document)), datetime.fromtimestamp(moment, UTC), data[_HEAD.size :])


class Keyed(NamedTuple):
    """A document with the keys under which it is to be found, up to 16 unsigned 64-bit hashes."""

    record: Record
    keys: Sequence[int]


class Answer(NamedTuple):
    """What the index says of a document; the same however often it is asked until the entry is published."""

    number: int
    """Counts up with every document; 0 for one whose entry is in the stream already."""
    is_indexed: bool
    """False where the very same sketch stood there: the document will be nobody's candidate."""
    epoch: str
    """In which it is entered; another one's index may lack it."""
    candidates: tuple[Record, ...]
    """Documents with smaller numbers that share a key, most keys shared first."""


class State(NamedTuple):
    """Whether the index can be used."""

    server_run: str
    """Changes when Redis is started anew."""
    index_run: str
    """The run that the index was last complete for; '' for none."""
    epoch: str
    """Changes whenever the index is made complete; '' while it is not."""
    number: int
    """Of the last document, -1 where there is no index."""
    size_bytes: int
    documents: int
    keys: int
    """Candidate keys, each with the newest document that has it."""

    @property
    def is_complete(self) -> bool:
        """Whether `add` answers."""
        return self.index_run == self.server_run


class LikenessIndex:
    """Raises `QueueUnavailable`, `QueueFull` or `IndexIncomplete`, nothing of redis-py."""

    def __init__(self, client: redis.Redis, *, window_s: float, bytes_max: int) -> None:
        self._redis = client
        self._generation_s = window_s / OLDER_KEPT
        self._bytes_max = bytes_max
        self._add = client.register_script(likeness_scripts.ADD)
        self._state = client.register_script(likeness_scripts.STATE)
        self._begin = client.register_script(likeness_scripts.BEGIN)
        self._load = client.register_script(likeness_scripts.LOAD)
        self._finish = client.register_script(likeness_scripts.FINISH)
        self._tidy = client.register_script(likeness_scripts.TIDY)

    @classmethod
    def on(cls, client: redis.Redis, settings: Settings) -> LikenessIndex:
        """The index as the settings want it."""
        return cls(client, window_s=settings.dedupe_window_days * 86400.0, bytes_max=settings.dedupe_bytes_max)

    def add(self, job_id: str, documents: Sequence[Keyed], now: datetime) -> list[Answer]:
        """Number documents, find their candidates, enter them; each sees those before it. One round trip.

        Raises `IndexIncomplete` when nothing was done because the index has to be loaded first.
        """
        if not documents:
            return []
        share = self._bytes_max // (OLDER_KEPT + 1)
        arguments: list[Any] = [int(now.timestamp()), self._generation_s, share, OLDER_KEPT, ANSWER_KEPT_S]
        for record, keys in documents:
            arguments += (uuid.UUID(record.document).bytes, _keys(record.sketch, keys), record.encode())
        with translated_errors("likeness"):
            answers: Any = self._add([LIKENESS, job_key(job_id)], arguments)
        if answers == -1:
            raise IndexIncomplete("likeness index")
        epoch = text(answers[0])
        return [Answer(a[0], bool(a[1]), epoch, tuple(Record.decode(r) for r in a[2:])) for a in answers[1:]]

    def state(self) -> State:
        """Whether the index is there, complete, and how large."""
        with translated_errors("likeness state"):
            run, index_run, epoch, *numbers = self._state([LIKENESS])
        return State(text(run), text(index_run), text(epoch), *map(int, numbers))

    def begin(self, now: datetime, *, expected: int) -> None:
        """Make an empty index for about `expected` documents; nobody can use it until `finish`."""
        with translated_errors("likeness index"):
            self._begin([LIKENESS], [int(now.timestamp()), OLDER_KEPT, expected])

    def load(self, documents: Iterable[tuple[int, Keyed]], now: datetime) -> None:
        """Enter documents under the numbers they have, whatever is there already. Numbers may come in any order."""
        by_age: dict[int, list[Any]] = {}
        for number, (record, keys) in documents:
            age = min(max(int((now - record.received_at).total_seconds() / self._generation_s), 0), OLDER_KEPT)
            by_age.setdefault(age, []).extend((number, _keys(record.sketch, keys), record.encode()))
        with translated_errors("load likeness"):
            for age, arguments in by_age.items():
                self._load([LIKENESS], [age, *arguments])

    def finish(self, token: str, run: str, number: int) -> bool:
        """Open the index to everyone; numbers go on after `number`.

        False where Redis was started anew since `run`, or the lock is no longer that of `token`.
        """
        with translated_errors("likeness index"):
            return bool(self._finish([LIKENESS, LOCK], [run, number, token, uuid.uuid4().hex[:12]]))

    def tidy(self) -> bool:
        """Keep the index within its share, and remove a slice of what is out of date; True where there is more."""
        with translated_errors("tidy likeness"):
            return bool(self._tidy([LIKENESS], [self._bytes_max, SLICE]))

    def lock(self, token: str) -> bool:
        """Take or renew the right to load the index, for `LOCK_S` seconds."""
        with translated_errors("likeness lock"):
            if self._redis.set(LOCK, token, nx=True, ex=LOCK_S):
                return True
            if self._redis.get(LOCK) != token.encode():
                return False
            return bool(self._redis.expire(LOCK, LOCK_S))

    def unlock(self, token: str) -> None:
        """Give the right back, if it is still ours."""
        with translated_errors("likeness lock"):
            if self._redis.get(LOCK) == token.encode():
                self._redis.delete(LOCK)


def _keys(sketch: bytes, keys: Sequence[int]) -> bytes:
    """Five bytes a key: its lower 36 bits (the upper ones of the smallest hashes are all zero); the sketch's own first.

    Two keys meet by chance in one of 4,000 look-ups in an index of 10^6 documents: the candidate is compared in vain.
    """
    own = int.from_bytes(hashlib.blake2b(sketch, digest_size=8).digest(), "little")
    return b"".join((key >> 12 & 0xFFFFFF | (key & 0xFFF) << 24).to_bytes(5, "little") for key in (own, *keys))
