"""The phrase language of the lexicons, and a matcher whose time is linear in the text.

A phrase is words as the press writes them, in any case. `(a|b)` gives alternatives (an empty one is allowed), `*`
stands for up to 60 characters of anything, `word~` for any word that begins so, `^` and `$` tie the phrase to the
line's start and end. No regular expressions: a phrase is found with `str.find`, from left to right, and never goes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from copydesk.cleaning.normalise import fold

GAP = 60
"""Longest stretch that `*` stands for, in characters."""
_MOST_ALTERNATIVES = 400
_PREFIX = 5
_WORD_STARTS = re.compile(r"\b[^\W_]{1,5}")
_TRAILING = " .!:;,-_*>»…'\")]}"
_LEADING = " >*-_•·●■▶►▪◆※#\"'([{»«"


def is_unspaced(char: str) -> bool:
    """True for scripts that do not part words by spaces: Chinese, Japanese, Thai."""
    return "\u2e80" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0e7f" or "\uf900" <= char <= "\ufaff"


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled alternative of a phrase."""

    segments: tuple[str, ...]
    open_ends: tuple[bool, ...]
    """For each segment, whether a word may go on behind it (`~`)."""
    at_start: bool
    at_end: bool
    open_tail: bool
    """With `at_end`: up to GAP characters may follow the last segment (`… *$`)."""
    anchor: str
    """The word start or pair of characters that a text must hold for the phrase to be tried; "" for always."""

    @property
    def is_whole(self) -> bool:
        """True when the phrase describes a whole line."""
        return self.at_start and self.at_end


def compile_phrase(source: str) -> list[Phrase]:
    """All alternatives of `source`; ValueError says what is wrong with it."""
    at_start, at_end = source.startswith("^"), source.endswith("$")
    inner = source.removeprefix("^").removesuffix("$").strip()
    open_tail = at_end and inner.endswith("*")
    inner = inner.removesuffix("*") if open_tail else inner
    return [_compile(variant, at_start, at_end, open_tail) for variant in _expand(inner)]


def _expand(source: str) -> list[str]:
    variants = [""]
    rest = source
    while rest:
        before, bracket, rest = rest.partition("(")
        if ")" in before:
            raise ValueError("a closing bracket without an opening one")
        variants = [v + before for v in variants]
        if bracket:
            choices, closed, rest = rest.partition(")")
            if not closed or "(" in choices:
                raise ValueError("brackets do not pair up, or are nested")
            variants = [v + choice for v in variants for choice in choices.split("|")]
        if len(variants) > _MOST_ALTERNATIVES:
            raise ValueError(f"more than {_MOST_ALTERNATIVES} alternatives")
    return variants


def _compile(variant: str, at_start: bool, at_end: bool, open_tail: bool) -> Phrase:
    segments: list[str] = []
    open_ends: list[bool] = []
    for part in re.split(r"\s*\*\s*", " ".join(fold(variant).split())):
        for index, piece in enumerate(_split_open(part)):
            if not piece.strip(" ~"):
                if index == 0 and not part:
                    raise ValueError("`*` at an end or twice in a row")
                continue
            segments.append(piece.strip(" ~"))
            open_ends.append(piece.endswith("~"))
    if not segments:
        raise ValueError("an empty phrase would match everything")
    if sum(map(len, segments)) < 2 and not (at_start and at_end):
        raise ValueError("a phrase of one character must be tied to both ends of the line")
    return Phrase(tuple(segments), tuple(open_ends), at_start, at_end, open_tail, _anchor(segments, open_ends))


def _split_open(part: str) -> list[str]:
    """Cut `part` behind each `~`, keeping the mark."""
    return re.findall(r"[^~]+~?", part) if part else [""]


def _anchor(segments: list[str], open_ends: list[bool]) -> str:
    candidates: list[str] = []
    for segment, is_open in zip(segments, open_ends, strict=True):
        pairs = [segment[i : i + 2] for i in range(len(segment) - 1)]
        candidates += [p for p in pairs if is_unspaced(p[0]) and is_unspaced(p[1])]
        starts = list(_WORD_STARTS.finditer(segment))
        for start in starts:
            text = start.group()
            is_cut_short = is_open and start.end() == len(segment) and len(text) < _PREFIX
            if not is_cut_short and not any(map(is_unspaced, text)):
                candidates.append(text)
    return max(candidates, key=len, default="")


def find_anchors(low: str) -> set[str]:
    """The word starts and, for unspaced scripts, the pairs of characters that stand in `low`."""
    if low.isascii():
        return set(_WORD_STARTS.findall(low))
    found = set(_WORD_STARTS.findall(low))
    if any(map(is_unspaced, low)):
        found.update(map("".join, zip(low, low[1:], strict=False)))
    return found


def match_phrase(phrase: Phrase, low: str) -> tuple[int, int] | None:
    """Where `phrase` stands in the folded text `low`: start and end, or None."""
    first = phrase.segments[0]
    if phrase.at_start:
        start = len(low) - len(low.lstrip(_LEADING))
        starts = (start,) if low.startswith(first, start) else ()
        return _match_from(phrase, low, starts)
    return _match_from(phrase, low, _occurrences(first, low))


def _occurrences(segment: str, low: str) -> Iterable[int]:
    place = low.find(segment)
    while place >= 0:
        yield place
        place = low.find(segment, place + 1)


def _match_from(phrase: Phrase, low: str, starts: Iterable[int]) -> tuple[int, int] | None:
    for start in starts:
        end = _segment_end(low, start, phrase.segments[0], phrase.open_ends[0])
        for segment, is_open in zip(phrase.segments[1:], phrase.open_ends[1:], strict=True):
            if end < 0:
                break
            place = low.find(segment, end, end + GAP + len(segment))
            end = _segment_end(low, place, segment, is_open) if place >= 0 else -1
        if end >= 0 and (not phrase.at_end or _may_end(phrase, low, end)):
            return start, end
    return None


def _may_end(phrase: Phrase, low: str, end: int) -> bool:
    if phrase.open_tail:
        return len(low) - end <= GAP
    return not low[end:].strip(_TRAILING)


def _segment_end(low: str, start: int, segment: str, is_open: bool) -> int:
    """End of the segment found at `start`, or -1 where it begins or ends within a word."""
    if start and _joins(low[start - 1], segment[0]):
        return -1
    end = start + len(segment)
    if is_open:
        while end < len(low) and end < start + 40 and low[end].isalnum():
            end += 1
        return end
    if end < len(low) and _joins(segment[-1], low[end]):
        return -1
    return end


def _joins(left: str, right: str) -> bool:
    """True when the two characters are parts of one word."""
    return left.isalnum() and right.isalnum() and not is_unspaced(left) and not is_unspaced(right)
