"""Which format an input is, by declared type, name and first bytes; what is refused, and what the refusal says."""

from __future__ import annotations

import random

import pytest

from copydesk import formats
from copydesk.errors import BinaryInput, EmptyInput, InputError, UnknownFormat
from copydesk.models import Hints
from tests.unit.formats.reports import REPORTS

RSS = b'<rss version="2.0"><channel><title>t</title></channel></rss>'
PAGE = b"<!DOCTYPE html><html><body><p>text</p></body></html>"


@pytest.mark.parametrize(
    ("data", "hints", "name"),
    [
        pytest.param(RSS, Hints(), "feed", id="rss"),
        pytest.param(b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- made by hand -->" + RSS, Hints(), "feed", id="prolog"),
        pytest.param(RSS.decode().encode("utf-16"), Hints(), "feed", id="rss in UTF-16"),
        pytest.param(b'<feed xmlns="http://www.w3.org/2005/Atom"/>', Hints(), "feed", id="atom"),
        pytest.param(b'<rdf:RDF xmlns:rdf="x"></rdf:RDF>', Hints(), "feed", id="rdf"),
        pytest.param(b'<CHANNEL HREF="x"></CHANNEL>', Hints(), "feed", id="cdf"),
        pytest.param(RSS, Hints(media_type="text/html", filename="a.html"), "feed", id="served as HTML"),
        pytest.param(b"<br />\n<b>Warning</b>: x\n<?xml version='1.0'?>" + RSS, Hints(), "feed", id="stray output"),
        pytest.param(b"oops", Hints(media_type="application/rss+xml"), "feed", id="declared a feed"),
        pytest.param(b"\x01bwi0123 3 pl 58\r\n\x02Words.\x03\x04", Hints(), "iptc_7901", id="a message of the wire"),
        pytest.param(b"\x16\x16\x01 dbw 7 4 wi 310 x\n\x02Words.", Hints(), "iptc_7901", id="with fillers"),
        pytest.param(b"<nitf><head/></nitf>", Hints(), "nitf", id="nitf"),
        pytest.param(b"<!DOCTYPE nitf SYSTEM 'nitf-3-6.dtd'><nitf/>", Hints(), "nitf", id="nitf with its DTD"),
        pytest.param(b"<n:newsItem xmlns:n='x'/>", Hints(filename="a.txt"), "newsml_g2", id="newsItem"),
        pytest.param(b"<newsMessage><itemSet/></newsMessage>", Hints(), "newsml_g2", id="newsMessage"),
        pytest.param(b'{"uri": "a", "bodies": [], "renditions": []}', Hints(), "ninjs", id="ninjs"),
        pytest.param(b'[{"uri":"a","type":"text","versionCreated":""}]', Hints(), "ninjs", id="a list of ninjs"),
        pytest.param(b'{"a": 1}', Hints(media_type="application/ninjs+json"), "ninjs", id="declared ninjs"),
        pytest.param(PAGE, Hints(), "html", id="doctype"),
        pytest.param(b"<!-- c --><HTML lang=en>", Hints(), "html", id="comment first"),
        pytest.param(b"<?xml version='1.0'?><html xmlns='x'></html>", Hints(), "html", id="xhtml"),
        pytest.param(PAGE, Hints(media_type="text/plain", filename="a.txt"), "html", id="a page named a text"),
        pytest.param(b"<p>one paragraph</p>", Hints(), "html", id="fragment"),
        pytest.param(b"Words <b>and</b> more", Hints(media_type="text/html; charset=utf-8"), "html", id="declared"),
        pytest.param(b"Words <b>and</b> more", Hints(filename="x.HTM"), "html", id="named"),
        pytest.param(b"one<p>two<p>three<br>four", Hints(), "html", id="full of tags"),
        pytest.param(b"Just words.", Hints(), "text", id="words"),
        pytest.param(b"Just words.", Hints(media_type="application/octet-stream"), "text", id="no type"),
        pytest.param(b"<AP> Paris - words", Hints(), "text", id="an angle bracket"),
        pytest.param("<速報> 地震".encode(), Hints(), "text", id="a label in brackets"),
        pytest.param(b"a < b and c > d", Hints(), "text", id="signs of comparison"),
        pytest.param(b"Words with \x00 a zero in them.", Hints(), "text", id="a stray NUL"),
        pytest.param(b"BM shares fell.", Hints(), "text", id="letters that a bitmap begins with"),
    ],
)  # fmt: skip
def test_the_format_is_told_from_what_can_be_seen(data: bytes, hints: Hints, name: str) -> None:
    assert formats.detect(data, hints) == name


@pytest.mark.parametrize("language", REPORTS)
def test_a_text_in_any_language_and_charset_is_text(language: str) -> None:
    charsets, text = REPORTS[language]

    assert {formats.detect(text.encode(name, "ignore"), Hints()) for name in (*charsets, "utf-8")} == {"text"}


@pytest.mark.parametrize(
    ("data", "error", "detail"),
    [
        pytest.param(b"", EmptyInput, "no bytes", id="empty"),
        pytest.param(b" \r\n\t ", EmptyInput, "white space only", id="white space"),
        pytest.param("\ufeff \u3000\n".encode("utf-16"), EmptyInput, "white space only", id="wide white space"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", BinaryInput, "PNG image", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", BinaryInput, "JPEG image", id="jpeg"),
        pytest.param(b"%PDF-1.7\nwords", BinaryInput, "PDF document", id="pdf"),
        pytest.param(
            b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml",
            BinaryInput,
            "Office document, EPUB or Java archive",
            id="office",
        ),
        pytest.param(b"\x7fELF\x02\x01\x01", BinaryInput, "ELF executable", id="elf"),
        pytest.param(b"MZ\x90\x00\x03\x00", BinaryInput, "Windows executable", id="exe"),
        pytest.param(b"\x00\x00\x00\x18ftypmp42", BinaryInput, "MP4 or HEIF media", id="mp4"),
        pytest.param(bytes(1000), BinaryInput, "1000 of the first 1000 bytes are control bytes", id="zeros"),
        pytest.param(
            b"<sports-content><a/></sports-content>", UnknownFormat, "first element <sports-content>", id="sports"
        ),
        pytest.param(b"<?xml version='1.0'?><score/>", UnknownFormat, "first element <score>", id="other XML"),
    ],
)
def test_what_is_no_article_text_is_refused_with_what_was_seen(
    data: bytes, error: type[InputError], detail: str
) -> None:
    with pytest.raises(error) as caught:
        formats.detect(data, Hints(filename="input"))

    assert caught.value.subject == "input"
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("hints", "detail"),
    [
        (Hints(filename="list.css"), "style sheet"),
        (Hints(media_type="message/rfc822"), "declared as message/rfc822, mail"),
        (Hints(filename="a.eml"), "mail"),
    ],
)
def test_kinds_of_text_without_a_parser_are_refused_by_name(hints: Hints, detail: str) -> None:
    with pytest.raises(UnknownFormat) as caught:
        formats.detect(b"a,b\n1,2\n", hints)

    assert caught.value.detail == detail


def test_random_bytes_are_binary() -> None:
    chance = random.Random(3)

    for size in (200, 4096, 50_000):
        with pytest.raises(BinaryInput):
            formats.detect(chance.randbytes(size), Hints())


def test_every_format_has_cases_in_its_own_folder(request: pytest.FixtureRequest) -> None:
    cases = request.config.rootpath / "tests" / "cases"

    # Plain text has its cases under the cleaning corpus: reading it is splitting it into lines.
    assert all(any((cases / name).iterdir()) for name in formats.PARSERS if name != "text")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'{"title": "x"}', id="an object"),
        pytest.param(b'{"uri":"a","headline":"b"}', id="an object with a uri"),
        pytest.param(b'{"uri":"a","type":"text","slugline":1}\n{"uri":"b"}', id="lines"),
        pytest.param(b'{"$id":"x","properties":{"uri":{},"bodies":{},"version":{}}}', id="a schema of ninjs"),
    ],
)
def test_json_that_is_of_no_other_format_is_records(data: bytes) -> None:
    assert formats.detect(data, Hints(filename="input")) == "records"
