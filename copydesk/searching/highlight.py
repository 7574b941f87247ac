"""Shows where a query met a text: a few words around the first places, the met ones marked."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import islice

# Looked at of a text: its first screens.
CHARS_LOOKED_AT = 20_000

SNIPPETS = 2
AROUND = 80

# With the marks of the writings that have them: Python's own \\w stops there.
_WORD = re.compile(
    "(?:\\w|[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0980-\u0dff])+"
)

# A stem and its forms share their beginning in all but a few languages' few words.
_SHARED = 3


def candidates(text: str, words: Iterable[str]) -> set[str]:
    """The words of a text that may be forms of the words looked for, folded; Postgres says which are."""
    starts = {word[:_SHARED] for word in words}
    return {
        found for match in _WORD.finditer(text[:CHARS_LOOKED_AT]) if (found := _folded(match[0]))[:_SHARED] in starts
    }


def snippets(text: str, met: Collection[str], runs: Collection[str]) -> list[str]:
    """Up to two pieces of a text as HTML: escaped, what was met in `<mark>`. [] where nothing of it is seen.

    `met` are folded words as `candidates` gives them, `runs` pieces of scripts without spaces.
    """
    looked_at = text[:CHARS_LOOKED_AT]
    spans = _spans(looked_at, met, runs)
    out: list[str] = []
    end_before = -1
    for start, end in spans:
        if start < end_before:
            continue
        left, right = _edge(looked_at, start - AROUND, -1), _edge(looked_at, end + AROUND, 1)
        inside = [span for span in spans if left <= span[0] and span[1] <= right]
        out.append(_marked(looked_at, left, right, inside, whole=len(text)))
        end_before = right
        if len(out) == SNIPPETS:
            break
    return out


def _spans(text: str, met: Collection[str], runs: Collection[str]) -> list[tuple[int, int]]:
    spans = [match.span() for match in _WORD.finditer(text) if _folded(match[0]) in met] if met else []
    for run in runs:
        # Folding keeps the length of these scripts, but for half-width kana, which are then not marked.
        spans += [match.span() for match in islice(re.finditer(re.escape(run), text, re.IGNORECASE), 100)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _edge(text: str, place: int, step: int) -> int:
    """The nearest gap between two words outwards of a place, not further than a long word."""
    place = min(max(place, 0), len(text))
    for moved in range(20):
        at = place + step * moved
        if at <= 0 or at >= len(text):
            return min(max(at, 0), len(text))
        if text[at].isspace():
            return at
    return place


def _marked(text: str, left: int, right: int, spans: Iterable[tuple[int, int]], *, whole: int) -> str:
    pieces = ["… "] if left > 0 else []
    place = left
    for start, end in spans:
        pieces += [html.escape(text[place:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        place = end
    pieces.append(html.escape(text[place:right]))
    if right < whole:
        pieces.append(" …")
    return " ".join("".join(pieces).split())


def _folded(word: str) -> str:
    return unicodedata.normalize("NFKC", word).replace("İ", "i").lower()
