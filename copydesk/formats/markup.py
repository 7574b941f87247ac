"""HTML to lines with roles: what a reader would see, one block to a line.

Shared by feed entries and by pages once their main part is found. Drops what is never shown (script, style, hidden
elements, form controls, ruby readings); judges no text. The walk keeps its own stack, so nesting of any depth is
only a matter of time, and no address in the markup is ever opened.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from copydesk.formats.encoding import printable
from copydesk.formats.text import split_lines
from copydesk.models import Line

# Elements whose content is no text of the article, or not shown.
SKIPPED = frozenset(
    (
        "applet",
        "area",
        "audio",
        "base",
        "button",
        "canvas",
        "datalist",
        "embed",
        "frame",
        "frameset",
        "head",
        "iframe",
        "img",
        "input",
        "link",
        "map",
        "math",
        "menu",
        "meta",
        "noembed",
        "noframes",
        "noscript",
        "object",
        "option",
        "param",
        "picture",
        "progress",
        "rp",
        "rt",
        "script",
        "select",
        "source",
        "style",
        "svg",
        "template",
        "textarea",
        "title",
        "track",
        "video",
    )
)
# Elements that begin and end a line; all others run within one.
BLOCKS = frozenset(
    (
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "html",
        "legend",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    )
)
# What a line may be by its element; the innermost says so, a paragraph only where nothing else does.
ROLES = frozenset(
    (
        "blockquote",
        "caption",
        "dd",
        "dt",
        "figcaption",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "li",
        "pre",
        "summary",
        "td",
        "th",
    )
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

_TAG = re.compile(r"<[A-Za-z/!?][^>]*>")
_INSTRUCTION = re.compile(r"<\?[^>]*>")
_SPACE = re.compile(r"[ \t\n\r\f]+")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def lines_from_html(fragment: str) -> tuple[Line, ...]:
    """The visible lines of an HTML fragment, numbered from 1; a text without any tag is split as plain text."""
    if not _TAG.search(fragment):
        return split_lines(printable(unescape(fragment)), "p")
    # XHTML in a CDATA section brings its prolog along, which would make BeautifulSoup warn that this may be XML.
    return lines_from_tree(BeautifulSoup(_INSTRUCTION.sub("", fragment), "lxml"))


def lines_from_tree(tree: Tag) -> tuple[Line, ...]:
    """The visible lines under a parsed element."""
    return tuple(Line(number, text, role) for number, (role, text) in enumerate(_blocks(tree), start=1))


def text_from_html(fragment: str) -> str:
    """A title or name in one line, tags and character references taken out."""
    if _TAG.search(fragment):
        fragment = " ".join(line.text for line in lines_from_html(fragment))
    return " ".join(printable(unescape(fragment)).split())


def unescape(text: str) -> str:
    """Resolve character references; only those with a semicolon, so `R&D` and `?a=1&copy=2` stay."""
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _blocks(tree: Tag) -> Iterator[tuple[str, str]]:
    """Role and text of each line, in reading order."""
    run: list[str] = []
    role = "p"
    for kind, value in _events(tree):
        if kind == "text":
            run.append(value)
            continue
        yield from _flush(run, role)
        run.clear()
        role = value
    yield from _flush(run, role)


def _flush(run: list[str], role: str) -> Iterator[tuple[str, str]]:
    joined = "".join(run)
    pieces = joined.splitlines() if role == "pre" else [_SPACE.sub(" ", joined)]
    for piece in pieces:
        text = printable(piece).strip()
        if text:
            yield role, text


def _events(tree: Tag) -> Iterator[tuple[str, str]]:
    """`("text", run)` and `("role", role of what follows)` for each boundary of a block."""
    # A frame is an iterator over children with the role that holds again once it is used up; None: no block.
    frames: list[tuple[Iterator[object], str | None, str]] = [(iter(tree.contents), None, "p")]
    while frames:
        children, after, role = frames[-1]
        child = next(children, None)
        if child is None:
            frames.pop()
            if after is not None:
                yield "role", after
            continue
        if isinstance(child, NavigableString):
            if not isinstance(child, PreformattedString) or type(child).__name__ == "CData":
                yield "text", str(child)
            continue
        if not isinstance(child, Tag) or child.name in SKIPPED or _is_hidden(child):
            continue
        name = child.name
        if name == "br" and role in _HEADINGS:
            yield "text", " "
        elif name in BLOCKS:
            inner = name if name in ROLES else role
            yield "role", inner
            frames.append((iter(child.contents), role, inner))
        else:
            frames.append((iter(child.contents), None, role))


def _is_hidden(element: Tag) -> bool:
    if element.has_attr("hidden"):
        return element.get("hidden") != "until-found"
    style = element.get("style")
    return isinstance(style, str) and _HIDDEN_STYLE.search(style) is not None
