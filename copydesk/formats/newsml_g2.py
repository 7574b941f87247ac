"""NewsML-G2 2.x: an item, or a message of several.

Items of text are candidates, with NITF, XHTML or plain text inside; pictures, video, packages, concepts, events and
plans say what they are. Fragments of an item (`contentSet`, `groupSet`) are read as far as they go. Controlled
vocabularies are not looked up: a qcode without a name is told by its last part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from copydesk.errors import MalformedInput
from copydesk.formats import agency, markup, nitf, xml_tree
from copydesk.formats.encoding import printable
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.formats.xml_tree import Element, attribute, descendants, find, find_all, name_of, text_of, texts
from copydesk.models import Fields, Hints, Line, Parsed, Status

_MESSAGE = "newsmessage"
# Items by their element, with the kind of those that are never articles.
_ITEMS = {
    "catalogitem": "catalog",
    "conceptitem": "concept",
    "contentset": "",
    "groupset": "package",
    "knowledgeitem": "knowledge",
    "newscoverageset": "planning",
    "newsitem": "",
    "packageitem": "package",
    "planningitem": "planning",
}
_MEDIA_TYPES = frozenset(("application/vnd.iptc.g2.newsitem+xml", "application/vnd.iptc.g2.newsmessage+xml"))
_DATA = frozenset(("events", "concept", "conceptset", "sports-content", "newscoverageset"))
"""Elements inside an item's content that are data and no story."""


def matches(opening: Opening) -> bool:
    """True where the first element is an item or a message of NewsML-G2, whatever the name of the file."""
    is_item = opening.root in _ITEMS or opening.root == _MESSAGE
    return is_item or (opening.is_xml and opening.media_type in _MEDIA_TYPES)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The items in their order; `key` is None for a sole item that is no part of a message.

    Raises MalformedInput for what is cut off, nests too deep or holds no item.
    """
    tree = xml_tree.read_tree(data, hints)
    items = list(_items(tree.root))
    if not items:
        raise MalformedInput(hints.filename or hints.url or "", "no item of NewsML-G2")
    found = [_read(item, tree, data if item is tree.root else xml_tree.serialise(item), hints) for item in items]
    return found if items[0] is tree.root else agency.tell_apart(found)


def _items(root: Element) -> Iterator[Element]:
    if name_of(root) in _ITEMS:
        yield root
        return
    for item_set in find_all(root, "itemset"):
        for child in item_set:
            if name_of(child) in _ITEMS:
                yield child


def _read(item: Element, tree: xml_tree.Tree, raw: bytes, hints: Hints) -> Parsed:
    meta, content = find(item, "itemmeta"), find(item, "contentmeta")
    content_set = item if name_of(item) == "contentset" else find(item, "contentset")
    body = _nitf_in(content_set)
    lines = body.lines if body and body.lines else _lines(content_set)
    kind = _kind(item, meta, content_set)
    warnings = tree.warnings
    if not lines and kind in agency.ARTICLE_KINDS:
        lines = _described(content)
        warnings = (*warnings, "description_for_body") if lines else warnings
    embargoed = find(meta, "embargoed")
    fields = _fields(item, meta, content, content_set, body)
    parsed = Parsed(
        format="newsml_g2",
        lines=lines,
        fields=fields,
        raw=raw,
        encoding=tree.encoding,
        warnings=warnings,
        kind=kind,
    )
    return agency.conclude(
        parsed,
        status=_status(meta),
        embargo_text=None if embargoed is None else text_of(embargoed),
        hints=hints,
    )


def _fields(
    item: Element, meta: Element | None, content: Element | None, content_set: Element | None, body: nitf.Body | None
) -> Fields:
    language = xml_tree.language_of(item)
    rights = list(find_all(item, "rightsinfo"))
    holder = next((name for r in rights for h in find_all(r, "copyrightholder") if (name := _name(h, language))), "")
    notices = texts(n for r in rights for n in find_all(r, "copyrightnotice"))
    terms = texts(t for r in rights for t in find_all(r, "usageterms"))
    headlines = sorted(find_all(content, "headline"), key=lambda h: "main" not in attribute(h, "role"))
    bylines = texts(find_all(content, "by"))
    creators = [c for c in find_all(content, "creator") if agency.tail(attribute(c, "role")) != "photographer"]
    published, updated = agency.times(
        (text_of(find(meta, "firstcreated")), text_of(find(content, "contentcreated"))),
        (text_of(find(meta, "versioncreated")), text_of(find(content, "contentmodified"))),
    )
    authors = _unique(_name(creator, language, with_code=False) for creator in creators)
    signals = [agency.tail(attribute(s, "qcode", "uri", "literal")) for s in find_all(meta, "signal")]
    notes = texts(find_all(meta, "ednote"))
    title = text_of(headlines[0]) if headlines else ""
    return Fields(
        title=title or (body.headline if body else "") or text_of(find(meta, "title")) or None,
        section=_name(find(meta, "service"), language) or None,
        published_at=published,
        updated_at=updated,
        publisher=_name(find(meta, "provider"), language) or holder or text_of(find(content, "creditline")) or None,
        authors=() if bylines else (authors or (body.authors if body else ())),
        language=attribute(find(content, "language"), "tag") or xml_tree.language_of(*_parts(content_set)) or language,
        guid=attribute(item, "guid") or None,
        rights=agency.rights_of(notices[0] if notices else "", holder, (*notices[1:], *terms)),
        version=attribute(item, "version") or None,
        byline="; ".join(bylines) or (body.byline if body else "") or None,
        dateline=text_of(find(content, "dateline")) or (body.dateline if body else "") or None,
        captions=_captions(content, body),
        corrections=notes if "correction" in signals else (),
        details=agency.details(
            byline=bylines or (body.bylines if body else ()),
            creditline=text_of(find(content, "creditline")),
            ednote=notes,
            genres=(_name(genre, language) for genre in find_all(content, "genre")),
            keywords=texts(find_all(content, "keyword")),
            located=(_name(place, language) for place in find_all(content, "located")),
            signals=signals,
            slugline=texts(find_all(content, "slugline")),
            sources=(_name(source, language) for source in find_all(content, "infosource")),
            subheadlines=(*texts(headlines[1:]), *(body.subheadlines if body else ())),
            subjects=(_name(subject, language) for subject in find_all(content, "subject")),
            urgency=text_of(find(content, "urgency")),
            usage_terms=terms,
        ),
    )


def _captions(content: Element | None, body: nitf.Body | None) -> tuple[str, ...]:
    described = [d for d in find_all(content, "description") if agency.tail(attribute(d, "role")) == "caption"]
    return _unique((*texts(described), *(body.captions if body else ())))


def _described(content: Element | None) -> tuple[Line, ...]:
    """The longest description that is no caption: what some services send in place of a text."""
    said = [d for d in find_all(content, "description") if agency.tail(attribute(d, "role")) != "caption"]
    return max((split_lines(text_of(d), "p") for d in said), key=_size, default=())


def _kind(item: Element, meta: Element | None, content_set: Element | None) -> str:
    kind = _ITEMS[name_of(item)]
    if kind == "concept" and any(descendants(item, "eventdetails")):
        return "event"
    if kind:
        return kind
    inner = next((name_of(e) for part in _parts(content_set) for e in part if name_of(e) in _DATA), "")
    if inner:
        return {"events": "event", "sports-content": "sports data", "newscoverageset": "planning"}.get(inner, "concept")
    stated = agency.tail(attribute(find(meta, "itemclass"), "qcode", "uri", "literal")).lower()
    return {"photo": "picture", "still": "picture", "data": "data"}.get(stated, stated)


def _status(meta: Element | None) -> Status:
    said = find(meta, "pubstatus")
    return agency.status_of(attribute(said, "qcode", "uri", "literal") or text_of(said))


def _parts(content_set: Element | None) -> list[Element]:
    return [e for e in (content_set if content_set is not None else ()) if name_of(e) in ("inlinexml", "inlinedata")]


def _nitf_in(content_set: Element | None) -> nitf.Body | None:
    for part in _parts(content_set):
        for inner in part:
            if name_of(inner) == "nitf":
                return nitf.read_body(inner)
    return None


def _lines(content_set: Element | None) -> tuple[Line, ...]:
    """The fullest of the renditions of the text."""
    return max((_lines_of(part) for part in _parts(content_set)), key=_size, default=())


def _lines_of(part: Element) -> tuple[Line, ...]:
    kind = attribute(part, "contenttype").lower()
    if len(part):
        shown = [e for e in part if name_of(e) not in _DATA]
        return agency.renumber(xml_tree.lines_of(_html_body(e)) for e in shown)
    if attribute(part, "encoding"):
        return ()
    text = printable("".join(part.itertext()))
    return markup.lines_from_html(text) if "html" in kind or "xml" in kind else split_lines(text, "p")


def _html_body(element: Element) -> Element:
    """A page's body: its head is about the page."""
    body = find(element, "body") if name_of(element) == "html" else None
    return element if body is None else body


def _size(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)


def _name(element: Element | None, language: str | None, *, with_code: bool = True) -> str:
    """The name in the item's language, else any, else the last part of its code."""
    if element is None:
        return ""
    names = list(find_all(element, "name")) or list(find_all(element, "organisationname"))
    base = (language or "").partition("-")[0]
    names.sort(key=lambda n: (xml_tree.language_of(n) or base).partition("-")[0] != base)
    if names and (text := text_of(names[0])):
        return text
    return agency.tail(attribute(element, "literal", "qcode", "uri")) if with_code else attribute(element, "literal")


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))
