"""Mail and mailboxes: newsletters and wire by mail, one candidate a message and one for each attachment it can read.

Takes the parts apart with the standard library under its older policy: the newer one replaces raw legacy bytes in
headers, which are decoded here. What a newsletter prints around its text is cleaning's work.
"""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, field, replace
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime

from copydesk.errors import InputError, MalformedInput
from copydesk.formats import markup
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import Decoded, decode
from copydesk.formats.mail_headers import header, header_block_fault, header_text
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.models import Fields, Hints, Line, Parsed

_MEDIA_TYPES = frozenset(("application/mbox", "message/rfc822"))
_EXTENSIONS = frozenset((".eml", ".mbox", ".mbx"))
MBOX_FROM = re.compile(rb"(?m)^From \S[^\r\n]{0,200}(?:19|20)\d\d[^\r\n]{0,20}\r?\n(?=[A-Za-z0-9-]{1,60}:)")
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")
_HEADERS = re.compile(r"(?:From \S[^\n]*\n)?(?:[A-Za-z0-9-]{1,60}:[^\n]*\n(?:[ \t][^\n]*\n)*){3}")
_TECHNICAL = re.compile(
    r"^(?:Message-ID|MIME-Version|Received|Return-Path|DKIM-Signature):", re.IGNORECASE | re.MULTILINE
)
_SENDER = re.compile(r"^From:", re.IGNORECASE | re.MULTILINE)
_FORWARDED = re.compile(r"^(?:(?:re|fwd?|aw|wg|tr|rv|rif|sv|vs|odp)\s*:\s*)+", re.IGNORECASE)

PARTS_MAX = 1000
_STUB = 200
"""Characters under which a plain part may only say that the reader shows no HTML …"""
_FAR_MORE = 3
"""… when the HTML part has so many times its text."""


@dataclass(slots=True)
class _Content:
    """What the parts of one message hold."""

    plain: list[Line] = field(default_factory=list)
    html: list[Line] = field(default_factory=list)
    attachments: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Name, declared type and bytes."""
    decoded: list[Decoded] = field(default_factory=list)


def matches(opening: Opening) -> bool:
    """True for what is declared or named mail and begins with headers, or begins with those that only mail has."""
    begins = _HEADERS.match(opening.text.lstrip()) is not None
    if opening.media_type in _MEDIA_TYPES or opening.extension in _EXTENSIONS:
        return begins or _SENDER.search(opening.text) is not None
    head = re.split(r"\n\r?\n", opening.text.lstrip(), maxsplit=1)[0]
    return begins and _TECHNICAL.search(head) is not None and _SENDER.search(head) is not None


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The messages of a mailbox, or the one message, each followed by its attachments that hold articles.

    A message alone is the document itself; otherwise `key` is its place. Raises MalformedInput where a lone message
    cannot be read; in a mailbox that is the message's own error.
    """
    subject = hints.filename or hints.url or ""
    starts = [found.start() for found in MBOX_FROM.finditer(data)] if data.lstrip().startswith(b"From ") else []
    if len(starts) <= 1:
        return _message(data, subject)
    found: list[Parsed] = []
    for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(data)], strict=True), start=1):
        place = f"message {number}"
        try:
            candidates = _message(_QUOTED_FROM.sub(rb"\1", data[start:end]), place)
        except InputError as error:
            candidates = [Parsed("mail", (), raw=data[start:end], error=error)]
        found += [
            replace(c, key=f"{place}/{c.key}" if c.key and len(candidates) > 1 else place, is_position=True)
            for c in candidates
        ]
    return found


def _message(data: bytes, subject: str) -> list[Parsed]:
    fault = header_block_fault(data)
    if fault:
        raise MalformedInput(subject, fault)
    if data.startswith(b"From "):
        data = data.partition(b"\n")[2]
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        content = _read(message, subject)
    except InputError:
        raise
    except Exception as error:  # the library lets errors of many kinds through: recursion, codecs, its own
        raise MalformedInput(subject, f"{type(error).__name__}: {error}") from error
    own = _candidate(message, content, data)
    attached, unread = _attached(content)
    if unread:
        own = replace(own, warnings=(*own.warnings, "attachment_not_read"))
    if not attached:
        return [own]
    return [replace(own, key="message", is_position=True), *attached]


def _read(message: Message, subject: str) -> _Content:
    content = _Content()
    for number, part in enumerate(message.walk()):
        if number >= PARTS_MAX:
            raise MalformedInput(subject, f"it has more than {PARTS_MAX:,} parts")
        if part.is_multipart():  # a forwarded message too: its parts follow, and are read as this one's
            continue
        name = header_text(part.get_filename() or "")
        kind = part.get_content_type()
        payload = part.get_payload(decode=True)
        data = payload if isinstance(payload, bytes) else b""
        is_attached = part.get_content_disposition() == "attachment" or (bool(name) and kind != "text/plain")
        if is_attached or kind not in ("text/plain", "text/html"):
            if data.strip() and not kind.startswith(("image/", "audio/", "video/", "font/")):
                content.attachments.append((name, kind, data))
            continue
        decoded = decode(data, None, Hints(encoding=part.get_content_charset()))
        content.decoded.append(decoded)
        if kind == "text/html":
            content.html += markup.lines_from_html(decoded.text)
        else:
            is_flowed = str(part.get_param("format") or "").lower() == "flowed"
            content.plain += split_lines(_unflowed(decoded.text) if is_flowed else decoded.text)
    return content


def _unflowed(text: str) -> str:
    """Join the lines that RFC 3676 let break softly: those that end in a space."""
    return re.sub(r"(?<=[^\s-] )\r?\n(?=[^\s>])", "", text)


def _candidate(message: Message, content: _Content, data: bytes) -> Parsed:
    plain, html = (sum(len(line.text) for line in lines) for lines in (content.plain, content.html))
    is_html_taken = html > 0 and (plain == 0 or (plain < _STUB and html > _FAR_MORE * plain))
    lines = content.html if is_html_taken else content.plain
    charset = content.decoded[0].encoding if content.decoded else None
    date = _date(header(message, "Date", charset))
    warnings = dict.fromkeys(w for decoded in content.decoded for w in decoded.warnings)
    if "Date" in message and not date:
        warnings["unreadable_date"] = None
    sender, _ = parseaddr(header(message, "From", charset))
    is_list = "List-Id" in message or "List-Unsubscribe" in message
    list_name = header(message, "List-Id", charset).partition("<")[0].strip(' "')
    url = re.search(r"https?://[^\s<>]+", header(message, "Archived-At"))
    return Parsed(
        format="mail",
        lines=tuple(replace(line, number=number) for number, line in enumerate(lines, start=1)),
        fields=Fields(
            title=_FORWARDED.sub("", header(message, "Subject", charset)) or None,
            published_at=date,
            publisher=(list_name or sender or None) if is_list else None,
            authors=(sender,) if sender and not is_list else (),
            language=header(message, "Content-Language").partition(",")[0].strip() or None,
            url=url[0] if url else None,
            guid=header(message, "Message-ID").strip("<> ") or None,
        ),
        raw=data,
        encoding=charset,
        warnings=tuple(warnings),
    )


def _date(text: str) -> str | None:
    """The library reads what is left of damaged dates, and takes each zone name that it does not know for none."""
    read = read_date(text)
    if read or not text:
        return read
    try:
        return parsedate_to_datetime(text).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _attached(content: _Content) -> tuple[list[Parsed], bool]:
    """The candidates of the attachments, and whether one of them could not be read."""
    from copydesk import formats

    found: list[Parsed] = []
    unread = False
    for number, (name, kind, data) in enumerate(content.attachments, start=1):
        # A type that says nothing is what mailers put where they know none.
        hints = Hints(filename=name or None, media_type=None if kind == "application/octet-stream" else kind)
        try:
            candidates = formats.parse(data, hints)
        except InputError:
            unread = True
            continue
        found += formats.within(f"attachment {number}", name or None, candidates)
    return found, unread
