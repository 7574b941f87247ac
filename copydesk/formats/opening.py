"""What can be seen of an input before it is parsed: names and declared type, the first bytes, the first element.

Here inputs that are no text at all are refused. Which format it is, each format says for itself (`matches`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from copydesk.errors import BinaryInput, EmptyInput
from copydesk.formats.encoding import decode, wide_encoding
from copydesk.models import Hints

PREFIX_BYTES = 16 * 1024
"""How much of an input is looked at. Comments before the first element of a feed run to a few kilobytes."""

# First bytes and the name that a rejection gives; sorted by name.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (b"BM", "BMP image"),
    (b"\x7fELF", "ELF executable"),
    (b"\x1a\x45\xdf\xa3", "EBML video (Matroska, WebM)"),
    (b"fLaC", "FLAC audio"),
    (b"GIF8", "GIF image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O executable"),
    (b"\xcf\xfa\xed\xfe", "Mach-O executable"),
    (b"MZ", "Windows executable"),
    (b"ID3", "MP3 audio"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office 97 document"),
    (b"OggS", "Ogg media"),
    (b"%PDF-", "PDF document"),
    (b"\x89PNG", "PNG image"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"RIFF", "RIFF media (WAV, AVI, WebP)"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"II*\x00", "TIFF image"),
    (b"MM\x00*", "TIFF image"),
    (b"wOF2", "WOFF2 font"),
)
# First bytes of what holds others, and its name (`archive.py` reads them).
ARCHIVES: tuple[tuple[bytes, str], ...] = (
    (b"BZh", "bzip2"),
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
# Documents that are zip archives inside, told by the name of their first member.
_ZIPPED_DOCUMENTS = (b"[Content_Types].xml", b"mimetype", b"META-INF/", b"_rels/")

# These first bytes are letters that a text may begin with: they count only where control bytes follow.
_WORDLIKE = {b"BM", b"BZh", b"MZ", b"ID3", b"GIF8", b"OggS", b"RIFF", b"fLaC", b"wOF2"}

# Kinds of text that are no plain text: what no parser takes of them is refused by this name.
_FOREIGN_TYPES: Mapping[str, str] = {
    "application/feed+json": "JSON Feed",
    "application/json": "JSON",
    "application/mbox": "mail",
    "application/x-ndjson": "JSON lines",
    "message/rfc822": "mail",
    "text/css": "style sheet",
    "text/csv": "CSV",
    "text/javascript": "JavaScript",
    "text/tab-separated-values": "TSV",
}
_FOREIGN_EXTENSIONS: Mapping[str, str] = {
    ".css": "style sheet",
    ".csv": "CSV",
    ".eml": "mail",
    ".js": "JavaScript",
    ".json": "JSON",
    ".jsonl": "JSON lines",
    ".mbox": "mail",
    ".ndjson": "JSON lines",
    ".tsv": "TSV",
}

WIRE_HEADER = re.compile(
    rb"[\x00\x16\x7f\s]*\x01\s?(?P<source>[A-Za-z]{1,6})\s?(?P<number>\d{1,5})\s+(?P<priority>[1-9])\s+"
    rb"(?P<category>[A-Za-z]{1,4})\s+(?P<words>\d{1,6})\b"
)
"""How a message of IPTC 7901 begins: `SOH dpa0123 3 pl 310`. Its control bytes are no sign of a binary file."""

_TEXT_BYTES = bytes({*range(0x20, 0x100), 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1A, 0x1B} - {0x7F})
"""Bytes that text of some charset holds; ESC belongs to ISO-2022, 0x1A ended files under DOS."""
_SKIPPED = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>|<!DOCTYPE\s[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_ELEMENT = re.compile(r"<([A-Za-z_][\w.\-]*:)?([A-Za-z_][\w.\-]*)(?=[\s/>])")
_HTML_TAG = re.compile(
    r"</?(?:a|article|b|blockquote|body|br|center|div|em|figure|font|h[1-6]|head|header|hr|html|i|img|li|main|nav|ol|p|pre"
    r"|script|section|span|strong|style|table|title|ul)(?=[\s/>])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Opening:
    """The facts that formats are told by."""

    subject: str
    """What to call the input in an error."""
    media_type: str
    """Declared, lower case, without parameters; empty where none is."""
    extension: str
    """Of the file name, lower case with its dot; empty where there is none."""
    text: str
    """The decoded prefix."""
    root: str
    """Local name of the first element, lower case; empty where the text does not begin with one."""
    html_tags: int
    """How many HTML tags stand in the prefix."""
    archive: str = ""
    """`zip`, `tar`, `gzip`, …; empty for all that holds no other inputs."""
    is_wire: bool = False
    """True where it begins as a message of IPTC 7901."""

    @property
    def begins_as_html(self) -> bool:
        """True where the first element is one of HTML's."""
        return bool(self.root) and _HTML_TAG.match(f"<{self.root}>") is not None

    @property
    def is_xml(self) -> bool:
        """True where the first element is closed somewhere; `<AP> Paris` begins a text."""
        return bool(self.root) and (f"</{self.root}" in self.text.lower() or "/>" in self.text or "<?xml" in self.text)

    @property
    def foreign_kind(self) -> str:
        """The name of a kind of text that has no parser, empty for all others."""
        if self.text.startswith("<?xml") and not self.root:
            return "XML with no element near its start"
        if self.media_type in _FOREIGN_TYPES:
            return _FOREIGN_TYPES[self.media_type]
        if self.media_type in {"", "application/octet-stream", "text/plain"}:
            if re.match(r'\s*(?:\{\s*"[^"\n]*"\s*:|\[\s*\{\s*")', self.text):
                return "JSON"
            return _FOREIGN_EXTENSIONS.get(self.extension, "")
        return ""

    @property
    def seen(self) -> str:
        """What there is to see, for the error that says no format matches."""
        parts = []
        if self.media_type:
            parts.append(f"declared as {self.media_type}")
        if self.foreign_kind:
            parts.append(self.foreign_kind)
        if self.root:
            parts.append(f"first element <{self.root}>")
        return ", ".join(parts) or f"begins with {self.text[:40]!r}"


def look(data: bytes, hints: Hints) -> Opening:
    """The facts about an input; raises EmptyInput or BinaryInput for what holds no text.

    A stray NUL or control character in a text is let through and later taken out with a warning; at more than one
    byte in a hundred the input counts as binary, unless the zeros are those of UTF-16 or UTF-32.
    """
    subject = hints.filename or hints.url or ""
    if not data or data.isspace():
        raise EmptyInput(subject, "no bytes" if not data else "white space only")
    prefix = data[:PREFIX_BYTES]
    archive = archive_kind(prefix, subject)
    if archive:
        return Opening(subject, _media_type(hints), _extension(hints), "", "", 0, archive)
    is_wire = WIRE_HEADER.match(prefix) is not None
    marked = is_wire or prefix.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x00\x00\xfe\xff"))
    if not marked and not wide_encoding(prefix):
        _refuse_binary(prefix, subject)
    text = decode(prefix, None, hints).text
    if not text.strip() and len(data) <= PREFIX_BYTES:
        raise EmptyInput(subject, "white space only")
    return Opening(
        subject=subject,
        media_type=_media_type(hints),
        extension=_extension(hints),
        text=text,
        root=first_element(text),
        html_tags=len(_HTML_TAG.findall(text)),
        is_wire=is_wire,
    )


def archive_kind(prefix: bytes, subject: str = "") -> str:
    """The kind of archive that an input begins as, or empty. Raises BinaryInput for an office document or a book."""
    strange = len(prefix.translate(None, _TEXT_BYTES))
    for first, name in ARCHIVES:
        if prefix.startswith(first) and (strange or first not in _WORDLIKE):
            if name == "zip" and prefix[30:].startswith(_ZIPPED_DOCUMENTS):
                raise BinaryInput(subject, "Office document, EPUB or Java archive")
            return name
    return "tar" if prefix[257:262] == b"ustar" else ""


def _media_type(hints: Hints) -> str:
    return (hints.media_type or "").partition(";")[0].strip().lower()


def _extension(hints: Hints) -> str:
    return PurePath(hints.filename or "").suffix.lower()


def first_element(text: str) -> str:
    """Local name of the element that the text begins with, after comments, instructions and a document type."""
    at = 0
    while skipped := _SKIPPED.match(text, at):
        at = skipped.end()
    found = _ELEMENT.match(text, at)
    return found[2].lower() if found else ""


def _refuse_binary(prefix: bytes, subject: str) -> None:
    strange = len(prefix.translate(None, _TEXT_BYTES))
    for first, name in SIGNATURES:
        if prefix.startswith(first) and (strange or first not in _WORDLIKE):
            raise BinaryInput(subject, name)
    if prefix[4:8] == b"ftyp":
        raise BinaryInput(subject, "MP4 or HEIF media")
    # Two strays are let through in a short text as well, if it is ten times as long as they.
    if strange * 100 > len(prefix) and (strange > 2 or strange * 10 > len(prefix)):
        raise BinaryInput(subject, f"{strange} of the first {len(prefix)} bytes are control bytes")
