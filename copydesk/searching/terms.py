"""What of a text is searched for: words where a script parts them, pairs of characters where it does not.

Postgres stems the words, by the language's configuration. It is given lower-case letters and digits alone, so that
its parser and its locale, which differ from server to server, have nothing to decide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import LiteralString

from copydesk.searches import SearchQuery, SearchTerms

# Configurations that every Postgres since 14 has. Any other language is searched as written.
CONFIGURATIONS: dict[str, LiteralString] = {
    "ar": "arabic",
    "ca": "catalan",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "eu": "basque",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
AS_WRITTEN: LiteralString = "simple"

# A tsvector ends at 1 MiB: so many characters fit whatever they are. An article is found by its beginning, then.
SPACED_CHARS_MAX = 250_000
UNSPACED_CHARS_MAX = 50_000

# The last position that a tsvector tells from the one before it.
POSITION_MAX = 16_383

# Han, kana, hangul (whose words end in particles), Thai, Lao, Khmer and Burmese.
_RUN = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\uf900-\ufaff\U00020000-\U0003134f]+"
)


def configuration(language: str | None) -> LiteralString:
    """The name of the text search configuration for a language (ISO 639-1, with or without a script or region)."""
    return CONFIGURATIONS.get((language or "").split("-")[0].lower(), AS_WRITTEN)


def terms(text: str) -> SearchTerms:
    """The terms of a text, folded: NFKC, lower case, nothing but letters, digits and their marks."""
    folded = unicodedata.normalize("NFKC", text).replace("İ", "i").lower().translate(_KEPT)
    runs: list[tuple[str, ...]] = []
    room = UNSPACED_CHARS_MAX
    for run in _RUN.findall(folded):
        runs.append(_pairs(run[:room]))
        room -= len(run)
        if room <= 0:
            break
    words = " ".join(_RUN.sub(" ", folded).split())
    if len(words) > SPACED_CHARS_MAX:
        words = words[:SPACED_CHARS_MAX].rpartition(" ")[0]
    return SearchTerms(words, tuple(runs))


def vector(runs: Iterable[tuple[str, ...]]) -> str:
    """Runs as the text of a tsvector: each pair at its place."""
    places: dict[str, list[int]] = {}
    place = 1
    for run in runs:
        for pair in run:
            # Postgres keeps 256 positions of a lexeme and refuses none above; these are enough for a phrase.
            if len(places.setdefault(pair, [])) < 255:
                places[pair].append(min(place, POSITION_MAX))
            place += 1
        place += 1  # a gap: no phrase goes from one run into the next
    return " ".join(f"'{pair}':{','.join(map(str, found))}" for pair, found in places.items())


def plain_runs(query: SearchQuery) -> set[str]:
    """The runs that a query asks for, as they stand in a text."""
    return {run[0] + "".join(pair[1:] for pair in run[1:]) for term in query.wanted for run in term.terms.runs}


def _pairs(run: str) -> tuple[str, ...]:
    """The pairs of neighbouring characters in a run; the run itself if it is one character."""
    return tuple(run[i : i + 2] for i in range(len(run) - 1)) or (run,)


class _Kept(dict[int, str]):
    """For `str.translate`: letters, digits and marks as they are, a space for all else; looked up once a character."""

    def __missing__(self, point: int) -> str:
        char = chr(point)
        kept = char if char.isalnum() or unicodedata.category(char)[0] == "M" else " "
        self[point] = kept
        return kept


_KEPT = _Kept()
