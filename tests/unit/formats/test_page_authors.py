"""Who wrote a page, told from its data, its meta elements and what stands behind its headline. All made up."""

from __future__ import annotations

import json
from typing import Any

import pytest

from copydesk.formats import html
from copydesk.models import Hints

PROSE = "<p>" + "The ferry lay on the sand until the tide came in and the crew could free her at last. " * 3 + "</p>"


def page(data: Any = None, meta: str = "", behind: str = "", below: str = "", publisher: str = "Harbour Post") -> bytes:
    script = ""
    if data is not None:
        stated = {"@type": "NewsArticle", "headline": "Ferry aground", "author": data, "publisher": {"name": publisher}}
        script = f'<script type="application/ld+json">{json.dumps(stated)}</script>'
    head = f'<meta property="og:site_name" content="{publisher}">{meta}{script}'
    return f"<html><head>{head}</head><body><h1>Ferry aground</h1>{behind}{PROSE}{PROSE}{below}</body></html>".encode()


PERSON = {"@type": "Person", "name": "Jane Roe"}

CASES = {
    "persons of the data": (page([PERSON, {"@type": "Person", "name": "John Doe"}]), ("Jane Roe", "John Doe")),
    "one person with a list of names": (page({"name": ["Jane Roe", "John Doe"]}), ("Jane Roe", "John Doe")),
    "an organisation beside a person goes": (
        page([PERSON, {"@type": "NewsMediaOrganization", "name": "Bay Wire"}]),
        ("Jane Roe",),
    ),
    "an organisation alone stays": (page({"@type": "Organization", "name": "Bay Wire"}), ("Bay Wire",)),
    "the publisher gives way to a person in a meta element": (
        page("Harbour Post", meta='<meta name="author" content="Jane Roe">'),
        ("Jane Roe",),
    ),
    "the publisher under a shorter name gives way too": (
        page("Harbour", meta='<meta name="author" content="Jane Roe">', publisher="Harbour Post Company"),
        ("Jane Roe",),
    ),
    "the publisher by its initials gives way too": (
        page("HPC", meta='<meta name="author" content="Jane Roe">', publisher="Harbour Post Company"),
        ("Jane Roe",),
    ),
    "the publisher alone is the last resort": (page("Harbour Post"), ("Harbour Post",)),
    "a publisher called by its address is its name": (page("harbour.com", publisher="harbour.com"), ("harbour.com",)),
    "a fuller list of a meta element": (
        page(PERSON, meta='<meta name="author" content="Jane Roe, John Doe">'),
        ("Jane Roe", "John Doe"),
    ),
    "a fuller byline": (
        page(PERSON, behind='<div class="byline">By Jane Roe and John Doe, Harbour Post</div>'),
        ("Jane Roe", "John Doe"),
    ),
    "a byline with a role is not fuller": (page(PERSON, behind="<p>By Jane Roe, Chief Pilot</p>"), ("Jane Roe",)),
    "a link into the folder of authors": (
        page(behind='<p><a href="/author/jroe">Jane Roe</a> - December 21, 2023</p>'),
        ("Jane Roe",),
    ),
    "an element of an author's class, with what stands beside it": (
        page("Harbour Post", behind='<div class="articleAuthor"><b>Von</b><i>Jana Roth</i></div>'),
        ("Jana Roth",),
    ),
    "an element of an author's class without words of its own": (
        page(behind='<div class="author-image">Photo</div><span class="post-author">Jane Roe</span>'),
        ("Jane Roe",),
    ),
    "a line that begins with by": (page(behind="<h4>By Jane Roe</h4>"), ("Jane Roe",)),
    "buttons, roles and dates are no names": (
        page(
            behind='<div class="author">Jane Roe</div><div class="author">View all posts</div>'
            '<div class="author">Senior Editor</div><div class="author">March 9</div>'
        ),
        ("Jane Roe",),
    ),
    "an agency shown behind the headline is no person": (
        page("Harbour Post", behind='<span class="author">Bay News Agency</span>'),
        ("Harbour Post",),
    ),
    "authors of other stories further down": (
        page("Harbour Post", below='<div class="card"><span class="byline">By Max Mustermann</span></div>'),
        ("Harbour Post",),
    ),
    "nobody": (page(), ()),
}


@pytest.mark.parametrize("case", CASES)
def test_the_authors_of_a_page(case: str) -> None:
    data, expected = CASES[case]
    (parsed,) = html.parse(data, Hints(url="https://harbour.example/a"))

    assert parsed.fields.authors == expected
