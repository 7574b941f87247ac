"""How often the charset of a legacy text is told from its bytes alone, and how fast, beside charset-normalizer.

    python -m benchmarks.encodings_check

The reports of tests/unit/formats/reports.py, in each charset they are sent in, cut at eight places to several
lengths. An answer is right when it decodes to the same text, whatever its name.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator

import charset_normalizer

from copydesk.formats import charsets
from tests.unit.formats.reports import REPORTS

LENGTHS = (60, 200, 1000, 3000)


def read_by_letters(data: bytes) -> str:
    guesses = charsets.rank(data)
    return data.decode(guesses[0].codec, "replace") if guesses else ""


def read_by_charset_normalizer(data: bytes) -> str:
    best = charset_normalizer.from_bytes(data).best()
    return str(best) if best else ""


def pieces(length: int) -> Iterator[tuple[str, bytes]]:
    chance = random.Random(1)
    for language, (names, text) in REPORTS.items():
        for name in names:
            for _ in range(8):
                start = chance.randrange(len(text))
                data = ((text[start:] + text) * (length // len(text) + 1)).encode(name, "ignore")[:length]
                whole = data.decode(name, "ignore").encode(name)
                if not whole.isascii():
                    yield f"{language} {name}", whole


def measure(read: Callable[[bytes], str], length: int) -> tuple[int, int, float]:
    """Right answers, all answers, milliseconds of CPU each."""
    right = total = 0
    spent = 0.0
    for label, data in pieces(length):
        started = time.process_time()
        text = read(data)
        spent += time.process_time() - started
        total += 1
        right += text == data.decode(label.split()[1])
    return right, total, 1000 * spent / total


def main() -> int:
    for name, read in (("letters", read_by_letters), ("charset-normalizer", read_by_charset_normalizer)):
        for length in LENGTHS:
            right, total, milliseconds = measure(read, length)
            print(
                f"{name:20} {length:5} bytes: {right} of {total} ({100 * right / total:.1f} %), {milliseconds:.1f} ms"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
