"""References of XML that stand behind a fault, or stand for no character."""

from __future__ import annotations

import pytest

from copydesk.formats import PARSERS
from copydesk.formats.references import number_references
from copydesk.models import Hints

NITF = "<nitf><body><body.content><p>{}</p></body.content></body></nitf>"
SITEMAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><lastmod>{}</lastmod>'
    "<loc>http://e.example/?a=1&amp;b=2</loc></url></urlset>"
)


@pytest.mark.parametrize(
    ("text", "numbered", "is_ill_formed"),
    [
        ("A &amp; B &lt; C", "A &#38; B &#60; C", False),
        ("AT&T, &own; &#169;", "AT&#38;T, &own; &#169;", True),
        ("<![CDATA[a & b &amp;]]> &amp;", "<![CDATA[a & b &amp;]]> &#38;", False),
        ("&#xD83D;&#56832;", "&#65533;&#65533;", True),
        ("&#xD7FF;&#xE000;", "&#xD7FF;&#xE000;", False),
        ("&#00000055296;", "&#38;#00000055296;", True),
    ],
)
def test_references_become_numbers_that_a_parser_keeps(text: str, numbered: str, is_ill_formed: bool) -> None:
    assert number_references(text) == (numbered, is_ill_formed)


@pytest.mark.parametrize("fault", ["&unknown; ", "<b>x</i> ", "&#xD800; ", "A & B "])
def test_nothing_of_an_agencys_text_is_lost_behind_a_fault(fault: str) -> None:
    data = NITF.format(fault + "Marks &amp; Co, 3 &lt; 4, &quot;so&quot;").encode()

    lines = PARSERS["nitf"](data, Hints())[0].lines

    assert lines[0].text.endswith('Marks & Co, 3 < 4, "so"')


@pytest.mark.parametrize("fault", ["<b>x</i>", "&#xD800;"])
def test_an_address_behind_a_fault_keeps_its_parameters(fault: str) -> None:
    assert [found.key for found in PARSERS["sitemap"](SITEMAP.format(fault).encode(), Hints())] == [
        "http://e.example/?a=1&b=2"
    ]
