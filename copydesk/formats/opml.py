"""OPML, the list format of feed readers: which feeds stand in it. It holds no articles, so it is no input format.

lxml reads it, mending what it can; no address is opened and no entity defined by the file is put in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from copydesk.errors import MalformedInput

# Written by hand, addresses have bare ampersands; a mending parser drops what follows them.
_BARE_AMPERSAND = re.compile(rb"&(?!#?\w{1,32};)")

# Folders in folders; lists in earnest have two or three.
_DEPTH_MAX = 50


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed in a list."""

    url: str
    title: str | None


def read(data: bytes, subject: str = "") -> list[Outline]:
    """The feeds of a list in its order, each address once. Raises `MalformedInput` when it is no OPML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, remove_comments=True)
    try:
        root = etree.fromstring(_BARE_AMPERSAND.sub(b"&amp;", data.strip()), parser)
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


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""
