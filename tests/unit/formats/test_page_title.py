"""The headline of a page, chosen among what it states and shows. Every page here is made up."""

from __future__ import annotations

import pytest
from lxml.html import document_fromstring

from copydesk.formats.page_title import find_title, name_site

SITE = name_site("The Harbour Post", "https://www.harbourpost.example/a", "Opinion")

# headline of the data, stated in meta, headings, <title>, answer
CASES = {
    "the data's headline stands": ("Ferry runs aground", "Ferry aground", [], None, "Ferry runs aground"),
    "a headline cut short gives way to the heading": (
        "Ferry runs aground near...",
        None,
        ["Ferry runs aground near the old pier"],
        None,
        "Ferry runs aground near the old pier",
    ),
    "heading and meta agree against data that repeats the title for search engines": (
        "Ferry timetable 2024: all you need to know",
        "We tried every ferry in the bay",
        ["We tried every ferry in the bay"],
        "Ferry timetable 2024: all you need to know | The Harbour Post",
        "We tried every ferry in the bay",
    ),
    "data of its own wording stands against heading, meta and title that agree": (
        "Bay crossings: the news of the week",
        "Live: ferry freed at noon today",
        ["Live: ferry freed at noon today"],
        "Live: ferry freed at noon today",
        "Bay crossings: the news of the week",
    ),
    "data that names the site alone is no headline": (
        "The Harbour-Post",
        "Ferry runs aground at night - The Harbour Post",
        ["Ferry runs aground at night"],
        None,
        "Ferry runs aground at night",
    ),
    "publisher and slogan behind the title go": (
        None,
        "Ferry runs aground | The Harbour Post | News from the bay",
        [],
        None,
        "Ferry runs aground",
    ),
    "the site's host before the title goes": (None, "HarbourPost - Ferry runs aground", [], None, "Ferry runs aground"),
    "the section behind the title goes": (None, "Ferry runs aground-Opinion", [], None, "Ferry runs aground"),
    "a heading with a section in front gives way": (
        None,
        "Ferry runs aground at night",
        ["News Ferry runs aground at night"],
        None,
        "Ferry runs aground at night",
    ),
    "two kickers before one headline go": (
        None,
        "Accident in the bay: Ferry runs aground at night",
        ["Shipping - Ferry runs aground at night"],
        None,
        "Ferry runs aground at night",
    ),
    "two wordings with one end keep their beginnings": (
        None,
        "Small ferry aground - here is what we know",
        ["Ferry aground - here is what we know"],
        None,
        "Ferry aground - here is what we know",
    ),
    "a sole heading of two words is the headline where the title holds it": (
        None,
        "“Night watch” - Die Neue Hafenzeitung",
        ["“Night watch”"],
        None,
        "“Night watch”",
    ),
    "of two headings the one that the title holds": (
        None,
        "All ferry routes and piers - Guide to the bay",
        ["All interactive routes and maps", "All ferry routes and piers"],
        None,
        "All ferry routes and piers",
    ),
    "a logo as heading is none": (None, "Ferry runs aground", ["The Harbour Post"], None, "Ferry runs aground"),
    "soft hyphens go": (None, None, ["Fähr\xadunglück im Hafen"], None, "Fährunglück im Hafen"),
    "a dash inside the headline stays": (
        None,
        "Ferries are late — here is why",
        ["Ferries are late — here is why"],
        None,
        "Ferries are late — here is why",
    ),
    "nothing but the site's name is no title": (None, None, [], "The Harbour Post", None),
}


@pytest.mark.parametrize("case", CASES)
def test_the_headline_is_told_from_what_stands_around_it(case: str) -> None:
    headline, stated, headings, title, expected = CASES[case]
    head = f"<title>{title}</title>" if title else ""
    tree = document_fromstring(f"<html>{head}<body><p>.</p>{''.join(f'<h1>{h}</h1>' for h in headings)}</body></html>")

    assert find_title(tree, headline, stated, SITE) == expected
