"""Feeds: identity, dates, body, fields, broken and hostile XML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from copydesk.errors import MalformedInput
from copydesk.formats import feed
from copydesk.models import Hints, Parsed
from tests.unit.formats.reports import REPORTS


def rss(*items: str, channel: str = "<title>The Paper</title>", prolog: str = "") -> bytes:
    body = "".join(f"<item>{item}</item>" for item in items)
    return f'{prolog}<rss version="2.0"><channel>{channel}{body}</channel></rss>'.encode()


def read(*items: str, channel: str = "<title>The Paper</title>") -> list[Parsed]:
    return feed.parse(rss(*items, channel=channel), Hints())


def body(parsed: Parsed) -> list[str]:
    return [line.text for line in parsed.lines]


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ("<title>t</title><guid>g-1</guid><link>http://a.example/1</link>", "g-1"),
        ("<title>t</title><link>http://a.example/1</link>", "http://a.example/1"),
    ],
)
def test_the_key_is_the_guid_else_the_link(item: str, key: str) -> None:
    (parsed,) = read(item)

    assert parsed.key == key


def test_without_guid_and_link_the_key_is_made_of_title_and_text() -> None:
    first, again, other = (read(f"<title>t</title><description>{text}</description>")[0] for text in ("a", "a", "b"))

    assert first.key
    assert first.key == again.key
    assert first.key != other.key


def test_ten_items_under_one_guid_keep_keys_of_their_own_whatever_their_order() -> None:
    items = [f"<guid>http://a.example/</guid><link>http://a.example/{n}</link><title>t{n}</title>" for n in range(10)]

    keys = {parsed.fields.title: parsed.key for parsed in read(*items)}

    assert len(set(keys.values())) == 10
    assert {parsed.fields.title: parsed.key for parsed in read(*reversed(items))} == keys


def test_items_that_share_guid_and_link_are_told_apart_by_their_content() -> None:
    shared = "<guid>g</guid><link>http://a.example/</link>"

    first, second = read(f"{shared}<title>one</title>", f"{shared}<title>two</title>")

    assert first.key != second.key


def test_an_exact_repeat_is_left_out() -> None:
    item = "<guid>g</guid><title>one</title><description>text</description>"

    assert len(read(item, item)) == 1


def test_an_unchanged_entry_has_equal_bytes_whatever_stands_around_it() -> None:
    item = "<guid>g</guid><title>one</title><description>text</description>"

    (before,) = read(item)
    _, after = read("<guid>new</guid><title>two</title>", item, channel="<title>P</title><ttl>5</ttl>")

    assert before.raw == after.raw
    assert json.loads(before.raw)["guid"] == "g"


def test_a_changed_entry_keeps_its_key_and_changes_its_bytes() -> None:
    (before,) = read("<guid>g</guid><title>one</title><description>text</description>")
    (after,) = read("<guid>g</guid><title>one</title><description>text, corrected</description>")

    assert before.key == after.key
    assert before.raw != after.raw


@pytest.mark.parametrize(
    ("dates", "published", "updated", "warnings"),
    [
        ("<pubDate>Sat, 25 May 2024 15:23:00 +0800</pubDate>", "2024-05-25T15:23:00+08:00", None, ()),
        ("<pubDate>Sat, 25 May 2024 15:23:00</pubDate>", "2024-05-25T15:23:00", None, ()),
        ("<pubDate>05/25/2024 15:23</pubDate>", None, None, ("unreadable_date",)),
        ("<pubDate>soon</pubDate>", None, None, ("unreadable_date",)),
        ("<pubDate>2024年05月25日 15:23</pubDate>", "2024-05-25T15:23:00", None, ()),
        ("", None, None, ()),
    ],
)
def test_dates_are_read_from_the_entry_and_never_invented(
    dates: str, published: str | None, updated: str | None, warnings: tuple[str, ...]
) -> None:
    (parsed,) = read(f"<guid>g</guid><title>t</title>{dates}")

    assert (parsed.fields.published_at, parsed.fields.updated_at) == (published, updated)
    assert parsed.warnings == warnings


@pytest.mark.parametrize(
    ("elements", "published", "updated"),
    [
        (
            "<published>2024-05-25T10:00:00Z</published><updated>2024-05-26T10:00:00Z</updated>",
            "2024-05-25T10:00:00+00:00",
            "2024-05-26T10:00:00+00:00",
        ),
        ("<updated>2024-05-26T10:00:00Z</updated>", "2024-05-26T10:00:00+00:00", None),
        ("<published>2024-05-25</published><updated>2024-05-25</updated>", "2024-05-25", None),
    ],
)
def test_a_sole_or_equal_update_time_is_the_time_of_publication(
    elements: str, published: str, updated: str | None
) -> None:
    data = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>P</title><entry><id>1</id>{elements}</entry></feed>'

    (parsed,) = feed.parse(data.encode(), Hints())

    assert (parsed.fields.published_at, parsed.fields.updated_at) == (published, updated)


def test_content_wins_over_the_summary_and_gives_way_where_it_is_empty() -> None:
    full = '<content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/">{}</content:encoded>'
    summary = "<description>short</description>"

    (with_content,) = read(summary + full.format("&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;/p&gt;"))
    (without,) = read(summary + full.format("&lt;p&gt; &lt;/p&gt;"))

    assert body(with_content) == ["one", "two"]
    assert body(without) == ["short"]


@pytest.mark.parametrize(
    ("item", "authors"),
    [
        ("<author>me@a.example (Ann Lee)</author>", ("Ann Lee",)),
        ("<author>noreply@a.example</author>", ()),
        ('<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Ann Lee</dc:creator>', ("Ann Lee",)),
    ],
)
def test_authors_are_names_without_addresses(item: str, authors: tuple[str, ...]) -> None:
    (parsed,) = read(f"<title>t</title>{item}")

    assert parsed.fields.authors == authors


def test_what_the_entry_says_of_itself_wins_over_the_feed() -> None:
    channel = "<title>The Paper</title><language>en-us</language><copyright>All ours</copyright>"

    plain, sourced = read(
        "<title>a</title>", "<title>b</title><source url='http://w.example/'>The Wire</source>", channel=channel
    )

    assert (plain.fields.publisher, plain.fields.language, plain.fields.rights) == ("The Paper", "en-us", ("All ours",))
    assert sourced.fields.publisher == "The Wire"


@pytest.mark.parametrize(
    ("language", "charset"),
    [(language, name) for language, (names, _) in REPORTS.items() for name in names[:2]],
)
def test_a_feed_in_a_legacy_charset_is_read_with_a_false_prolog(language: str, charset: str) -> None:
    text = REPORTS[language][1].encode(charset, "ignore").decode(charset)
    data = (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>t</title>'
        f"<item><description>{text}</description></item></channel></rss>"
    ).encode(charset)

    (parsed,) = feed.parse(data, Hints())

    assert body(parsed) == [" ".join(text.split(" ")).strip()]
    assert "declared_encoding_wrong" in parsed.warnings


def test_html_entities_do_not_break_a_feed() -> None:
    (parsed,) = read("<title>Caf&eacute; &amp; bar&nbsp;&hellip;</title>")

    assert parsed.fields.title == "Café & bar …"
    assert parsed.warnings == ()


def test_broken_xml_is_read_as_far_as_it_goes_and_said_so() -> None:
    first, second = read("<title>A & B</title><guid>1</guid>", "<title>C</title><guid>2</guid>")

    assert (first.fields.title, second.fields.title) == ("A & B", "C")
    assert first.warnings == second.warnings == ("ill_formed_xml",)


@pytest.mark.parametrize(
    "data",
    [
        rss(),
        b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>none yet</title></feed>',
        b'<rss version="2.0"/>',
    ],
)
def test_a_feed_of_no_items_gives_none(data: bytes) -> None:
    assert feed.parse(data, Hints()) == []


@pytest.mark.parametrize(
    "data",
    [b"<rss><channel><title>cut", b'<rss version="2.0"><channel>', b"these are words", b"<?xml version='1.0'?>"],
)
def test_a_file_that_holds_no_feed_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedInput) as caught:
        feed.parse(data, Hints(filename="broken.xml"))

    assert caught.value.subject == "broken.xml"
    assert caught.value.detail


def test_entities_do_not_expand_into_each_other() -> None:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    prolog = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "bomb">{levels}]>'

    (parsed,) = feed.parse(rss("<title>x</title><description>&e9;</description>", prolog=prolog), Hints())

    assert sum(len(line.text) for line in parsed.lines) < 1000


def test_external_entities_are_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    prolog = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'

    for parsed in feed.parse(rss("<title>a &x;</title><description>b &x;</description>", prolog=prolog), Hints()):
        assert "SECRET" not in f"{parsed}"
