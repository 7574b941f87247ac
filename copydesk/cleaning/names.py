"""Splits a list of people as a credit line gives it, and tells what can be a name and what cannot.

Declined forms are not repaired and nothing is looked up: a name is what stands where names stand and looks like one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from copydesk.cleaning.lexis import Lexis, is_word_in
from copydesk.cleaning.normalise import has_digit
from copydesk.cleaning.patterns import has_unspaced, is_hangul, is_paired, is_unspaced
from copydesk.cleaning.view import fold_for

# A middle dot parts two people, but in katakana the words of one foreign name.
_SPLITS = re.compile(
    r"\s*[,，、،;；؛/／|｜&＆+＋＝=]\s*|(?<![ァ-ヺー])\s*・\s*|\s*・\s*(?![ァ-ヺー])|\s+[-–—]\s+|\u3000+"
)
_ADDRESS = re.compile(r"\(?\s*\S+@\S+|(?<!\w)@\w+|https?://\S+|www\.\S+")
# `Claire Vasseur (Roubaix, envoyée spéciale)`: a comma in brackets parts no names.
_REMARK = re.compile(r"(?<=\w)\s*[(（][^()（）]{1,60}[,，、،][^()（）]{1,60}[)）]")
_BRACKETED = re.compile(r"\s*[(（\[【][^()（）\[\]【】]{1,60}[)）\]】]\s*$")
_INITIAL = re.compile(r"(?:[^\W\d_]\.-?)+$")
# Arabic and Hebrew write "and" together with the word behind it.
_GLUED_AND = re.compile(r"(?<=\w)\s+[وו](\w{2,20})(?=\s+\w)")
_PARTICLE = re.compile("[のにをはがで][\u4e00-\u9fff]")
_EDGES = ' .,،؛।۔:;|-–—*•·[]【】()（）"“”<>〈〉'
_WITH_DOTLESS = ("az", "tr")
_DOTLESS = {ord("I"): "ı", ord("İ"): "i"}
_MOST_WORDS = 5
_HAN_NAME = range(2, 5)


def split_names(text: str, lexis: Lexis, *, trusted: bool) -> list[str]:
    """The names in `text`, in order; empty where it is not a list of names.

    `trusted` says that a label with a colon stands before it, so a lower-case or single word is taken too.
    """
    return list(split_again(text, lexis, trusted))


@lru_cache(maxsize=2048)
def split_again(text: str, lexis: Lexis, trusted: bool) -> tuple[str, ...]:  # the key of a memory
    """The work of `split_names`; a line's readings ask for the same names one after the other."""
    text = _REMARK.sub(" ", _ADDRESS.sub(" ", text)).strip()
    text = text.strip(_EDGES + "\u3000") if _is_wrapped(text) else text.strip(" :-–—\u3000")
    found: list[str] = []
    for part in _split(text, lexis):
        name = tidy_name(part, lexis)
        if not name:
            continue
        if looks_like_name(name, lexis, trusted=trusted):
            if name not in found:
                found.append(name)
        elif not found and not _is_byline_word(name, lexis):
            return ()
    return tuple(found)


def _is_wrapped(text: str) -> bool:
    return text[:1] in "[【(（〔" and text[-1:] in "]】)）〕"


def _split(text: str, lexis: Lexis) -> list[str]:
    pieces = [p for p in _SPLITS.split(text) if p and p.strip()]
    parts: list[str] = []
    for piece in pieces:
        parts += _split_at_and(piece, lexis)
    if has_unspaced(text[:4]) and not is_thai(text[0]):
        # Chinese and Japanese names stand side by side, parted by a space; a name of two characters may be spread out.
        return [w for part in parts for w in _split_unspaced(part)]
    return parts


def is_thai(char: str) -> bool:
    """True for a Thai letter."""
    return "\u0e00" <= char <= "\u0e7f"


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or char == " "


def _split_unspaced(part: str) -> list[str]:
    words = part.split()
    if len(words) == 2 and len(words[0]) == len(words[1]) == 1:
        return ["".join(words)]
    if all(len(w) >= 2 and is_unspaced(w[0]) for w in words):
        return words
    return [part]


def _split_at_and(piece: str, lexis: Lexis) -> list[str]:
    low = fold_for(lexis, piece)
    glued = _GLUED_AND.search(low)
    if glued and glued[1] in lexis.words["surnames"]:
        return [piece[: glued.start()], *_split_at_and(piece[glued.start(1) :], lexis)]
    for word in lexis.words["and"]:
        if is_unspaced(word[0]):
            # The word can also be part of a name written in kana (みなと新報), so Chinese characters must be about it.
            place = piece.find(word)
            after = piece[place + len(word) :].lstrip()
            if place >= 2 and len(after) >= 2 and _is_han(piece[place - 1]) and _is_han(after[0]):
                return [p for half in piece.split(word, 1) for p in _split_at_and(half, lexis)]
            continue
        place = low.find(f" {word} ")
        if place >= 0:
            return [*_split_at_and(piece[:place], lexis), *_split_at_and(piece[place + len(word) + 2 :], lexis)]
        if low.startswith(f"{word} "):
            return _split_at_and(piece[len(word) + 1 :], lexis)
    return [piece]


def tidy_name(text: str, lexis: Lexis) -> str:
    """`text` without title, bracket behind it and place ("in Oslo"), in ordinary case."""
    text = _BRACKETED.sub("", text).strip(_EDGES) if not _is_wrapped(text) else text.strip(_EDGES)
    text = _strip_office(text, lexis)
    low = fold_for(lexis, text)
    for word in lexis.words["places"].intersection(low.split()):
        place = low.find(f" {word} ")
        if place > 0:
            text, low = text[:place], low[:place]
    titles = lexis.words["titles"]
    changed = True
    while changed:
        changed = False
        for title in titles if low.startswith(tuple(titles)) or low.endswith(tuple(titles)) else ():
            if low.startswith(title) and len(low) > len(title) and _parts_at(low, title):
                text, low = text[len(title) :].lstrip(" ."), low[len(title) :].lstrip(" .")
                changed = True
            elif is_paired(title[0]) and low.endswith(title) and len(low) > len(title) + 1:
                text, low = text[: -len(title)].rstrip(), low[: -len(title)].rstrip()
                changed = True
    return _ordinary_case(text.strip(_EDGES.replace(".", "")), lexis)


def _strip_office(text: str, lexis: Lexis) -> str:
    """`Associated Press writer Lena Fisk` without what stands before the name."""
    low = fold_for(lexis, text)
    end = 0
    for word in lexis.words["bylines"] if lexis.has_word("bylines", low) else ():
        place = low.rfind(word)
        if place >= 0 and place + len(word) < len(low) and is_word_in(word, low[place:]):
            end = max(end, place + len(word))
    rest = text[end:].strip()
    return rest if end and (is_unspaced(rest[:1] or "a") or len(rest.split()) >= 2) else text


def _parts_at(low: str, title: str) -> bool:
    return is_unspaced(title[-1]) or not low[len(title)].isalnum()


def _ordinary_case(text: str, lexis: Lexis) -> str:
    letters = [c for c in text if c.isalpha()]
    if len(letters) < 4 or not any(c.isupper() for c in letters[1:]):
        return text
    if all(c.isupper() for c in letters):
        words = [_capitalise(w, lexis) for w in text.split(" ")]
    elif " " in text:
        # `Jean DUPONT`: a surname in capitals beside a first name that is not.
        words = [_capitalise(w, lexis) if w.isupper() and len(w) > 3 else w for w in text.split(" ")]
    else:
        return text
    particles = lexis.words["particles"]
    return " ".join(w.lower() if i > 0 and w.lower() in particles else w for i, w in enumerate(words))


def _capitalise(word: str, lexis: Lexis) -> str:
    """`word` with a capital behind each hyphen and apostrophe, and behind Mc."""

    def lower(match: re.Match[str]) -> str:
        first, rest = match.group()[0], match.group()[1:]
        return first + (rest.translate(_DOTLESS) if lexis.language in _WITH_DOTLESS else rest).lower()

    lowered = re.sub(r"[^\W\d_]+", lower, word)
    return re.sub(r"\b(Mc)([a-z])", lambda m: m[1] + m[2].upper(), lowered)


def looks_like_name(text: str, lexis: Lexis, *, trusted: bool = False) -> bool:  # noqa: PLR0911  # one test a line
    """True when `text` can be one person's name."""
    if not text or has_digit(text) or text[-1:] in "?!" or ":" in text or "：" in text or len(text) > 60:
        return False
    low = fold_for(lexis, text)
    if _is_byline_word(text, lexis) or lexis.has_word("not_names", low):
        return False
    if is_unspaced(text[0]):
        return _looks_like_unspaced(text)
    words = text.split()
    if not trusted and lexis.has_word("publishers", low):
        return False
    if is_hangul(text[0]) and len(words) == 1:
        return len(text) in _HAN_NAME
    if len(words) > _MOST_WORDS or (len(words) == 1 and not trusted):
        return False
    if trusted and len(words) <= 3 and all(w[0].isalnum() for w in words):
        return True
    particles = lexis.words["particles"]
    return all(_is_name_word(w, particles) for w in words)


def _looks_like_unspaced(text: str) -> bool:
    if "·" in text or "・" in text or "‧" in text:
        return len(text) <= 20
    if is_thai(text[0]):
        return len(text.split()) <= 4
    if _PARTICLE.search(text):
        return False  # part of a sentence: 夜勤に入る
    if text[-1] == "部" and len(text) >= 3:
        return False  # a desk: 外信部
    return len(text.replace(" ", "")) in _HAN_NAME or (
        text.isalpha() and len(text) <= 6 and "\u3040" < text[-1] < "\u30ff"
    )


def _is_name_word(word: str, particles: frozenset[str] | tuple[str, ...]) -> bool:
    first = word.lstrip("'’\"“‘(")[:1]
    if not first.isalpha():
        return False
    if word.lower() in particles or _INITIAL.match(word):
        return True
    # Scripts without case cannot be told this way: every word passes.
    return first.isupper() or first.lower() == first.upper() or "'" in word[:3] or "’" in word[:3]


def _is_byline_word(text: str, lexis: Lexis) -> bool:
    low = fold_for(lexis, text).strip(" .")
    return lexis.has_word("bylines", low)
