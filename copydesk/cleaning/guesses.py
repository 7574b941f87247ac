"""What a part of a line may be that carries no label: a name, a publisher, a sentence, by its looks alone."""

from __future__ import annotations

import re
from itertools import pairwise

from copydesk.cleaning.lexis import Lexis
from copydesk.cleaning.names import is_thai, split_names
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import is_hangul, is_paired, is_unspaced
from copydesk.cleaning.view import fold_for

HAN_NAME_LENGTH = 3
_LONGEST_UNSPACED_NAME, _LONGEST_UNSPACED_SOURCE = 20, 30
_MOST_WORDS_OF_PAPER = 6
_QUOTED = re.compile(r"[«„“\"][^«»„“”\"]{2,50}[»“”\"]")


def guess_names(text: str, lexis: Lexis) -> list[str]:
    """Names that stand alone: two words or more in scripts with spaces, and nothing but names."""
    names = split_names(text, lexis, trusted=False)
    if any(is_hangul(name[0]) and " " in name for name in names):
        return []  # the script has no capitals: two words can be anything
    letters = sum(map(str.isalpha, text))
    if not names or sum(sum(map(str.isalpha, name)) for name in names) < letters - 6:
        return []
    return names if all(_is_full_name(name, lexis) for name in names) else []


def rank_of_guess(name: str, lexis: Lexis) -> int:
    """4 for a guessed name; 5 in a script without capitals where the lexicon knows no such first name."""
    tells_case = name[0].lower() != name[0].upper() or (is_paired(name[0]) and not is_thai(name[0]))
    return 4 if tells_case or _opens_with_known(name, lexis) else 5


def _opens_with_known(name: str, lexis: Lexis) -> bool:
    """True when a name in a script without capitals opens with a first name that the lexicon lists, or a particle."""
    low = fold_for(lexis, name)
    first = low.split()[0]
    known = lexis.words["surnames"]
    return first in known or first in lexis.words["particles"] or (is_thai(low[0]) and low.startswith(tuple(known)))


def _is_full_name(name: str, lexis: Lexis) -> bool:
    """True for a name that can stand without a label: two words, or three characters where one word is a name."""
    if is_unspaced(name[0]) or is_hangul(name[0]):
        surnames = tuple(lexis.words["surnames"])
        return len(name) >= HAN_NAME_LENGTH and (not surnames or fold_for(lexis, name).startswith(surnames))
    return 2 <= len(name.split()) <= 4


def looks_like_publisher(text: str, low: str, lexis: Lexis) -> bool:
    """True for a short line with a publisher's word in it: "Severn Sport", `香江論壇`, `株式会社ハルニレ堂`."""
    if len(text) > 60 or text[-1:] in ".。!?！？।۔؟" or has_digit(text) or ":" in low:
        return False
    words = lexis.words["publishers"]
    if is_unspaced(text[0]):
        return len(text) <= _LONGEST_UNSPACED_NAME and (low.endswith(words.closers) or low.startswith(words.openers))
    parts = _QUOTED.sub("X", text).split()
    limit = 7 if lexis.capitals_throughout else 4
    if len(parts) > limit or not (words.stands_in(low) or _ends_as_paper(parts[-1], low, lexis)):
        return False
    checked = parts if lexis.capitals_throughout else parts[:1]
    return all(p[:1].isupper() or not p[:1].isalpha() or len(p) <= 3 or p[:1].lower() == p[:1].upper() for p in checked)


def _ends_as_paper(word: str, low: str, lexis: Lexis) -> bool:
    """True for `Küstenbote`, `Kustposten`: a capitalised compound of which the last part is a paper's."""
    endings = tuple(lexis.words["publisher_endings"])
    return (
        bool(endings)
        and word[:1].isupper()
        and low.endswith(endings)
        and not low.endswith(tuple(f" {e}" for e in endings))
    )


def is_papers_name(text: str) -> bool:
    """True for two to six words of which the first has a capital and a later one has none: `Ecos del Plata`."""
    words = text.split()
    if has_digit(text) or not 2 <= len(words) <= _MOST_WORDS_OF_PAPER or not words[0][:1].isupper():
        return False
    return any(w[:1].islower() for w in words[1:]) and not words[-1].endswith(".")


def is_sentence(text: str) -> bool:
    """True for more than six words with a full stop behind them, or two sentences."""
    words = text.split()
    if len(words) <= 6:
        return False
    return text[-1:] in ".。!?！？।۔؟" or any(
        w[-1] in ".!?" and len(w) > 4 and v[:1].isupper() for w, v in pairwise(words)
    )


def is_clause(text: str) -> bool:
    """True for what is too long for a publisher's name, or begins with a small letter and goes on."""
    words = text.split()
    if text and is_unspaced(text[0]) and ("，" in text or len(text) > _LONGEST_UNSPACED_SOURCE):
        return True
    return len(words) > 8 or (len(words) > 4 and words[0].islower())
