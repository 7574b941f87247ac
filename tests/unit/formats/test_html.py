"""Pages: main text with roles, stated metadata, charset, and pages that are no article or no page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from copydesk.errors import MalformedInput
from copydesk.formats import html
from copydesk.models import Fields, Hints, Parsed

STORY = (
    "<article><h1>Bridge opens after ten years</h1>"
    "<p>The new bridge over the river was opened to traffic on Saturday, ten years after work on it began.</p>"
    "<h2>Cost</h2><p>It cost twelve million more than was planned, and nobody knows where it is to come from.</p>"
    "<ul><li>Length: four hundred metres between the banks</li></ul></article>"
)

PARAGRAPHS = "".join(
    f"<p>Paragraph {n} of a story that the page shows by script only, and at length.</p>" for n in range(6)
)


def page(head: str = "", body: str = STORY, lang: str = "") -> bytes:
    return f"<!DOCTYPE html><html{lang}><head>{head}</head><body>{body}</body></html>".encode()


def read(data: bytes, **hints: str) -> Parsed:
    (parsed,) = html.parse(data, Hints(**hints))
    return parsed


def linked_data(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


def fields(head: str, **hints: str) -> Fields:
    return read(page(head), **hints).fields


def test_the_main_text_comes_as_lines_with_the_roles_of_its_elements() -> None:
    parsed = read(page(body=f"<nav><a href='/'>Home</a></nav>{STORY}<footer>Terms of use</footer>"))

    assert [line.role for line in parsed.lines] == ["h1", "p", "h2", "p", "li"]
    assert [line.number for line in parsed.lines] == [1, 2, 3, 4, 5]
    assert parsed.lines[2].text == "Cost"
    assert not any("Home" in line.text or "Terms" in line.text for line in parsed.lines)


def test_the_article_of_a_graph_is_read_and_its_references_followed() -> None:
    graph = {
        "@graph": [
            {"@type": "Organization", "@id": "#paper", "name": "The Paper"},
            {"@type": "WebPage", "name": "a page"},
            {
                "@type": ["NewsArticle"],
                "headline": "Bridge &amp; road",
                "datePublished": "2024-05-25T15:23:00+02:00",
                "dateModified": "2024-05-26T08:00:00+02:00",
                "author": [{"@type": "Person", "name": "Ann Lee"}, {"@id": "#bo"}],
                "publisher": {"@id": "#paper"},
                "articleSection": ["Region"],
                "inLanguage": "en-GB",
            },
            {"@type": "Person", "@id": "#bo", "name": "Bo Ek"},
        ]
    }

    read_fields = fields(linked_data(graph))

    assert read_fields.title == "Bridge & road"
    assert read_fields.published_at == "2024-05-25T15:23:00+02:00"
    assert read_fields.updated_at == "2024-05-26T08:00:00+02:00"
    assert read_fields.authors == ("Ann Lee", "Bo Ek")
    assert (read_fields.publisher, read_fields.section, read_fields.language) == ("The Paper", "Region", "en-GB")


@pytest.mark.parametrize(
    "script",
    [
        '<!-- {"@type": "Article", "headline": "H"} -->',
        '//<![CDATA[\n{"@type": "Article", "headline": "H"}\n//]]>',
        '{"@type": "Article", "headline": "H",}',
        '{"@type": "Article", "headline": "H", "description": "two\nlines"}',
        '[[{"@type": "Article", "headline": "H"}]];',
    ],
)
def test_linked_data_is_read_as_pages_write_it(script: str) -> None:
    assert fields(f'<script type="application/ld+json">{script}</script>').title == "H"


@pytest.mark.parametrize("script", ["", "{", "[" * 100_000, '{"@type": 5, "author": [null, 3]}', '"\\ud800"'])
def test_linked_data_that_makes_no_sense_is_passed_over(script: str) -> None:
    assert fields(f'<title>T</title><script type="application/ld+json">{script}</script>').title


@pytest.mark.parametrize(
    ("head", "name", "value"),
    [
        ('<meta property="og:title" content="H">', "title", "H"),
        ('<title>H - The Paper</title><meta property="og:site_name" content="The Paper">', "publisher", "The Paper"),
        ('<meta name="parsely-pub-date" content="2024-05-25T10:00:00Z">', "published_at", "2024-05-25T10:00:00+00:00"),
        ('<meta property="article:published_time" content="soon">', "published_at", None),
        (
            '<meta name="author" content="By Ann Lee"><meta name="author" content="Bo Ek">',
            "authors",
            ("Ann Lee", "Bo Ek"),
        ),
        ('<meta property="article:author" content="https://social.example/ann">', "authors", ()),
        ('<meta property="article:section" content="Region">', "section", "Region"),
        ('<link rel="canonical" href="https://paper.example/1">', "url", "https://paper.example/1"),
        ("", "url", "https://paper.example/found"),
        ('<meta property="og:locale" content="de_AT">', "language", "de-AT"),
        ('<meta name="copyright" content="The Paper">', "rights", ("The Paper",)),
    ],
)
def test_meta_elements(head: str, name: str, value: object) -> None:
    assert getattr(fields(head, url="https://paper.example/found"), name) == value


def test_the_publisher_is_cut_off_a_title() -> None:
    head = '<meta property="og:title" content="Bridge opens | A Paper"><meta property="og:site_name" content="A Paper">'

    assert fields(head).title == "Bridge opens"


@pytest.mark.parametrize(
    ("head", "charset"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ('<meta charset="iso-8859-1">', "cp1251"),
        ('<meta charset="utf-8">', "utf-8"),
        ("", "utf-8"),
    ],
)
def test_the_charset_is_what_the_page_says_unless_its_letters_say_otherwise(head: str, charset: str) -> None:
    text = "Новый мост через реку открыли в субботу, через десять лет после начала строительства. " * 3

    parsed = read(f"<html><head>{head}</head><body><article><p>{text}</p></article></body></html>".encode(charset))

    assert parsed.encoding == charset
    assert parsed.lines[0].text == text.strip()


@pytest.mark.parametrize("body", ["", "<script>only()</script>", "<p></p>"])
def test_a_page_without_main_text_gives_a_candidate_without_lines(body: str) -> None:
    parsed = read(page("<title>T</title>", body))

    assert parsed.lines == ()
    assert parsed.fields.title == "T"


def test_nesting_as_deep_as_unclosed_elements_make_it_is_read() -> None:
    parsed = read(page(body="<div>" * 1_000 + STORY))

    assert any("ten years after work" in line.text for line in parsed.lines)


def test_nesting_beyond_the_parser_is_malformed_and_not_a_crash() -> None:
    with pytest.raises(MalformedInput) as caught:
        read(page(body="<div>" * 10_000 + STORY), filename="deep.html")

    assert caught.value.subject == "deep.html"


def test_external_entities_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    data = f'<!DOCTYPE html [<!ENTITY x SYSTEM "{secret.as_uri()}">]><html><body>{STORY}<p>&x;</p></body></html>'

    assert "SECRET" not in f"{read(data.encode())}"


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(f"window.__STATE__ = {json.dumps({'id': 1, 'contentHtml': PARAGRAPHS})};", id="state"),
        pytest.param(f"push([1, {json.dumps(json.dumps({'id': '1', 'contentHtml': PARAGRAPHS}))}])", id="in a string"),
        pytest.param(json.dumps({"articleBody": re.sub("</?p>", "\n", PARAGRAPHS)}), id="articleBody"),
    ],
)
def test_a_text_that_only_a_script_would_show_is_found_in_the_data(script: str) -> None:
    parsed = read(page(body=f"<p>Please turn scripts on.</p><script>{script}</script>"))

    assert len(parsed.lines) == 6
    assert parsed.lines[5].text.startswith("Paragraph 5 of a story")


def test_data_is_left_alone_where_the_page_shows_its_text() -> None:
    parsed = read(page(body=f"{STORY}<script>{json.dumps({'teaser': PARAGRAPHS})}</script>"))

    assert not any("by script only" in line.text for line in parsed.lines)
