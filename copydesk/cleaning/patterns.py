"""The phrase language of the lexicons, and what it is compiled to.

A phrase is words as the press writes them, in any case. `(a|b)` gives alternatives (an empty one is allowed), `*`
stands for up to 60 characters of anything, `word~` for any word that begins so, `#` for a number, `^` and `$` tie
the phrase to the line's start and end, `*$` leaves up to 60 characters before the end.

Time is linear in the text: a gap is an atomic group, so the search for what follows it is never taken up again, and
a phrase is tried only on a line that holds one of its literals, which `lexis` looks for all at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GAP = 60
"""Longest stretch that `*` stands for, in characters."""
_MOST_VARIANTS = 20_000
_MOST_LITERALS = 64
_LONG_ENOUGH = 12
"""A literal of so many characters is rare in a text; more alternatives for a longer one gain nothing."""
_NO_SPACES = r"\u0e00-\u0e7f\u2e80-\u9fff\uf900-\ufaff"
# Korean parts words, but glues particles to them; phrases are looked for in it as in Chinese.
_PAIRED = _NO_SPACES + r"\uac00-\ud7a3"
_UNSPACED_CHARACTER = re.compile(f"[{_NO_SPACES}]")
_PAIRED_CHARACTER = re.compile(f"[{_PAIRED}]")
_OPEN_SIGNS = re.compile("[~#]| ?\x00 ?")
"""What in an expanded phrase is not given: the space about a gap is none of the text's."""
_SCRIPT_WITHOUT_LIMITS = re.compile(f"[{_PAIRED}]")
"""Scripts without spaces, and Korean with its particles: a word may begin and end within what looks like another."""
_TRAILING = r"[ .!:;,\-_*>»…'\")\]}?|]{0,20}"
_LEADING_SIGNS = " >*-_•·●■▶►▪◆※#\"'([{»|:."
_MOST_LEADING = 12
_LEADING = f"[{re.escape(_LEADING_SIGNS)}]{{0,{_MOST_LEADING}}}"
_TOKENS = re.compile(r"\s*\*\s*|[()|]|[^()|*]+")
_DEEPEST = 3


def is_unspaced(char: str) -> bool:
    """True for scripts that do not part words by spaces: Chinese, Japanese, Thai."""
    return "\u2e80" <= char <= "\u9fff" or "\u0e00" <= char <= "\u0e7f" or "\uf900" <= char <= "\ufaff"


def is_hangul(char: str) -> bool:
    """True for a Korean syllable."""
    return "\uac00" <= char <= "\ud7a3"


def has_unspaced(text: str) -> bool:
    """True when any character of `text` is of such a script."""
    return not text.isascii() and _UNSPACED_CHARACTER.search(text) is not None


class _LazyPattern:
    """An expression whose syntax is sound by construction, compiled when it is first tried.

    Twenty-five lexicons hold thousands of phrases; compiling all of them at start would take half a minute.
    """

    __slots__ = ("_compiled", "expression")

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._compiled: re.Pattern[str] | None = None

    def get(self) -> re.Pattern[str]:
        """The compiled expression."""
        if self._compiled is None:
            self._compiled = re.compile(self.expression, re.S)
        return self._compiled


def is_paired(text: str) -> bool:
    """True when `text` holds characters whose words are looked for as pairs of characters."""
    return not text.isascii() and _PAIRED_CHARACTER.search(text) is not None


@dataclass(frozen=True, slots=True)
class Phrase:
    """One compiled phrase."""

    pattern: _LazyPattern
    at_start: bool
    at_end: bool
    literals: frozenset[str]
    """A folded line without any of these cannot hold the phrase."""
    reach: int
    """The last place of a line at which one of the literals can begin; -1 where that can be anywhere."""
    openings: frozenset[str]
    """What a phrase tied to the start may open with, as `find_openings` gives it; empty where that can be anything."""

    @property
    def is_whole(self) -> bool:
        """True when the phrase describes a whole line."""
        return self.at_start and self.at_end


def compile_phrase(source: str) -> Phrase:
    """`source`, which is folded already, compiled; ValueError says what is wrong with it."""
    at_start, at_end = source.startswith("^"), source.endswith("$")
    inner = " ".join(source.removeprefix("^").removesuffix("$").split())
    open_tail = at_end and inner.endswith("*")
    inner = inner.rstrip("* ")
    tree = _Parser(inner).parse()
    end = rf".{{0,{GAP}}}\Z" if open_tail else rf"{_TRAILING}\Z" if at_end else ""
    # Free phrases have no condition in front, so that the search can jump to their first letters; see match_phrase.
    start = rf"\A{_LEADING}" if at_start else ""
    has_limits = not _SCRIPT_WITHOUT_LIMITS.search(source)
    closing = "" if open_tail else _closing(tree, has_limits=has_limits)
    openings = _tie(_starts(tree)) if at_start else frozenset()
    literals, offset = _find_literals(tree)
    if not any(map(str.isalnum, "".join(literals))) and not (at_start or at_end):
        raise ValueError("holds no word or pair of characters to look for")
    expression = f"{start}(?P<hit>{_build(tree, has_limits=has_limits)}){closing}{end}"
    return Phrase(
        _LazyPattern(expression),
        at_start,
        at_end,
        literals,
        offset + _MOST_LEADING if at_start and offset >= 0 else -1,
        openings,
    )


@dataclass(frozen=True, slots=True)
class _Gap:
    """`*`."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """`(a|b)`."""

    ways: tuple[_Sequence, ...]


_Sequence = tuple["str | _Gap | _Choice", ...]


class _Parser:
    """Reads a phrase from left to right."""

    def __init__(self, inner: str) -> None:
        self.tokens = _TOKENS.findall(inner)
        self.place = 0

    def parse(self) -> _Sequence:
        ways = self._ways(0)
        if self.place != len(self.tokens):
            raise ValueError("a closing bracket without an opening one")
        if len(ways) > 1:
            raise ValueError("`|` outside brackets")
        way = ways[0]
        if not any(not isinstance(part, _Gap) for part in way):
            raise ValueError("is empty")
        if all("" in _expand((part,)) for part in way if not isinstance(part, _Gap)):
            raise ValueError("could match nothing at all")
        return way

    def _ways(self, depth: int) -> tuple[_Sequence, ...]:
        if depth > _DEEPEST:
            raise ValueError(f"brackets nested deeper than {_DEEPEST}")
        ways: list[list[str | _Gap | _Choice]] = [[]]
        while self.place < len(self.tokens) and self.tokens[self.place] != ")":
            sign = self.tokens[self.place]
            self.place += 1
            if sign == "(":
                choice = _Choice(self._ways(depth + 1))
                if self.place >= len(self.tokens):
                    raise ValueError("an opening bracket without a closing one")
                self.place += 1
                ways[-1].append(choice)
            elif sign == "|":
                ways.append([])
            elif sign.strip() == "*":
                ways[-1].append(_Gap())
            else:
                ways[-1].append(sign)
        return tuple(map(tuple, ways))


def _build(way: _Sequence, *, has_limits: bool) -> str:
    """The regular expression of a sequence; each gap is atomic with what it leads to."""
    for place, part in enumerate(way):
        if isinstance(part, _Gap):
            head, rest = way[:place], way[place + 1 :]
            before = _build(head, has_limits=has_limits) + (_closing(head, has_limits=has_limits) if head else "")
            if not rest:
                return f"{before}.{{0,{GAP}}}?"
            after = _build(rest, has_limits=has_limits) + _closing(rest, has_limits=has_limits)
            return rf"{before}(?>.{{0,{GAP}}}?{_opening(rest, has_limits=has_limits)}{after})"
    return "".join(_build_part(part, has_limits=has_limits) for part in way)


def _build_part(part: str | _Gap | _Choice, *, has_limits: bool) -> str:
    if isinstance(part, _Choice):
        return f"(?:{'|'.join(_build(way, has_limits=has_limits) for way in part.ways)})"
    return re.escape(str(part)).replace(r"\~", r"[^\W_]{0,40}").replace(r"\#", r"\d{1,6}")


def _opening(way: _Sequence, *, has_limits: bool) -> str:
    """The condition that a word begins here, where the sequence begins with one."""
    return r"(?<!\w)" if has_limits and all(text[:1].isalnum() for text in _expand(way[:1])) else ""


def _closing(way: _Sequence, *, has_limits: bool) -> str:
    """The condition that a word ends here, where the sequence ends with one."""
    return r"(?!\w)" if has_limits and all(text[-1:].isalnum() for text in _expand(way[-1:])) else ""


def _expand(way: _Sequence) -> list[str]:
    """All the texts that a sequence stands for, gaps as a space that no word crosses."""
    texts = [""]
    for part in way:
        if isinstance(part, _Choice):
            endings = [text for inner in part.ways for text in _expand(inner)]
        else:
            endings = [" \x00 " if isinstance(part, _Gap) else part]
        if len(texts) * len(endings) > _MOST_VARIANTS:
            raise ValueError(f"stands for more than {_MOST_VARIANTS} phrases")
        texts = [text + ending for text in texts for ending in endings]
    return texts


def _find_literals(way: _Sequence) -> tuple[frozenset[str], int]:
    """Texts of which one stands in all that the sequence stands for, as long as can be, and how far from its start.

    Every run of parts is a candidate: more parts make longer texts, and more of them. No text where the sequence may
    be nothing; a distance of -1 where it has no limit that is worth knowing.
    """
    best = frozenset[str]()
    shortest = 0
    reach = -1
    for start in range(len(way)):
        for end in range(start + 1, len(way) + 1):
            if isinstance(way[end - 1], _Gap):
                break
            variants = _expand(way[start:end])
            if len(variants) > _MOST_LITERALS and best:
                break
            parts = [max(_OPEN_SIGNS.split(text), key=len) for text in variants]
            length = min(*map(len, parts), _LONG_ENOUGH)
            found = frozenset(parts)
            if (length, -len(found)) > (shortest, -len(best) if best else 0):
                best, shortest = found, length
                offsets = [text.index(part) for text, part in zip(variants, parts, strict=True)]
                is_plain = not any(_OPEN_SIGNS.search(t[:at]) for t, at in zip(variants, offsets, strict=True))
                reach = max(offsets) if not start and is_plain else -1
    return best, reach


def _starts(way: _Sequence) -> set[str]:
    """The first two characters of all that a sequence stands for, up to the first one that is not given."""
    starts = {""}
    for part in way:
        short = {text for text in starts if len(text) < 2}
        if isinstance(part, _Choice):
            endings = {text for inner in part.ways for text in _starts(inner)}
        else:
            endings = {"\x00\x00" if isinstance(part, _Gap) else part[:2]}
        starts = starts - short | {(text + ending)[:2] for text in short for ending in endings}
    return starts


def _tie(starts: set[str]) -> frozenset[str]:
    """The openings for these starts; none where one of them is open or a sign that may stand before a phrase."""
    known = {re.split("[~#\x00]", text)[0] for text in starts if not text.startswith("#")}
    if any(text[:1] in _LEADING_SIGNS for text in known):
        return frozenset()
    if any(text.startswith("#") for text in starts):
        known.add("#")
    return frozenset(f"^{text}" for text in known)


def find_openings(low: str) -> tuple[str, str, str]:
    """What the folded line opens with, behind bullets and brackets, each behind a `^`: two characters, one, its kind.

    The kind is `#` for a digit, as phrases write numbers; any other sign's kind is the sign.
    """
    head = low.lstrip(_LEADING_SIGNS)[:2]
    return f"^{head}", f"^{head[:1]}", "^#" if head[:1].isdecimal() else f"^{head[:1]}"


def match_phrase(phrase: Phrase, low: str) -> tuple[int, int] | None:
    """Where `phrase` stands in the folded text `low`: start and end, or None; its literals tell when to ask."""
    pattern = phrase.pattern.get()
    if phrase.at_start:
        match = pattern.match(low)
        return match.span("hit") if match else None
    match = pattern.search(low)
    while match:
        start, end = match.span("hit")
        if not start or not _goes_on(low[start - 1], low[start]):
            return start, end
        match = pattern.search(low, start + 1)
    return None


def _goes_on(left: str, right: str) -> bool:
    """True when the two characters are parts of one word."""
    return left.isalnum() and right.isalnum() and not _SCRIPT_WITHOUT_LIMITS.search(left + right)
