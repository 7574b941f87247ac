"""When a page was published, told from what it states and what its head shows. All made up."""

from __future__ import annotations

import pytest

from copydesk.formats import html
from copydesk.models import Hints

PROSE = "<p>" + "The ferry lay on the sand until the tide came in and the crew could free her at last. " * 3 + "</p>"


def page(meta: str = "", behind: str = "") -> bytes:
    return (
        f"<html><head>{meta}</head><body><h1>Ferry aground in the bay</h1>{behind}{PROSE}{PROSE}</body></html>".encode()
    )


def published(when: str) -> str:
    return f'<meta property="article:published_time" content="{when}">'


CASES = {
    "stated with its zone": (page(published("2024-05-25T10:17:09+02:00")), "2024-05-25T10:17:09+02:00"),
    "stated in UTC, shown with the page's own zone": (
        page(published("2024-05-25T01:17:09Z"), '<time datetime="2024-05-24T20:17:09-05:00">8:17 pm</time>'),
        "2024-05-24T20:17:09-05:00",
    ),
    "stated in UTC, and as a clock of the page's zone shows it": (
        page(published("2024-05-25T01:17:09Z") + '<meta name="sailthru.date" content="2024-05-24 20:17:09">'),
        "2024-05-24T20:17:09-05:00",
    ),
    "another time on a round hour proves no zone": (
        page(published("2024-05-25T10:00:00Z"), '<time datetime="2024-05-25 12:30:00">12.30</time>'),
        "2024-05-25T10:00:00+00:00",
    ),
    "shown behind the headline": (page(behind="<small>Published: May 24, 2024</small>"), "2024-05-24"),
    "shown with the day first": (
        page(behind="<div>Veröffentlicht am 24.05.2024, 18:30 Uhr</div>"),
        "2024-05-24T18:30:00",
    ),
    "shown in Chinese": (page(behind="<span>发布时间：2024年5月24日</span>".replace("：", ":")), "2024-05-24"),
    "a publication is taken before a change": (
        page(behind="<p>Updated May 26, 2024</p><p>Published May 24, 2024</p>"),
        "2024-05-24",
    ),
    "a change stated is taken after a publication shown": (
        page('<meta property="article:modified_time" content="2024-05-26T01:02:03Z">', "<p>May 24, 2024</p>"),
        "2024-05-24",
    ),
    "the time of the file is no date": (
        page('<meta name="last-modified" content="Sat, 17 Feb 2024 16:02:01 GMT">', "<dd>May 24, 2024</dd>"),
        "2024-05-24",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_time_of_publication(case: str) -> None:
    data, expected = CASES[case]
    (parsed,) = html.parse(data, Hints(url="https://harbour.example/a"))

    assert parsed.fields.published_at == expected


def test_a_change_alone_is_the_publication() -> None:
    meta = '<meta property="article:modified_time" content="2024-05-26T01:02:03Z">'
    (parsed,) = html.parse(page(meta), Hints(url="https://harbour.example/a"))

    assert (parsed.fields.published_at, parsed.fields.updated_at) == ("2024-05-26T01:02:03+00:00", None)
