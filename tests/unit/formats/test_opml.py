"""Feed lists, and what feeds say of how often they may be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from copydesk.errors import MalformedInput
from copydesk.formats import opml
from copydesk.formats.feed_pace import asked_interval_s
from copydesk.formats.opml import Outline

LIST = b"""<?xml version="1.0" encoding="ISO-8859-1"?>
<!-- exported --><opml version="1.0"><head><title>News</title></head><body>
<outline text="Ports"><outline text="H\xe4fen" title="Hafenpost" type="rss" xmlUrl=" https://harbour.example/feed "/>
<outline text="Tides" xmlurl="https://tides.example/rss?a=1&b=2"/></outline>
<outline text="Again" xmlUrl="https://harbour.example/feed"/><outline text="A link" url="https://harbour.example/"/>
</body></opml>"""


def test_every_feed_of_a_list_is_found_once_whatever_folder_it_is_in() -> None:
    assert opml.read(LIST) == [
        Outline("https://harbour.example/feed", "Hafenpost"),
        Outline("https://tides.example/rss?a=1&b=2", "Tides"),
    ]


def test_a_list_that_was_written_is_read_as_it_was() -> None:
    outlines = [
        Outline("https://harbour.example/feed?a=1&b=2", "Hafen & Co. <Häfen>", "harbour"),
        Outline("https://tides.example/rss", None, "tides"),
        Outline("https://harbour.example/sport", "Sport\x00", "harbour"),
    ]
    written = opml.write(outlines, "all")

    assert [(o.url, o.title) for o in opml.read(written)] == [
        ("https://harbour.example/feed?a=1&b=2", "Hafen & Co. <Häfen>"),
        ("https://harbour.example/sport", "Sport"),
        ("https://tides.example/rss", "https://tides.example/rss"),
    ]
    assert written.count(b"<outline text=") == 2


@pytest.mark.parametrize("data", [b"", b"feeds: none", b"<rss/>", b"\xff\xfe\x00"])
def test_what_is_no_list_is_said_so(data: bytes) -> None:
    with pytest.raises(MalformedInput, match="not OPML"):
        opml.read(data)


def test_a_list_opens_no_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    hostile = (
        f'<!DOCTYPE opml [<!ENTITY file SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
        '<opml><body>&file;<outline text="Ports" xmlUrl="https://a.example/"/></body></opml>'
    )

    assert opml.read(hostile.encode()) == [Outline("https://a.example/", "Ports")]


def test_an_entity_bomb_is_no_feed() -> None:
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    hostile = (
        f'<!DOCTYPE opml [<!ENTITY e0 "x">{bomb}]><opml><outline text="&e11;" xmlUrl="https://a.example/"/></opml>'
    )

    assert opml.read(hostile.encode()) == []


@pytest.mark.parametrize(
    ("head", "seconds"),
    [
        ("", 0),
        ("<ttl>60</ttl>", 3600),
        ("<ttl> 5 </ttl>", 300),
        ("<ttl>soon</ttl>", 0),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
        ("<sy:updatePeriod>\n daily </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 21600),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3600),
        ("<ttl>30</ttl><sy:updatePeriod>hourly</sy:updatePeriod>", 3600),
    ],
)
def test_a_feed_says_how_often_it_may_be_read(head: str, seconds: float) -> None:
    assert asked_interval_s(f"<rss><channel><title>x</title>{head}<item/></channel></rss>".encode()) == seconds
