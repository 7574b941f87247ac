"""What stands between a page's headline and its first paragraphs: the byline, and the date shown there.

Told by place and markup: elements that call themselves an author's, links into a folder of authors, short lines that
begin with "by". Further down the page the same markup belongs to other stories.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from lxml.html import HtmlElement

_PROSE = 120
"""Characters, links aside, from which a paragraph is the story's."""
_PROSE_READ = 2
"""Paragraphs read into: a standfirst or a box may come before the byline."""
_ELEMENTS_READ = 400
_LONGEST = 100
_NODES = 60
"""A byline with its icons has fewer elements; wrappers of wrappers must not be walked again and again."""
_AUTHOR_WORDS = frozenset(
    (
        "auteur", "auteurs", "author", "authorname", "authors", "autor", "autora", "autore", "autoren", "autores",
        "autori", "byline", "bylines", "redacteur", "verfasser", "writer",
    )
)  # fmt: skip
"""Words of a class, id or test id, split at signs and capitals."""
_NOT_NAMES = frozenset(
    (
        "avatar", "bio", "biography", "box", "date", "description", "follow", "image", "img", "job", "photo",
        "picture", "role", "time", "title",
    )
)  # fmt: skip
_SPLIT = re.compile(r"[^A-Za-z]+|(?<=[a-z])(?=[A-Z])")
_AUTHOR_FOLDER = re.compile(
    r"/(?:auteurs?|authors?|autor(?:a|e|en|es|i)?|bios?|by|columnists?|contributors?|journalists?|people|person|profiles?"
    r"|redacteur|reporters?|signataires|staff|team|writers?)/[^/]",
    re.IGNORECASE,
)
_SAYS_BY = re.compile(
    r"(?:(?:written )?by|von|par|por|di|door|av|af|text|przez|autor(?:in)?|autore|auteur|oleh|viết bởi)\b:?\s+"
    r"(?-i:(?=[^\W\d_a-zß-ÿ]))",
    re.IGNORECASE,
)
_BLOCKS = ("address", "div", "h2", "h3", "h4", "h5", "h6", "header", "li", "p", "section", "small", "span")


def read_head(tree: HtmlElement, title: str | None) -> list[HtmlElement]:
    """The elements behind the heading that is the title, else behind the first one; none where there is no heading."""
    headings = list(tree.iter("h1"))
    titled = (h for h in headings if title and " ".join(h.text_content().split()) == title)
    heading = next(titled, headings[0] if headings else None)
    if heading is None:
        return []
    head: list[HtmlElement] = []
    prose = 0
    for element in _following(heading):
        if element.tag == "p" and _prose(element) >= _PROSE:
            prose += 1
        if prose >= _PROSE_READ or len(head) >= _ELEMENTS_READ:
            break
        head.append(element)
    return head


@dataclass(frozen=True, slots=True)
class Bylines:
    """What a head says of authors, by how it says so."""

    linked: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()


def read_bylines(head: Sequence[HtmlElement]) -> Bylines:
    """The texts of links to authors, the first line that begins with "by", and the texts of elements named so."""
    linked = (e for e in head if e.tag == "a" and _AUTHOR_FOLDER.search(e.get("href") or ""))
    said = (e for e in head if e.tag in _BLOCKS and _SAYS_BY.match(short_text(e)))
    return Bylines(
        tuple(filter(None, map(short_text, linked))),
        tuple(map(short_text, islice(said, 1))),
        tuple(map(short_text, _outermost(head))),
    )


def _following(heading: HtmlElement) -> Iterator[HtmlElement]:
    """Every element that begins behind the heading's end, in reading order."""
    element = heading
    while element is not None:
        for sibling in element.itersiblings():
            if isinstance(sibling.tag, str):
                yield from sibling.iter("*")
        element = element.getparent()


def _outermost(head: Sequence[HtmlElement]) -> Iterator[HtmlElement]:
    """The elements that are an author's by `rel`, `itemprop`, class, id or test id, none inside another short one."""
    taken: set[HtmlElement] = set()
    for element in head:
        if element.getparent() in taken:
            taken.add(element)
        elif _is_author(element) and short_text(element):
            taken.add(element)
            yield element


def _is_author(element: HtmlElement) -> bool:
    if "author" in f"{element.get('rel') or ''} {element.get('itemprop') or ''}".lower().split():
        return True
    for name in (element.get("class"), element.get("id"), element.get("data-testid")):
        for single in (name or "").split():
            words = {word.lower() for word in _SPLIT.split(single)}
            if words & _AUTHOR_WORDS and not words & _NOT_NAMES:
                return True
    return False


def short_text(element: HtmlElement) -> str:
    """The words of a short element, those of neighbours apart, since styles alone may part them; none of a long one."""
    if next(islice(element.iter(), _NODES, None), None) is not None:
        return ""
    parts: list[str] = []
    size = 0
    for part in element.itertext():
        words = part.split()
        parts += words
        size += sum(map(len, words))
        if size > _LONGEST:
            return ""
    return " ".join(parts)


def _prose(paragraph: HtmlElement) -> int:
    linked = sum(len(link.text_content()) for link in paragraph.iter("a"))
    return len(" ".join(paragraph.text_content().split())) - linked
