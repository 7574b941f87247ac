"""Reads an agency's XML safely: one parser, local names, bounds.

No document type, entity or network is followed: the document type is cut off before parsing, so that an entity of its
own expands to nothing. Judges no content.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from lxml import etree

from copydesk.errors import MalformedInput
from copydesk.formats import markup
from copydesk.formats.encoding import decode, printable
from copydesk.formats.references import number_references
from copydesk.models import Hints, Line

Element: TypeAlias = etree._Element

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
ELEMENTS_MAX = 200_000
"""More than a message of a thousand items has. As paragraphs of one text they cost 4.5 s and 0.4 GB."""

_PROLOG = re.compile(rb"\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._:\-]{1,40})[\"']")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_DOCUMENT_TYPE = re.compile(r"\s*(?:<!--.*?-->\s*|<\?.*?\?>\s*)*<!DOCTYPE\s[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL)
_PROLOG_CHARS = 65_536
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,31};")
_CUT_OFF = frozenset(("ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_LTSLASH_REQUIRED", "ERR_CDATA_NOT_FINISHED"))
_LIMITS = frozenset(("ERR_RESOURCE_LIMIT", "ERR_NO_MEMORY", "ERR_INTERNAL_ERROR"))
# libxml2 goes on after these with nothing lost.
_HARMLESS = frozenset(("NS_ERR_UNDEFINED_NAMESPACE", "NS_ERR_XML_NAMESPACE", "WAR_NS_URI", "WAR_NS_URI_RELATIVE"))


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed document and what was noticed on the way."""

    root: Element
    encoding: str
    warnings: tuple[str, ...]


def read_tree(data: bytes, hints: Hints) -> Tree:
    """Parse a document, one with small faults too.

    Raises MalformedInput for one that is cut off, nests deeper than 256 elements or has more than 200,000.
    """
    found = _PROLOG.match(data[:1024])
    decoded = decode(data, found[1].decode("ascii") if found else None, hints)
    subject = hints.filename or hints.url or ""
    root, warnings = _parse(decoded.text, subject)
    return Tree(root, decoded.encoding, (*decoded.warnings, *warnings))


def parse_text(text: str, subject: str) -> Element:
    """Parse XML that stands as text inside another document. Raises MalformedInput as `read_tree` does."""
    return _parse(text, subject)[0]


def _parse(text: str, subject: str) -> tuple[Element, tuple[str, ...]]:
    text = _DECLARATION.sub("", text.lstrip(), count=1)
    document_type = _DOCUMENT_TYPE.match(text[:_PROLOG_CHARS])
    declares_entities = document_type is not None and "<!ENTITY" in document_type[0]
    text = text[document_type.end() :] if document_type else text
    text, is_ill_formed = number_references(_NAMED.sub(_numeric, text))
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedInput(subject, str(error)) from error
    faults = {error.type_name: error.message for error in parser.error_log if error.type_name not in _HARMLESS}
    for name, message in faults.items():
        if name in _LIMITS:
            raise MalformedInput(subject, "it nests or grows beyond the limits of its parser")
        if name in _CUT_OFF:
            raise MalformedInput(subject, f"it is cut off: {message}")
    if root is None:
        raise MalformedInput(subject, "no element")
    if sum(1 for _ in root.iter()) > ELEMENTS_MAX:
        raise MalformedInput(subject, f"more than {ELEMENTS_MAX:,} elements")
    for entity in list(root.iter(etree.Entity)):
        take_out(entity)
    undeclared = "ERR_UNDECLARED_ENTITY" in faults or "WAR_UNDECLARED_ENTITY" in faults
    warnings = ["entities_dropped"] if declares_entities or undeclared else []
    if is_ill_formed or set(faults) - {"ERR_UNDECLARED_ENTITY", "WAR_UNDECLARED_ENTITY"}:
        warnings.append("ill_formed_xml")
    return root, tuple(warnings)


def _numeric(match: re.Match[str]) -> str:
    """References that only HTML defines, as numbers; those that nobody defines as they are."""
    char = markup.unescape(match[0])
    return match[0] if char == match[0] else "".join(f"&#{ord(c)};" for c in char)


def name_of(element: Element) -> str:
    """Local name in lower case; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def find(element: Element | None, *path: str) -> Element | None:
    """The first element under `element` that a path of child names leads to."""
    return next(find_all(element, *path), None)


def find_all(element: Element | None, *path: str) -> Iterator[Element]:
    """Every element that a path of child names leads to; names in lower case without prefix."""
    if element is None:
        return
    if not path:
        yield element
        return
    for child in element:
        if name_of(child) == path[0]:
            yield from find_all(child, *path[1:])


def descendants(element: Element | None, *names: str) -> Iterator[Element]:
    """Every element of these names under `element`, in document order."""
    if element is not None:
        yield from (inner for inner in element.iter() if inner is not element and name_of(inner) in names)


def attribute(element: Element | None, *names: str) -> str:
    """The first of these attributes that is there and not empty; names in lower case."""
    if element is None:
        return ""
    said = {str(name).rpartition("}")[2].lower(): str(value) for name, value in element.attrib.items()}
    return next((value for name in names if (value := one_line(said.get(name, "")))), "")


def text_of(element: Element | None) -> str:
    """The text inside an element in one line."""
    return one_line("".join(str(part) for part in element.itertext())) if element is not None else ""


def one_line(text: str) -> str:
    """Without control characters, each run of white space one space."""
    return " ".join(printable(text).split())


def texts(elements: Iterable[Element]) -> tuple[str, ...]:
    """The texts of elements in one line each, without empty ones and repetition."""
    return tuple(dict.fromkeys(text for element in elements if (text := text_of(element))))


def language_of(*elements: Element | None) -> str | None:
    """The first `xml:lang` among the elements."""
    tags = (one_line(element.get(LANGUAGE) or "") for element in elements if element is not None)
    return next((tag for tag in tags if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag)), None)


def serialise(element: Element) -> bytes:
    """The bytes of one element of a document, the same for the same content."""
    return bytes(etree.tostring(element, with_tail=False))


def copy_of(element: Element) -> Element:
    """A copy to change, without the text behind it."""
    copied = copy.deepcopy(element)
    copied.tail = None
    return copied


def take_out(element: Element) -> None:
    """Remove an element that has one above it; the text behind it stays."""
    above = element.getparent()
    if above is None:
        return
    before, behind = element.getprevious(), element.tail or ""
    if before is None:
        above.text = (above.text or "") + behind
    else:
        before.tail = (before.tail or "") + behind
    element.tail = None
    above.remove(element)


def lines_of(element: Element) -> tuple[Line, ...]:
    """The lines that a reader would see, element names taken for HTML's."""
    copied = copy_of(element)
    for inner in copied.iter():
        if isinstance(inner.tag, str):
            inner.tag = inner.tag.rpartition("}")[2]
    etree.cleanup_namespaces(copied)
    return markup.lines_from_html(etree.tostring(copied, encoding="unicode", method="html"))
