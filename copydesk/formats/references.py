"""Rewrites the references of an XML text so that a parser in recovery loses none of them.

Once libxml2 has met a fault it drops `&amp;`, `&lt;`, `&gt;`, `&quot;` and `&apos;` from the text, and it lets a
reference to half of a surrogate pair through as text that cannot be read. References by number are always kept.
Entities of a document's own are left to the parser.
"""

from __future__ import annotations

import re

_CDATA_OR_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)"
    r"|&(?:#(?P<decimal>[0-9]{1,7});|#[xX](?P<hexadecimal>[0-9a-fA-F]{1,6});|(?P<name>[A-Za-z_][\w.\-]{0,60});)?",
    re.DOTALL,
)
_PREDEFINED = {"amp": "&#38;", "lt": "&#60;", "gt": "&#62;", "quot": "&#34;", "apos": "&#39;"}
_REPLACEMENT = "&#65533;"


def number_references(text: str) -> tuple[str, bool]:
    """The text with XML's own five references and bare ampersands as numbers, and whether any was ill-formed."""
    is_ill_formed = False

    def rewrite(found: re.Match[str]) -> str:
        nonlocal is_ill_formed
        decimal, hexadecimal, name = found.group("decimal", "hexadecimal", "name")
        if name:
            return _PREDEFINED.get(name, found[0])
        if decimal or hexadecimal:
            is_surrogate = 0xD800 <= (int(decimal) if decimal else int(hexadecimal, 16)) <= 0xDFFF
            is_ill_formed |= is_surrogate
            return _REPLACEMENT if is_surrogate else found[0]
        if found[0] != "&":
            return found[0]
        is_ill_formed = True
        return "&#38;"

    return _CDATA_OR_REFERENCE.sub(rewrite, text), is_ill_formed
