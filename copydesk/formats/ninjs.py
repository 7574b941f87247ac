"""ninjs 1.0 to 3.1: a news item in JSON, or a list of them.

One reader for all versions: names are compared in lower case (3.x writes `versionCreated`), and what 1.x says as
`headline`, `body_xhtml`, `byline` and objects by name, 2.x and 3.x say as lists with roles. Items of text are
candidates; pictures, video, events and plans say what they are. Reads no other JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from copydesk.errors import MalformedInput
from copydesk.formats import agency, markup, nitf, xml_tree
from copydesk.formats.encoding import decode, printable
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.formats.xml_tree import one_line
from copydesk.models import Fields, Hints, Line, Parsed

Item = Mapping[str, Any]

_MEDIA_TYPES = frozenset(("application/ninjs+json", "application/vnd.iptc.ninjs+json"))
_BEGINS = re.compile(r"\s*(?:\[\s*)?\{\s*\"")
_LINES_OF_JSON = re.compile(r"\s*\{[^\n]*\}\s*\n\s*\{")
_NOT_AN_ITEM = re.compile(r'"\$id"\s*:|"jsonfeed\.org|"properties"\s*:\s*\{', re.IGNORECASE)
# Names that hardly any other JSON has beside each other; one of the first and two in all are telling.
_TELLING = re.compile(
    r'"(versioncreated|firstcreated|contentcreated|pubstatus|representationtype|bodies|headlines|copyrightholder'
    r"|copyrightnotice|usageterms|renditions|ednote|infosources|eventdetails|planningdetails|rightsinfo|altids"
    r'|body_(?:text|xhtml|html|html5|richtext|nitf|main)|description_(?:text|html|xhtml)|embargoed|slugline)"\s*:',
    re.IGNORECASE,
)
_COMMON = re.compile(
    r'"(uri|guid|byline|by|headline|version|located|urgency|subject|subjects|associations|title|language|profile)"\s*:'
    r'|"type"\s*:\s*"(text|audio|video|picture|graphic|composite|planning|component|event|package)"',
    re.IGNORECASE,
)
_OWN = re.compile(r'"\$?standard"\s*:\s*\{[^{}]*ninjs', re.IGNORECASE)

_CODED = re.compile(r"[A-Za-z0-9+/=\s]{200,}")
_PICTURES = frozenset(("graphic", "picture", "photo"))


def matches(opening: Opening) -> bool:
    """True for a JSON object or list that names what only ninjs names, or that is declared or named as ninjs."""
    text = opening.text
    if not _BEGINS.match(text) or _LINES_OF_JSON.match(text) or _NOT_AN_ITEM.search(text[:2000]):
        return False
    if opening.media_type in _MEDIA_TYPES or opening.extension == ".ninjs" or _OWN.search(text):
        return True
    telling = {found.lower() for found in _TELLING.findall(text)}
    common = {(a or b).lower() for a, b in _COMMON.findall(text)}
    return bool(telling) and len(telling) + len(common) >= 3


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The items in their order; `key` is None for a sole item that is no part of a list.

    Raises MalformedInput where the JSON is broken, nests too deep or holds no item.
    """
    decoded = decode(data, None, hints)
    subject = hints.filename or hints.url or ""
    try:
        value = json.loads(decoded.text, strict=False)
    except RecursionError as error:
        raise MalformedInput(subject, "it nests beyond the limits of its parser") from error
    except ValueError as error:
        raise MalformedInput(subject, f"no JSON: {error}") from error
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(v, dict) for v in values):
        raise MalformedInput(subject, "no item of ninjs")
    found = []
    for one in values:
        raw = data if value is one else json.dumps(one, sort_keys=True, ensure_ascii=True).encode()
        parsed = _read(_lowered(one), raw, decoded.encoding, decoded.warnings, hints)
        found.append(parsed)
    return found if isinstance(value, dict) else agency.tell_apart(found)


def _read(item: Item, raw: bytes, encoding: str, warnings: tuple[str, ...], hints: Hints) -> Parsed:
    lines, described = _body(item), False
    kind = _kind(item)
    if not lines and kind in agency.ARTICLE_KINDS:
        lines = _description(item)
        described = bool(lines)
    parsed = Parsed(
        format="ninjs",
        lines=lines,
        fields=_fields(item),
        raw=raw,
        encoding=encoding,
        warnings=(*warnings, "description_for_body") if described else warnings,
        kind=kind,
    )
    embargoed = item.get("embargoed")
    return agency.conclude(
        parsed,
        status=agency.status_of(_text(item.get("pubstatus"))),
        embargo_text=None if embargoed is None else _text(embargoed),
        hints=hints,
    )


def _fields(item: Item) -> Fields:
    published, updated = agency.times(
        (_text(item.get(name)) for name in ("firstpublished", "firstcreated")),
        (_text(item.get(name)) for name in ("versioncreated", "contentcreated")),
    )
    headlines = _headlines(item)
    holder = _text(item.get("copyrightholder"))
    terms = _text(item.get("usageterms"))
    byline = _text(item.get("by")) or _text(item.get("byline"))
    note = _text(item.get("ednote"))
    is_correction = bool(item.get("correction_sequence")) or "correct" in _text(item.get("signal")).lower()
    return Fields(
        title=headlines[0] if headlines else _text(item.get("title")) or None,
        section=_first_name(item.get("service")) or _text(item.get("section")) or None,
        published_at=published,
        updated_at=updated,
        publisher=_first_name(item.get("infosources"))
        or _first_name(item.get("provider"))
        or _text(item.get("source"))
        or holder
        or None,
        authors=() if byline else _names(item.get("authors")),
        language=_language(item),
        url=_url(item),
        guid=_text(item.get("uri")) or _text(item.get("guid")) or None,
        rights=agency.rights_of(_text(item.get("copyrightnotice")), holder, (terms, *_linked_rights(item))),
        version=_text(item.get("version")) or None,
        byline=byline or None,
        dateline=_text(item.get("dateline")) or None,
        captions=_captions(item),
        corrections=(note,) if note and is_correction else (),
        details=agency.details(
            altids=_alternatives(item),
            byline=byline,
            ednote=note,
            evolved_from=_text(item.get("evolvedfrom")),
            expires=agency.moment(_text(item.get("expires"))),
            genres=(*_names(item.get("genres")), *_names(item.get("genre"))),
            keywords=_keywords(item),
            located=_text(item.get("located")),
            photographers=(_text(m.get("by")) or _text(m.get("byline")) for m in _media(item)),
            slugline=_text(item.get("slugline")),
            sources=_names(item.get("infosources")),
            subheadlines=headlines[1:],
            subjects=(*_names(item.get("subjects")), *_names(item.get("subject"))),
            urgency=_text(item.get("urgency")),
            usage_terms=terms,
        ),
    )


def _kind(item: Item) -> str:
    stated = _text(item.get("type")).lower() or _text(item.get("itemclass")).lower()
    if stated:
        return "picture" if stated == "photo" else stated
    for mark, kind in (("eventdetails", "event"), ("planningdetails", "planning"), ("newscoverages", "planning")):
        if mark in item:
            return kind
    has_text = bool(_body(item))
    return "picture" if "renditions" in item and not has_text and not _description(item) else "text"


# --- texts with roles: 1.x by the end of the name, later by an entry of a list --------------------------------


def _parts(item: Item, plural: str, singular: str) -> Iterator[tuple[str, str, str]]:
    """(role, content type, value) of each body, headline or description."""
    listed = item.get(plural)
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, Mapping):
            said = _lowered(entry)
            if isinstance(value := said.get("value"), str):
                yield _text(said.get("role")).lower(), _text(said.get("contenttype")).lower(), value
        elif isinstance(entry, str):
            yield "", "", entry
    for name, value in item.items():
        if isinstance(value, str) and (name == singular or name.startswith(f"{singular}_")):
            role = name.removeprefix(singular).lstrip("_")
            yield role, role, value


def _headlines(item: Item) -> list[str]:
    """The headlines, the main one first."""
    parts = sorted(_parts(item, "headlines", "headline"), key=lambda part: part[0] not in ("main", ""))
    return list(dict.fromkeys(text for _, _, value in parts if (text := markup.text_from_html(value))))


def _body(item: Item) -> tuple[Line, ...]:
    """The rendition with the most structure: HTML, then NITF, then plain text; of these the longest."""
    ranked = []
    for role, kind, value in _parts(item, "bodies", "body"):
        rank, lines = _lines(f"{role} {kind}", value)
        if lines:
            ranked.append((rank, sum(len(line.text) for line in lines), lines))
    fullest = max((size for _, size, _ in ranked), default=0)
    # A rendition that has less than half of the text is another thing: a teaser, a table.
    whole = [entry for entry in ranked if 2 * entry[1] >= fullest]
    return max(whole, key=lambda entry: entry[:2])[2] if whole else ()


def _lines(kind: str, value: str) -> tuple[int, tuple[Line, ...]]:
    start = value.lstrip()[:200].lower()
    if "nitf" in kind or "<nitf" in start or (start.startswith("<?xml") and "html" not in kind):
        try:
            root = xml_tree.parse_text(value, "body")
        except MalformedInput:
            return 0, ()
        return 1, nitf.read_body(root).lines
    if "html" in kind or "rich" in kind or re.match(r"<(?:p|div|html|body|article|section|h\d|!doctype)\b", start):
        # A piece without any tag is HTML all the same: its line breaks are spaces.
        blocks = [value] if "<" in value else re.split(r"\n\s*\n", value)
        return 2, agency.renumber(markup.lines_from_html(f"<div>{block}</div>") for block in blocks)
    if "xml" in kind or "json" in kind or _CODED.fullmatch(value):
        return 0, ()
    return 0, split_lines(printable(value), "p")


def _description(item: Item) -> tuple[Line, ...]:
    found = (_lines(f"{role} {kind}", value)[1] for role, kind, value in _parts(item, "descriptions", "description"))
    return max(found, key=lambda lines: sum(len(line.text) for line in lines), default=())


# --- what is said beside them -----------------------------------------------------------------------------------


def _media(item: Item) -> list[Item]:
    """The associated pictures and graphics; 1.x names each, later versions list them."""
    stated = item.get("associations")
    values: Iterable[object] = stated.values() if isinstance(stated, Mapping) else stated or ()
    if not isinstance(stated, Mapping | list):
        return []
    found = []
    for value in values:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping) and _text(_lowered(one).get("type")).lower() in _PICTURES:
                found.append(_lowered(one))
    return found


def _captions(item: Item) -> tuple[str, ...]:
    found = (" ".join(line.text for line in _description(media)) for media in _media(item))
    return tuple(dict.fromkeys(one_line(text) for text in found if text.strip()))


def _linked_rights(item: Item) -> tuple[str, ...]:
    said = item.get("rightsinfo")
    if not isinstance(said, Mapping):
        return ()
    rights = _lowered(said)
    own = (_text(rights.get(name)) for name in ("copyrightnotice", "usageterms", "linkedrights"))
    return tuple(text for text in own if text)


def _language(item: Item) -> str | None:
    tag = _text(item.get("language")).replace("_", "-")
    return tag if re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", tag) else None


def _url(item: Item) -> str | None:
    for name in ("url", "link", "href"):
        if re.match(r"https?://[^\s/]", text := _text(item.get(name))):
            return text
    return None


def _alternatives(item: Item) -> tuple[str, ...]:
    stated = item.get("altids")
    if isinstance(stated, Mapping):
        return tuple(_text(value) for value in stated.values())
    entries = stated if isinstance(stated, list) else []
    return tuple(_text(_lowered(e).get("value")) if isinstance(e, Mapping) else _text(e) for e in entries)


def _keywords(item: Item) -> tuple[str, ...]:
    stated = item.get("keywords")
    return tuple(_text(word) for word in stated) if isinstance(stated, list) else ()


def _names(value: object) -> tuple[str, ...]:
    """The names in a list of concepts, or of one."""
    entries = value if isinstance(value, list) else [value]
    found = []
    for entry in entries:
        said = _lowered(entry) if isinstance(entry, Mapping) else {}
        text = _text(entry) if not said else _text(said.get("name")) or _text(said.get("literal"))
        found.append(text or agency.tail(_text(said.get("uri")) or _text(said.get("code"))))
    return tuple(dict.fromkeys(name for name in found if name))


def _first_name(value: object) -> str:
    return next(iter(_names(value)), "")


def _lowered(item: Mapping[Any, Any]) -> Item:
    return {str(name).lower(): value for name, value in item.items()}


def _text(value: object) -> str:
    """A string or number in one line; empty for anything else."""
    if isinstance(value, str):
        return one_line(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
