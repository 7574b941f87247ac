"""Adds to an extracted main text the paragraphs of the page that stand just as its own do.

Extractors stop at the first wrapper, and pages cut their stories into several. A paragraph of prose whose element and
three wrappers have the names (tag and class) of those that the extractor took is story too; so is a heading or a
list item between two such paragraphs. Works on the pruned tree; takes nothing away.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from copydesk.formats.encoding import printable
from copydesk.models import Line

_PROSE = 60
_LINK_SHARE = 0.3
_KEY = 60
"""Letters by which a line is found again in the page."""
_PIECE, _SEEN = 8, 0.4
"""Letters of a piece, and the share of a paragraph's pieces from which it is one that is there already."""
_DEPTH = 3
_SHARE = 0.12
"""Share of the extracted text that must stand in a place of the same names before others there are believed."""
_BLOCKS = ("blockquote", "dd", "h2", "h3", "h4", "li", "p")
_OUTER = frozenset(("blockquote", "dd", "li"))
_HEADINGS = frozenset(("h2", "h3", "h4"))
_NO_LETTER = re.compile(r"[\W_]+")

_Place = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One block element of the page, as it stood before the extractor changed the tree."""

    tag: str
    text: str
    names: _Place
    is_prose: bool


def read_blocks(tree: HtmlElement) -> list[Block]:
    """The headings, paragraphs and list items of a pruned tree in reading order; of nested ones the inner."""
    blocks = []
    for element in tree.iter(*_BLOCKS):
        if element.tag in _OUTER and next(element.iterdescendants("p", "li"), None) is not None:
            continue
        text = " ".join(printable(element.text_content()).split())
        if text:
            blocks.append(Block(str(element.tag), text, _names(element), _is_prose(element, text)))
    return blocks


def add_siblings(blocks: Sequence[Block], lines: Sequence[Line]) -> tuple[Line, ...]:
    """`lines` with the paragraphs that belong to them, in the page's order, numbered anew."""
    wanted = {_key(line.text): number for number, line in reversed(list(enumerate(lines)))}
    seen = {piece for line in lines for piece in _pieces(line.text, 1)}
    found: dict[int, int] = {}
    weight: dict[_Place, int] = {}
    for place, block in enumerate(blocks):
        number = wanted.pop(_key(block.text), None)
        if number is not None:
            found[place] = number
            weight[block.names] = weight.get(block.names, 0) + len(block.text)
    enough = _SHARE * sum(len(line.text) for line in lines)
    trusted = {names for names, size in weight.items() if size >= enough}
    added = {
        place
        for place, block in enumerate(blocks)
        if place not in found and block.is_prose and block.names in trusted and not _is_seen(block.text, seen)
    }
    return _merge(lines, blocks, found, added) if added else tuple(lines)


def _merge(
    lines: Sequence[Line], blocks: Sequence[Block], found: Mapping[int, int], added: Container[int]
) -> tuple[Line, ...]:
    """The lines in their own order, each new block behind the line found last before it, with its heading."""
    behind: dict[int, list[Line]] = {}
    last = -1
    for place, block in enumerate(blocks):
        if place in found:
            last = max(last, found[place])
        elif place in added:
            above = blocks[place - 1] if place else None
            if above and above.tag in _HEADINGS and place - 1 not in found:
                behind.setdefault(last, []).append(Line(0, above.text, above.tag))
            behind.setdefault(last, []).append(Line(0, block.text, block.tag))
    merged = list(behind.get(-1, ()))
    for number, line in enumerate(lines):
        merged.append(line)
        merged.extend(behind.get(number, ()))
    return tuple(Line(number, line.text, line.role) for number, line in enumerate(merged, start=1))


def _pieces(text: str, step: int) -> list[str]:
    letters = _NO_LETTER.sub("", text)
    return [letters[start : start + _PIECE] for start in range(0, max(1, len(letters) - _PIECE), step)]


def _is_seen(text: str, seen: Container[str]) -> bool:
    """True for a paragraph most of which the main text has, perhaps as another version of it: with readings, cut."""
    pieces = _pieces(text, _PIECE)
    return sum(piece in seen for piece in pieces) >= _SEEN * len(pieces)


def _key(text: str) -> str:
    return _NO_LETTER.sub("", text)[:_KEY]


def _names(element: HtmlElement) -> _Place:
    """Tag and class of the element and of those around it; of itself the tag alone."""
    names = [str(element.tag)]
    for above in element.iterancestors():
        if len(names) > _DEPTH or above.tag == "body":
            break
        names.append(f"{above.tag}.{above.get('class') or ''}")
    return tuple(names)


def _is_prose(element: HtmlElement, text: str) -> bool:
    linked = sum(len(link.text_content()) for link in element.iter("a"))
    return element.tag not in _HEADINGS and len(text) >= _PROSE and linked < _LINK_SHARE * len(text)
