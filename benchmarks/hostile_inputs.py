# ruff: noqa: E501 - one input a line is a table
"""Inputs made to hurt a parser: name, what a sender would call it, and how it is made. Tests and the table share them."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.zstd_module import zstd

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hostile:
    """`codes` are the outcomes that it may end with; empty stands for an article or an empty container."""

    name: str
    filename: str
    make: Callable[[], bytes]
    codes: tuple[str, ...]


def _entity_bomb() -> bytes:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "boom">{entities}]><rss version="2.0"><channel>'
        "<title>x</title><item><title>&e11;</title><description>&e11;</description></item></channel></rss>"
    ).encode()


def _quadratic_entity() -> bytes:
    return (
        f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "{"a" * 100_000}">]><rss version="2.0"><channel>'
        f"<title>x</title><item><title>t</title><description>{'&a;' * 50_000}</description></item></channel></rss>"
    ).encode()


def _external_entity() -> bytes:
    return (
        b'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY f SYSTEM "file:///etc/passwd">'
        b'<!ENTITY h SYSTEM "http://127.0.0.1:9/x">]><rss version="2.0"><channel><title>&h;</title>'
        b"<item><title>External</title><description>&f;</description></item></channel></rss>"
    )


def _zip(members: list[tuple[str, bytes]]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


def _zip_bomb() -> bytes:
    # Ten members that each hold what one may: the eleventh would pass the budget of the whole.
    return _zip([(f"{n}.txt", b"a" * (19 * MB)) for n in range(10)])


def _nested_zip() -> bytes:
    inner = _zip([("0.txt", bytes(10 * MB))])
    for depth in range(4):
        inner = _zip([(f"{depth}-{n}.zip", inner) for n in range(8)])
    return inner


def _million_members() -> bytes:
    """1,000,000 directory entries that all point to one member, written by hand: zipfile would take minutes."""
    name, data = b"a.txt", b"text"
    crc = zlib.crc32(data)
    local = struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 20, 0, 0, 0, 0, crc, 4, 4, len(name), 0) + name + data
    entry = struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 20, 20, 0, 0, 0, 0, crc, 4, 4, len(name), 0, 0, 0, 0, 0, 0)
    count = 300_000  # what the limit of an input holds; the count below says a million
    directory = (entry + name) * count
    wide = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, 10**6, 10**6, len(directory), len(local))
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, len(local) + len(directory), 1)
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), len(local), 0)
    return local + directory + wide + locator + end


def _tar_slip() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, kind in (("../../etc/cron.d/x", tarfile.REGTYPE), ("/etc/passwd", tarfile.REGTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type = kind
            tar.addfile(entry, io.BytesIO())
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("null", tarfile.CHRTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
    return packed.getvalue()


def _zip_slip() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("../../etc/cron.d/x", "/etc/passwd", "C:\\\\windows\\\\x.txt"):
            archive.writestr(name, b"root")
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    return packed.getvalue()


def _nested_heads() -> bytes:
    return b"<html><body><h1>A</h1>" + b"<div class=author>" * 390 + b"<br>" * 120_000 + b"</body></html>"


def _long_pax_name() -> bytes:
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = tarfile.XHDTYPE, 10**9
    return gzip.compress(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(50 * MB))


def _deep_mime() -> bytes:
    parts = [b"From: a@b.example\nMIME-Version: 1.0\nMessage-ID: <1@x>\n"]
    parts += [b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000)]
    return b"".join(parts) + b"Content-Type: text/plain\n\ntext\n"


HOSTILE: tuple[Hostile, ...] = (
    Hostile("entity bomb", "feed.xml", _entity_bomb, ("malformed_input", "not_article", "")),
    Hostile("one long entity, 50,000 times", "feed.xml", _quadratic_entity, ("unknown_format", "malformed_input", "not_article", "", "limit_exceeded")),
    Hostile("external entities", "feed.xml", _external_entity, ("not_article", "malformed_input", "")),
    Hostile("gzip of 2 GB of zeros", "a.txt.gz", lambda: gzip.compress(gzip.compress(bytes(1000 * MB))), ("input_too_large",)),
    Hostile("zip of 190 MB", "a.zip", _zip_bomb, ("input_too_large",)),
    Hostile("zip in zip in zip in zip in zip", "a.zip", _nested_zip, ("input_too_large", "malformed_input")),
    Hostile("zstd of 1 GB of zeros", "a.txt.zst", lambda: zstd.compress(bytes(1000 * MB)), ("input_too_large",)),
    Hostile("bzip2 of 500 MB of zeros", "a.txt.bz2", lambda: bz2.compress(bytes(500 * MB)), ("input_too_large",)),
    Hostile("zip whose directory says 1,000,000", "a.zip", _million_members, ("input_too_large",)),
    Hostile("tar with names that lead out, links, a device", "a.tar", _tar_slip, ("malformed_input",)),
    Hostile("zip with names that lead out, and a link", "a.zip", _zip_slip, ("malformed_input",)),
    Hostile("tar with a name of 1 GB", "a.tar.gz", _long_pax_name, ("malformed_input",)),
    Hostile("XML 10,000 deep", "feed.xml", lambda: b"<?xml version='1.0'?><rss><channel><item>" + b"<a>" * 10_000 + b"x", ("malformed_input", "not_article", "")),
    Hostile("HTML 10,000 deep", "a.html", lambda: b"<html><body>" + b"<div>" * 10_000 + b"x", ("malformed_input", "not_article", "")),
    Hostile("HTML in a feed, 10,000 deep", "feed.xml", lambda: b"<rss version='2.0'><channel><title>x</title><item><title>t</title><description>" + b"&lt;b&gt;" * 10_000 + b"x</description></item></channel></rss>", ("malformed_input", "not_article", "")),
    Hostile("JSON 10,000 deep", "a.json", lambda: b'{"text": ' * 10_000 + b"1" + b"}" * 10_000, ("malformed_input",)),
    Hostile("JSON list 1,000,000 deep", "a.json", lambda: b'[{"a":' + b"[" * 1_000_000, ("malformed_input",)),
    Hostile("MIME 10,000 deep", "a.eml", _deep_mime, ("malformed_input",)),
    Hostile("Markdown quotes and lists, 10,000 deep", "a.md", lambda: b">" * 10_000 + b" x\n\n" + b"- " * 10_000 + b"x\n" + b"[" * 50_000 + b"*" * 50_000, ("", "not_article", "malformed_input", "limit_exceeded")),
    Hostile("a line of 19 MB", "a.txt", lambda: b"word " * (19 * MB // 5), ("", "not_article", "limit_exceeded", "dead")),
    Hostile("a JSON line of 19 MB", "a.jsonl", lambda: b'{"title": "t", "text": "' + b"word " * (19 * MB // 5 - 10) + b'"}', ("", "not_article", "limit_exceeded", "dead")),
    Hostile("more than an input may have", "a.txt", lambda: b"x" * (20 * MB + 1), ("input_too_large",)),
    Hostile("HTML of 1,000,000 tags", "a.html", lambda: b"<html><body>" + b"<p>x</p><br>" * 333_333 + b"</body></html>", ("", "not_article", "limit_exceeded", "malformed_input")),
    Hostile("HTML of 1,000,000 unclosed inline tags", "a.html", lambda: b"<html><body>" + b"<b>x<i>" * 500_000, ("", "not_article", "limit_exceeded", "malformed_input")),
    Hostile("HTML of 120,000 elements in 390 bylines", "a.html", _nested_heads, ("not_article", "limit_exceeded", "malformed_input")),
    Hostile("IPTC 7901 of 100,000 messages", "a.txt", lambda: b"\x01abc0001 3 pl 9\r\n\x02x\r\n\x03" * 100_000, ("", "not_article", "limit_exceeded", "malformed_input")),
    Hostile("mail of 1,000,000 headers", "a.eml", lambda: b"From: a@b.example\nMessage-ID: <1@x>\n" + b"X-A: b\n" * 1_000_000 + b"\nx\n", ("malformed_input",)),
    Hostile("mail with a header of 10 MB", "a.eml", lambda: b"From: a@b.example\nMessage-ID: <1@x>\nSubject: " + b"=?utf-8?q?a?= " * 700_000 + b"\n\nx\n", ("malformed_input",)),
    Hostile("CSV with a quote that never closes", "a.csv", lambda: b'title,text\na,"' + b"x,y\n" * 2_000_000, ("malformed_input", "", "not_article", "limit_exceeded")),
    Hostile("CSV of 1,000,000 columns", "a.csv", lambda: b"title,text" + b",x" * 1_000_000 + b"\n" + b"a,b\n", ("", "not_article", "malformed_input")),
    Hostile("feed of 5 MB in one element", "feed.xml", lambda: b"<rss version='2.0'><channel><title>x</title><item><title>t</title><description>" + b"a &amp; b " * 500_000 + b"</description></item></channel></rss>", ("", "not_article", "limit_exceeded")),
)  # fmt: skip
