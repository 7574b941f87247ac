"""The article that a page carries as data and shows only by script: JSON-LD `articleBody`, or the script's own state.

Used where the markup has no main text to speak of. Runs no script: it looks for long JSON strings that hold HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice

from lxml.html import HtmlElement

from copydesk.formats import markup
from copydesk.formats.text import split_lines
from copydesk.models import Line

_LONG_STRING = re.compile(r'"(?:[^"\\]|\\.){400,}+"')
_INNER_JSON = re.compile(r'"\w+"\s*:\s*["\[{]')
_NAME = re.compile(r'"(\w{1,30})"\s*:\s*$')
_PARAGRAPH = re.compile(r"<p[\s>]|<br", re.IGNORECASE)
_PARAGRAPHS = 2
"""A string with so many paragraph tags is a text; a single one is a teaser, an embed or a template."""
_STRINGS_READ = 50


def lines_from_data(tree: HtmlElement) -> tuple[Line, ...]:
    """The longest text among the page's data, as lines; none where there is no such text."""
    return max(_candidates(tree), key=_size, default=())


def _candidates(tree: HtmlElement) -> Iterator[tuple[Line, ...]]:
    for script in tree.iter("script"):
        for name, value in islice(_strings(script.text or ""), _STRINGS_READ):
            if len(_PARAGRAPH.findall(value)) >= _PARAGRAPHS:
                yield markup.lines_from_html(value)
            elif name == "articleBody":
                yield split_lines(markup.unescape(value), "p")


def _strings(text: str, *, inside: bool = False) -> Iterator[tuple[str, str]]:
    """The long strings of a script's JSON with the name each stands under, also of JSON within a string of it."""
    for found in _LONG_STRING.finditer(text):
        try:
            value = str(json.loads(found[0], strict=False))
        except ValueError:
            continue
        if not inside and _INNER_JSON.search(value):
            yield from _strings(value, inside=True)
        else:
            name = _NAME.search(text[max(0, found.start() - 40) : found.start()])
            yield (name[1] if name else ""), value


def _size(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)
