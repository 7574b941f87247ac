"""IPTC 7901 (and ANPA's look-alikes): the text messages that agencies send over lines and as `.txt` files.

A message is `SOH` header, keyword lines, `STX` text `ETX`, time, `EOT`; a file may hold several. The header gives
source, number, priority, category and word count. What the text says of itself (headline, byline, dateline) is
cleaning's to find. The seven-bit alphabets of single countries are not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from copydesk.errors import MalformedInput
from copydesk.formats import agency
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import Decoded, decode
from copydesk.formats.opening import WIRE_HEADER, Opening
from copydesk.formats.text import split_lines
from copydesk.models import Fields, Hints, Line, Parsed, Status

_SPARE = b"\x00\x16\x7f"
"""NUL, SYN and DEL keep a line busy between messages."""
_MESSAGE = re.compile(rb"\x01(?P<header>[^\r\n\x01-\x04]*)(?P<above>[^\x01-\x04]*)\x02(?P<text>[^\x01-\x04]*)")
_END = re.compile(rb"\x03(?P<time>[^\x01-\x04]{0,200})\x04?")
_INDENTS = ("  ", "\t")
_TIME = re.compile(
    r"\b(?P<day>\d{2})(?P<hour>\d{2})(?P<minute>\d{2})\s*(?P<zone>[A-Z]{3,4}|Z)?\s+(?P<month>[A-Za-z]{3})[a-z]*\s+"
    r"(?P<year>(?:\d{2}){1,2})\b"
)


def matches(opening: Opening) -> bool:
    """True where it begins with SOH and a header."""
    return opening.is_wire


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The messages in their order; `key` is None where there is one. Raises MalformedInput where there is none."""
    found = list(_messages(data, hints))
    if not found:
        raise MalformedInput(hints.filename or hints.url or "", "no text begins behind the header")
    return found if len(found) == 1 else agency.tell_apart(found)


def _messages(data: bytes, hints: Hints) -> Iterator[Parsed]:
    clean = data.translate(None, _SPARE)
    for message in _MESSAGE.finditer(clean):
        header = WIRE_HEADER.match(b"\x01" + message["header"])
        end = _END.match(clean, message.end())
        text = decode(message["text"], None, hints)
        above = decode(message["above"], None, hints).text
        time = _TIME.search(end["time"].decode("ascii", "replace")) if end else None
        parsed = Parsed(
            format="iptc_7901",
            lines=_join_paragraphs(split_lines(text.text)),
            fields=_fields(header, above, time),
            raw=message[0],
            encoding=text.encoding,
            warnings=_warnings(text, is_whole=end is not None),
            kind="text",
        )
        yield agency.conclude(parsed, status=Status.USABLE, embargo_text=None, hints=hints)


def _join_paragraphs(lines: Sequence[Line]) -> tuple[Line, ...]:
    """An indented line begins a paragraph, and those behind it that are not indented go on with it."""
    joined: list[Line] = []
    for line in lines:
        if (
            joined
            and joined[-1].text.startswith(_INDENTS)
            and not line.text.startswith(_INDENTS)
            and not line.blank_before
        ):
            joined[-1] = replace(joined[-1], text=f"{joined[-1].text.rstrip()} {line.text}")
        else:
            joined.append(line)
    return agency.renumber([joined])


def _fields(header: re.Match[bytes] | None, above: str, time: re.Match[str] | None) -> Fields:
    said = {name: value.decode("ascii") for name, value in header.groupdict().items()} if header else {}
    published = (
        read_date("{day} {month} {year} {hour}:{minute} {zone}".format_map(time.groupdict(""))) if time else None
    )
    # Numbers begin anew each day, so without one a number names no message.
    guid = f"{said['source'].lower()}:{said['number']}:{published[:10]}" if said and published else None
    return Fields(
        published_at=published,
        guid=guid,
        details=agency.details(
            slugline=" ".join(above.split()).strip("/ "),
            subjects=said.get("category"),
            urgency=said.get("priority"),
        ),
    )


def _warnings(text: Decoded, *, is_whole: bool) -> tuple[str, ...]:
    return text.warnings if is_whole else (*text.warnings, "end_missing")
