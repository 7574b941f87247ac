"""A web page: its main text as lines, and what its metadata says.

trafilatura finds the main text; `page_metadata.py` reads what the page states, and where it states no title, author
or date, trafilatura and htmldate look for one. Notices inside the main text are cleaning's work. Nothing is
fetched: no style, script, frame or entity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import trafilatura
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from soupsieve import SelectorSyntaxError
from trafilatura.metadata import extract_metadata
from trafilatura.settings import Document

from copydesk.errors import MalformedInput
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode, printable
from copydesk.formats.opening import Opening
from copydesk.formats.page_data import lines_from_data
from copydesk.formats.page_metadata import read_metadata
from copydesk.formats.page_names import split_shown
from copydesk.formats.page_pruning import prune
from copydesk.formats.page_selectors import Selected, select
from copydesk.formats.page_siblings import add_siblings, read_blocks
from copydesk.models import Fields, Hints, Line, Parsed

_MEDIA_TYPES = frozenset(("application/xhtml+xml", "text/html"))
_EXTENSIONS = frozenset((".htm", ".html", ".shtml", ".xhtml"))
_TAGS_TAKEN = 3
"""A text with so many HTML tags near its start is a fragment of a page, whatever it is called."""

_LITTLE = 0.35
_FAR_MORE = 3
"""On one page in two hundred the precise mode takes a teaser for all: the balanced one then finds far more."""
_LARGE = 20_000
"""Elements from which only the fast extractor runs: 2 s for 100,000 links, against 14 s with all it has. The largest
of 1,365 open pages has 5,516."""
_SHORT = 200
"""Main text of fewer characters may be a notice to switch scripts on; the text may then be in the page's data."""

_DECLARED = re.compile(rb"<meta[^>]{0,500}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._:\-]{1,40})", re.IGNORECASE)
_XML_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]{1,40})[\"']")

# trafilatura's elements that make a line, and the role each gives; `head` carries its level in `rend`.
_ROLES = {
    "p": "p",
    "item": "li",
    "quote": "blockquote",
    "cell": "td",
    "code": "pre",
    "head": "h2",
    "fw": "p",
    "list": "p",
}
_BREAKS = frozenset(("row", "table", "body", "list", "lb", "graphic", "div", "comments"))


def matches(opening: Opening) -> bool:
    """True where it begins with an HTML element, is declared or named a page and has a tag, or is full of tags."""
    if opening.begins_as_html:
        return True
    if opening.foreign_kind or opening.is_xml:
        return False
    named = opening.media_type in _MEDIA_TYPES or opening.extension in _EXTENSIONS
    return opening.html_tags >= (1 if named else _TAGS_TAKEN)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate; no lines where the page has no main text. `raw` is the page.

    Raises MalformedInput for a page that nests deeper than the parser goes (2,048 elements).
    """
    decoded = decode(data, _declared(data), hints)
    subject = hints.filename or hints.url or ""
    try:
        selected = select(decoded.text, hints.page) if hints.page else None
    except SelectorSyntaxError as error:
        raise MalformedInput(subject, f"a selector sent with it is wrong: {error}") from error
    tree = _read(selected.page if selected else decoded.text, subject)
    fields = Fields(url=hints.url)
    lines: tuple[Line, ...] = ()
    if tree is not None:
        try:
            fields = read_metadata(tree, hints.url)
            data_lines = lines_from_data(tree)
            captions: tuple[str, ...] = ()
            if sum(1 for _ in tree.iter()) > _LARGE:
                lines = _extract(tree, hints.url, precise=True, fast=True)
            else:
                fields = _complete(fields, tree, hints.url)
                captions = prune(tree)
                lines = _main_lines(tree, hints.url)
            if _size(lines) < _SHORT:
                lines = max(lines, data_lines, key=_size)
            lines = _add_captions(lines, captions)
            if selected:
                fields, lines = _overlaid(fields, lines, selected)
        except Exception as error:  # the extractor lets errors of any kind through on hostile input
            raise MalformedInput(subject, f"{type(error).__name__}: {error}") from error
    warnings = (*decoded.warnings, *(selected.warnings if selected else ()))
    return [Parsed("html", lines, fields, raw=data, encoding=decoded.encoding, warnings=warnings)]


def _overlaid(fields: Fields, lines: tuple[Line, ...], selected: Selected) -> tuple[Fields, tuple[Line, ...]]:
    """What the sender's selectors found, over what was found without them."""
    own = replace(
        fields,
        title=selected.title or fields.title,
        authors=selected.authors or fields.authors,
        published_at=selected.published_at or fields.published_at,
    )
    return own, selected.lines or lines


def _add_captions(lines: tuple[Line, ...], captions: tuple[str, ...]) -> tuple[Line, ...]:
    """The captions behind the story, those that stand in it as a line left out; none where there is no story."""
    there = {line.text for line in lines}
    added = [caption for caption in captions if lines and caption not in there]
    return (*lines, *(Line(number, text, "figcaption") for number, text in enumerate(added, start=len(lines) + 1)))


def _declared(data: bytes) -> str | None:
    """The charset of the XML prolog or the first meta element, looked for where browsers look and a little beyond."""
    head = data[:8192]
    found = _XML_DECLARED.match(head.lstrip()) or _DECLARED.search(head)
    return found[1].decode("ascii") if found else None


def _read(text: str, subject: str) -> HtmlElement | None:
    """The parsed page, None where it holds no element and no text."""
    # Without huge_tree the parser stops at 256 levels, which unclosed inline elements of real pages reach.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text, count=1)
    try:
        tree = document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        tree = None
    for error in parser.error_log:
        if error.type_name == "ERR_RESOURCE_LIMIT":
            raise MalformedInput(subject, error.message)
    return tree


def _complete(stated: Fields, tree: HtmlElement, url: str | None) -> Fields:
    """The stated fields, and what trafilatura and htmldate find in the visible page for those that are missing.

    htmldate takes no date after today: the one place here where the day of the run counts.
    """
    if stated.title and stated.authors and stated.published_at:
        return stated
    found = extract_metadata(tree, default_url=url)
    published = stated.published_at or read_date(found.date or "") or stated.updated_at
    if published and stated.updated_at and stated.updated_at.startswith(published):
        published = stated.updated_at  # the same day, with its time
    authors = split_shown(printable(found.author or "").split("; "), stated.publisher)
    return replace(
        stated,
        title=stated.title or _one_line(found.title),
        authors=stated.authors or authors,
        published_at=published,
        updated_at=stated.updated_at if stated.updated_at != published else None,
        # The host's name is no publisher: it stands in for one that trafilatura did not find.
        publisher=stated.publisher or (None if "." in (found.sitename or "") else _one_line(found.sitename)),
    )


def _one_line(text: str | None) -> str | None:
    return " ".join(printable(text or "").split()) or None


def _main_lines(tree: HtmlElement, url: str | None) -> tuple[Line, ...]:
    """The main text of a pruned tree in trafilatura's precise mode, with the paragraphs that stand beside it.

    The balanced mode's where that finds far more of the prose that is left. The fast mode, tried on 622 pages, lost
    over 50 points of F1 on eleven.
    """
    blocks = read_blocks(tree)
    prose = sum(len(block.text) for block in blocks if block.is_prose)
    precise = add_siblings(blocks, _extract(tree, url, precise=True))
    if _size(precise) < _LITTLE * prose:
        balanced = _extract(tree, url, precise=False)
        if _size(balanced) >= _FAR_MORE * _size(precise):
            return balanced
    return precise


def _extract(tree: HtmlElement, url: str | None, *, precise: bool, fast: bool = False) -> tuple[Line, ...]:
    found = trafilatura.bare_extraction(tree, url=url, fast=fast, favor_precision=precise, include_comments=False)
    if not isinstance(found, Document):
        return ()
    return tuple(Line(number, text, role) for number, (role, text) in enumerate(_blocks(found.body), start=1))


def _size(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)


def _blocks(body: etree._Element) -> Iterator[tuple[str, str]]:
    """Role and text of each line of trafilatura's result, in reading order."""
    roles = ["p"]
    run: list[str] = []
    for event, element in etree.iterwalk(body, events=("start", "end")):
        tag = element.tag
        starts = event == "start"
        if tag in _ROLES or tag in _BREAKS:
            yield from _flush(run, roles[-1])
            run = []
        if tag in _ROLES:
            if starts:
                roles.append(_role(element, roles[-1]))
            else:
                roles.pop()
        text = element.text if starts else element.tail
        if text and (starts or element is not body):
            run.append(text)
    yield from _flush(run, "p")


def _role(element: etree._Element, outer: str) -> str:
    if element.tag == "head":
        level = element.get("rend") or ""
        return level if re.fullmatch("h[1-6]", level) else "h2"
    role = _ROLES[element.tag]
    return outer if role == "p" else role


def _flush(run: list[str], role: str) -> Iterator[tuple[str, str]]:
    joined = "".join(run)
    for piece in joined.splitlines() if role == "pre" else [" ".join(joined.split())]:
        text = printable(piece).strip()
        if text:
            yield role, text
