"""How fast texts are sketched and judged on one core, beside what others need for a signature.

    python -m benchmarks.dedupe_speed [documents]

CPU time of this process, 3 KB English texts, nothing else in it; datasketch and rensa are left out where not installed.
Both are given word 3-grams by the same plain tokeniser, which is in their time as ours is in our time.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

from benchmarks.stream_judge import StreamJudge
from benchmarks.texts import articles
from copydesk.dedupe.sketch import pack, sketch, unpack

ROUNDS = 3
_WORD = re.compile(r"\w+")


def main() -> None:
    """Print documents a second and microseconds a document, the best of three rounds."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    texts = [text.split("\n\n") for text in articles(count)]
    bodies = [(text[0], text[2:]) for text in texts]
    sketch(None, ["the tables are built once"])
    packed = [pack(sketch(title, body)) for title, body in bodies]
    print(f"{count} documents, {sum(map(len, packed)) / count:.0f} bytes a sketch with its keys")
    report("copydesk: sketch", count, lambda: [sketch(title, body) for title, body in bodies])
    report("copydesk: unpack", count, lambda: [unpack(data) for data in packed])
    report("copydesk: whole decision, index in memory", count, lambda: _decide(bodies))
    if find_spec("datasketch"):
        report("datasketch: MinHash of 128, batch", count, lambda: _datasketch(bodies))
    if find_spec("rensa"):
        report("rensa: R-MinHash of 128", count, lambda: _rensa(bodies))


def report(name: str, count: int, work: Callable[[], object]) -> None:
    """Run the work a few times and print the best."""
    best = min(_cpu_time(work) for _ in range(ROUNDS))
    print(f"{name:44} {count / best:8,.0f} documents/s {best / count * 1e6:8.1f} µs")


def _cpu_time(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _decide(bodies: Iterable[tuple[str, Sequence[str]]]) -> None:
    stream, moment = StreamJudge(), datetime(2026, 5, 25, tzinfo=UTC)
    for number, (title, body) in enumerate(bodies):
        url = f"https://www.wire.example/{number}?utm_source=feed"
        stream.decide(str(number), source="wire", url=url, title=title, body=tuple(body), moment=moment)


def _shingles(body: Sequence[str]) -> list[str]:
    words = _WORD.findall("\n".join(body).lower())
    return list({" ".join(words[place : place + 3]) for place in range(max(1, len(words) - 2))})


def _datasketch(bodies: Iterable[tuple[str, Sequence[str]]]) -> list[Any]:
    import datasketch

    signatures = []
    for _, body in bodies:
        signature = datasketch.MinHash(num_perm=128)
        signature.update_batch([shingle.encode() for shingle in _shingles(body)])
        signatures.append(signature)
    return signatures


def _rensa(bodies: Iterable[tuple[str, Sequence[str]]]) -> list[Any]:
    import rensa

    signatures = []
    for _, body in bodies:
        signature = rensa.RMinHash(128, 42)
        signature.update(_shingles(body))
        signatures.append(signature)
    return signatures


if __name__ == "__main__":
    main()
