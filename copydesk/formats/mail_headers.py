"""The headers of a message as text: encoded words, raw bytes of legacy charsets, and bounds on their number.

Reads RFC 2047 with a pattern, in linear time; a word that cannot be decoded stays as it stands.
"""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from email.message import Message

from copydesk.formats.encoding import codec_of, decode, printable

HEADER_LINES_MAX = 5000
HEADER_BYTES_MAX = 1024 * 1024
VALUE_CHARACTERS_MAX = 16 * 1024

_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_END = re.compile(rb"\r?\n\r?\n")


def header_block_fault(data: bytes) -> str | None:
    """What is wrong with the size of a message's header; None where nothing is."""
    end = _END.search(data)
    size = end.start() if end else len(data)
    lines = data.count(b"\n", 0, size)
    if lines > HEADER_LINES_MAX:
        return f"its header has {lines:,} lines, the limit is {HEADER_LINES_MAX:,}"
    if end and size > HEADER_BYTES_MAX:
        return f"its header has {size:,} bytes, the limit is {HEADER_BYTES_MAX:,}"
    return None


def header(message: Message, name: str, charset: str | None = None) -> str:
    """A header's value in one line, empty where it is missing; `charset` is the body's, for raw legacy bytes."""
    wanted = name.lower()
    return header_text(next((str(v) for n, v in message.raw_items() if n.lower() == wanted), ""), charset)


def header_text(value: str, charset: str | None = None) -> str:
    """A value with its encoded words read; bytes beyond ASCII are read as `charset` or by their letters."""
    text = " ".join(value[:VALUE_CHARACTERS_MAX].split())
    raw = text.encode("utf-8", "surrogateescape")
    if not raw.isascii():
        text = decode(raw, charset).text
    return " ".join(printable(_decode_words(text)).split())


def _decode_words(text: str) -> str:
    """Neighbouring words of one charset are joined first: some mailers cut a character in two."""
    text = _BETWEEN.sub(r"\1", text)
    parts: list[str] = []
    held, held_charset = b"", ""
    end = 0

    def flush() -> None:
        if held:
            parts.append(decode(held, held_charset).text)

    for word in _WORD.finditer(text):
        charset = word[1].partition("*")[0].lower()
        data = _bytes(word[2], word[3])
        if data is None or (codec_of(charset) is None and not data.isascii()):
            continue
        if word.start() != end or charset != held_charset:
            flush()
            held = b""
            parts.append(text[end : word.start()])
        held, held_charset, end = held + data, charset, word.end()
    flush()
    parts.append(text[end:])
    return "".join(parts)


def _bytes(how: str, text: str) -> bytes | None:
    if how in "qQ":
        return quopri.decodestring(text.replace("_", " ").encode("utf-8", "replace"))
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return None
