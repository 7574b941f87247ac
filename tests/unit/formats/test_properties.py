"""What must hold for any bytes: only our errors, text that Postgres takes, and a text's round trip."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copydesk import formats
from copydesk.errors import CopydeskError
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode
from copydesk.models import Hints, Parsed

MARKUP = st.lists(
    st.sampled_from(
        [
            "<rss>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<entry>", "</entry>", "<rdf:RDF>",
            "<feed xmlns='http://www.w3.org/2005/Atom'>", "<content type='xhtml'>", "<description>", "</description>",
            "<guid>", "<pubDate>", "</pubDate>", "<link href='//[x'>", "<link>http://[</link>", "<![CDATA[", "]]>",
            "<!DOCTYPE x [", "<!ENTITY a '&a;'>", "&a;", "&#xD800;", "&#0;", "&nbsp;", "<!--", "-->",
            "<?xml version='1.0' encoding='x'?>", "<html>", "<body>", "<p>", "</p>", "<table><td>", "</script>",
            "<script type='application/ld+json'>", '{"@type":"Article","headline":1,"author":[[{"name":{}}]]}',
            "<meta property='og:title' content='x'>", "<time datetime='x' itemprop='date'>", "<base href='http://['>",
            "xml:base='http://['", "<a xmlns:q=''><q:b>", "2024-05-25", "text ", "\x00", "\ud7ff", "é", "語", "<", ">",
            "&", "'", '"', "\n", "<nitf>", "</nitf>", "<body>", "<body.head>", "<body.content>", "<media>", "<hl1>",
            "<docdata>", "<date.release norm='2024'/>", "<ed-msg info='kill'/>", "<newsItem guid='a'>", "</newsItem>",
            "<contentSet>", "<inlineXML>", "<itemMeta>", "<embargoed>", "<newsMessage><itemSet>", "]", "}", "[{",
            '{"uri":"a","type":"text",', '"bodies":[', '"headlines":[{"value":"a"}],', '"body_xhtml":"<p>a',
            "\x01abc1 3 pl 9", "\x02", "\x03251430 GMT Nov 26", "\x04", "<h1>", "<div class='author'>By ",
            "<urlset><url><loc>",
            '"embargoed":1,', '"associations":{"a":[1]},', '"versionCreated":[],',
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip
HINTS = st.builds(
    Hints,
    filename=st.sampled_from([None, "a.txt", "a.html", "a.xml", "a.csv", "a.jsonl", "a.eml", "a.md"]),
    media_type=st.sampled_from([None, "text/html; charset=koi8-r", "application/rss+xml", "text/plain"]),
    encoding=st.sampled_from([None, "utf-16", "shift_jis", "nonsense", "latin-1"]),
    url=st.sampled_from([None, "https://paper.example/a", "http://[", "not an address"]),
)
BYTES = st.one_of(
    st.binary(max_size=300),
    MARKUP.map(lambda text: text.encode("utf-8")),
    MARKUP.map(lambda text: text.encode("utf-16")),
    MARKUP.map(lambda text: text.encode("gb18030")[1:]),
)


def check(parsed: Parsed) -> None:
    """Everything that is kept can be written as UTF-8 JSON and as a Postgres text."""
    texts = [line.text for line in parsed.lines] + [parsed.key or "", parsed.name or "", parsed.alias or ""]
    for value in (getattr(parsed.fields, name) for name in parsed.fields.__slots__):
        values = [text for many in value.values() for text in many] if isinstance(value, Mapping) else value
        texts.extend(values if isinstance(values, list | tuple) else [values or ""])
    for text in texts:
        assert isinstance(text, str)
        assert "\x00" not in text
        text.encode("utf-8")
    assert all(line.text.strip() for line in parsed.lines)
    assert [line.number for line in parsed.lines] == sorted({line.number for line in parsed.lines})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BYTES, HINTS)
def test_any_bytes_give_candidates_or_our_error(data: bytes, hints: Hints) -> None:
    try:
        found = formats.parse(data, hints)
    except CopydeskError:
        return

    for parsed in found:
        check(parsed)


@pytest.mark.parametrize("name", formats.PARSERS)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=BYTES, hints=HINTS)
def test_any_bytes_given_to_any_parser_give_candidates_or_our_error(name: str, data: bytes, hints: Hints) -> None:
    try:
        found = formats.PARSERS[name](data, hints)
    except CopydeskError:
        return

    for parsed in found:
        check(parsed)


CASES = sorted((Path(__file__).parents[2] / "cases").glob("*/*/input.*"))
SEEDS = [data for path in CASES if path.parent.parent.name in formats.PARSERS and len(data := path.read_bytes()) < 8192]
CUTS = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.sampled_from(SEEDS), cuts=CUTS, hints=HINTS)
def test_a_damaged_case_gives_candidates_or_our_error(
    seed: bytes, cuts: list[tuple[float, int, bytes]], hints: Hints
) -> None:
    data = bytearray(seed)
    for where, length, put in cuts:
        at = int(where * len(data))
        data[at : at + length] = put
    try:
        found = formats.parse(bytes(data), hints)
    except CopydeskError:
        return

    for parsed in found:
        check(parsed)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1).filter(str.strip))
def test_text_comes_back_from_utf_8_as_it_was(text: str) -> None:
    decoded = decode(text.encode("utf-8"))

    assert decoded.encoding == "utf-8"
    assert decoded.text == text or "mojibake_repaired" in decoded.warnings


@given(st.text(max_size=60))
def test_a_date_is_iso_8601_or_none(text: str) -> None:
    date = read_date(text)

    assert date is None or read_date(date) == date
