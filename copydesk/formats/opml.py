"""OPML, the list format of feed readers, read and written. It holds no articles, so it is no input format.

lxml reads it, mending what it can; no address is opened and no entity defined by the file is put in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from copydesk.errors import MalformedInput
from copydesk.formats.encoding import printable
from copydesk.formats.references import number_references

# Folders in folders; lists in earnest have two or three.
_DEPTH_MAX = 50


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed in a list."""

    url: str
    title: str | None
    folder: str | None = None
    """What it is written under; reading takes the feeds out of all folders."""


def read(data: bytes, subject: str = "") -> list[Outline]:
    """The feeds of a list in its order, each address once. Raises `MalformedInput` when it is no OPML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True)
    # Latin-1 gives every byte back as it was, and references are ASCII in all that OPML is written in.
    text = number_references(data.strip().decode("latin-1"))[0].encode("latin-1")
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedInput(subject, f"not OPML: {error}") from error
    if root is None or _name(root) != "opml":
        raise MalformedInput(subject, "not OPML: " + ("no element" if root is None else f"it is <{_name(root)}>"))
    found: dict[str, Outline] = {}
    for element in root.iter():
        if _name(element) != "outline" or sum(1 for _ in element.iterancestors()) > _DEPTH_MAX:
            continue
        said = {name.lower(): value.strip() for name, value in element.attrib.items()}
        url = said.get("xmlurl")
        if url:
            found.setdefault(url, Outline(url, said.get("title") or said.get("text") or None))
    return list(found.values())


def write(outlines: Iterable[Outline], title: str) -> bytes:
    """A list of version 2.0 in UTF-8, the feeds of one folder together, in the order in which they come."""
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = printable(title)
    body = etree.SubElement(root, "body")
    folders: dict[str | None, etree._Element] = {None: body}
    for outline in outlines:
        if outline.folder not in folders:
            name = printable(outline.folder or "")
            folders[outline.folder] = etree.SubElement(body, "outline", text=name, title=name)
        name = printable(outline.title or outline.url)
        etree.SubElement(
            folders[outline.folder], "outline", type="rss", text=name, title=name, xmlUrl=printable(outline.url)
        )
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _name(element: etree._Element) -> str:
    # A mending parser lets names like `:` through, which QName refuses.
    return element.tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(element.tag, str) else ""
