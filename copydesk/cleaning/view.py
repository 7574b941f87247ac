"""The document as recognisers see it: paragraphs with their folded text, layout facts and phrase hits.

Nothing here decides what a paragraph is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from copydesk.cleaning.lexis import Hit, Lexis
from copydesk.cleaning.normalise import fold, map_offsets, normalise
from copydesk.cleaning.patterns import has_unspaced, is_paired, is_unspaced
from copydesk.models import Fields, Line, Span

_TERMINALS = ".!?…。！？।؟۔"
_CLOSERS = "\"'”’»」』)）]】*›"
_OPENERS = "\"'“‘«„「『‹"
_SENTENCE = 30
"""Weight from which a line with a full stop is a sentence rather than an abbreviation or a command."""
_PROSE = 70
"""Weight from which a line that ends like a sentence counts as prose: about twelve words, or one Chinese clause."""


@dataclass(slots=True)
class Block:
    """One paragraph: the lines a printer made of it, joined."""

    index: int
    lines: tuple[Line, ...]
    text: str
    low: str
    lexis: Lexis
    role: str
    blank_before: int
    hits: tuple[Hit, ...] = ()
    is_unspaced: bool = field(init=False)
    """True when the text is in a script that does not part words by spaces."""
    weight: int = field(init=False)
    """Length in characters of a spaced script; one Chinese character says as much as three, a Korean one as two."""
    ends_sentence: bool = field(init=False)
    """True when the line ends with the mark of a finished sentence, closing quotes and brackets aside."""
    is_sentence: bool = field(init=False)
    """True when the line ends like a sentence and is long enough to be one, though perhaps no paragraph."""
    is_prose: bool = field(init=False)
    """True when the line looks like a paragraph of running text by length and ending alone."""

    def __post_init__(self) -> None:
        self.is_unspaced = has_unspaced(self.text[:40])
        density = 3 if self.is_unspaced else 2 if is_paired(self.text[:40]) else 1
        self.weight = len(self.text) * density
        core = self.text.rstrip(_CLOSERS)
        self.ends_sentence = bool(core) and core[-1] in _TERMINALS
        self.is_sentence = self.ends_sentence and self.weight >= _SENTENCE
        self.is_prose = (self.weight >= _PROSE and self.ends_sentence) or self.weight >= 3 * _PROSE

    @property
    def opens_quoted(self) -> bool:
        """True when the line opens with a quotation mark."""
        return self.text[:1] in _OPENERS

    def locate(self, start: int, end: int) -> Span:
        """The place in the input of `text[start:end]`."""
        first, start_at = self._place(start)
        last, end_at = self._place(max(end - 1, start))
        return Span(line=first.number, start=start_at, end_line=last.number, end=end_at + 1)

    def _place(self, offset: int) -> tuple[Line, int]:
        """The line and raw offset of one character of `text`."""
        begin = 0
        for line, piece, joint in self._parts():
            if offset < begin + len(piece) or line is self.lines[-1]:
                places = map_offsets(line.text)
                return line, places[min(max(offset - begin, 0), len(places) - 1)]
            begin += len(piece) + joint
        raise AssertionError("a block has at least one line")  # pragma: no cover

    def _parts(self) -> list[tuple[Line, str, int]]:
        pieces = [normalise(line.text) for line in self.lines]
        return [
            (line, piece, int(joins_with_space(piece, pieces[i + 1])) if i + 1 < len(pieces) else 0)
            for i, (line, piece) in enumerate(zip(self.lines, pieces, strict=True))
        ]


@dataclass(frozen=True, slots=True)
class View:
    """One document, ready for the recognisers."""

    blocks: list[Block]
    lexis: Lexis
    language: str | None
    fields: Fields
    is_extracted: bool = False
    """True for a page: an extractor has taken menus and the like out, so that what looks like one is rather story."""


def joins_with_space(left: str, right: str) -> bool:
    """Whether a wrapped line and its continuation are joined by a space: not in Chinese, Japanese and Thai."""
    if not left or not right:
        return False
    return not (is_unspaced(left[-1]) or is_unspaced(right[0]) or _is_wide_mark(left[-1]) or _is_wide_mark(right[0]))


def _is_wide_mark(char: str) -> bool:
    return "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uff65"


def join_lines(lines: Sequence[str]) -> str:
    """The lines of one paragraph as stored text."""
    if len(lines) == 1:
        return normalise(lines[0])
    text = ""
    for piece in map(normalise, lines):
        text = f"{text} {piece}" if joins_with_space(text, piece) else text + piece
    return text


_WIDE_GAP = re.compile(r"[\t\u3000]+|  +")


def split_columns(raw: str) -> list[str]:
    """The parts of a raw line between tabs, full-width spaces and runs of two or more spaces."""
    return [part for part in map(normalise, _WIDE_GAP.split(raw.strip())) if part]


def fold_for(lexis: Lexis, text: str) -> str:
    """`text` folded, with the language's variant characters made one."""
    low = fold(text)
    return low if low.isascii() or not lexis.variants else low.translate(lexis.variants)
