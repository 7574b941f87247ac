"""Articles for measuring: English words, unlike each other, with the notices of a wire at their foot."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pydoc_data.topics import topics

NOTICES = """Editor in charge: [Pat Lee]

Copyright notice: This text may not be published, rewritten or redistributed without written permission.
Sign up for our morning newsletter
Copyright ©1999-2026 wire.example. All Rights Reserved"""


def articles(count: int, *, size: int = 3000, seed: int = 11) -> Iterator[str]:
    """`count` texts of about `size` bytes, each with a headline, a release line, paragraphs and notices.

    The words are those of Python's own manual: prose that every machine has, with a real spread of word lengths.
    """
    random_ = random.Random(seed)
    words = " ".join(topics.values()).split()
    for number in range(count):
        start = random_.randrange(len(words) - 1200)
        body, length = [], 0
        for word in words[start:]:
            if length > size - 450:
                break
            body.append(word)
            length += len(word) + 1
        third = len(body) // 3
        paragraphs = [" ".join(body[i : i + third]) + "." for i in range(0, len(body), third)]
        headline = f"Report {seed}-{number} on {' '.join(body[3:9])}"
        release = "Release time: 09:30, May 25, 2026 Source: Wire"
        yield "\n\n".join([headline, release, *paragraphs, NOTICES]) + "\n"
