"""NITF 2.5 to 3.6: one article, marked up by its agency.

`read_body` also serves the formats that carry NITF inside. Media are not part of the text: their captions are kept
apart. Read by the DTD's element names; a document in a namespace is the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from copydesk.formats import agency, xml_tree
from copydesk.formats.encoding import printable
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.formats.xml_tree import Element, attribute, descendants, find, find_all, name_of, text_of, texts
from copydesk.models import Fields, Hints, Line, Parsed, Status

_MEDIA_TYPES = frozenset(("application/nitf+xml", "text/vnd.iptc.nitf"))

# What NITF's elements are in HTML, as far as that makes a difference to a line.
_AS_HTML = {
    "abstract": "div",
    "block": "div",
    "body.content": "div",
    "bq": "blockquote",
    "credit": "p",
    "hl1": "h1",
    "hl2": "h2",
    "nitf-table": "table",
    "note": "div",
    "nitf-col": "td",
    "tagline": "p",
}
_NO_TEXT = frozenset(("media", "note", "nitf-table-metadata", "nitf-colgroup", "custom-table", "alt-code", "ednote"))
_KILL = re.compile(r"(?:(?:mandatory|bulletin|urgent)[\s:-]+)?(?:story\s+)?kill(?:ed)?\b", re.IGNORECASE)
_WITHHOLD = re.compile(r"(?:story\s+)?with(?:hold|held)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Body:
    """What an element `nitf` says in its body."""

    headline: str
    subheadlines: tuple[str, ...]
    byline: str
    """Without the writer's title."""
    bylines: tuple[str, ...]
    authors: tuple[str, ...]
    dateline: str
    distributor: str
    rights: tuple[str, ...]
    notes: tuple[str, ...]
    captions: tuple[str, ...]
    photographers: tuple[str, ...]
    lines: tuple[Line, ...]


def matches(opening: Opening) -> bool:
    """True where the first element is `nitf`, or the declared type says so and it is XML."""
    return opening.root == "nitf" or (opening.is_xml and opening.media_type in _MEDIA_TYPES)


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate. `guid` is the doc-id, `version` the du-key's; a kill is one that names what it kills.

    Raises MalformedInput for what is cut off or nests too deep.
    """
    tree = xml_tree.read_tree(data, hints)
    found = read_nitf(tree.root)
    return [
        agency.conclude(
            Parsed(
                format="nitf",
                lines=found.body.lines,
                fields=found.fields,
                raw=data,
                encoding=tree.encoding,
                warnings=tree.warnings,
                kind="text" if found.kind == "news" else found.kind,
            ),
            status=found.status,
            embargo_text=found.embargo,
            hints=hints,
        )
    ]


@dataclass(frozen=True, slots=True)
class Nitf:
    """A whole document: its fields, body, status and embargo."""

    fields: Fields
    body: Body
    kind: str
    status: Status
    embargo: str | None


def read_nitf(root: Element) -> Nitf:
    """Everything that an element `nitf` says."""
    head = find(root, "head")
    data = find(head, "docdata")
    if data is None:
        data = find(root, "docdata")
    body = read_body(root)
    doc_id = find(data, "doc-id")
    status, subject = _status(data)
    own = attribute(doc_id, "id-string")
    correction = attribute(find(data, "correction"), "id-string")
    copyright_ = find(data, "doc.copyright")
    pubdata = find(head, "pubdata")
    published, updated = _times(root, head, data)
    holder = attribute(copyright_, "holder")
    rights = body.rights or agency.rights_of("", _holder(holder, attribute(copyright_, "year")), ())
    messages = tuple(filter(None, (attribute(m, "info") for m in find_all(data, "ed-msg"))))
    return Nitf(
        Fields(
            title=body.headline or text_of(find(head, "title")) or None,
            section=attribute(pubdata, "position.section") or _section(head) or None,
            published_at=published,
            updated_at=updated,
            publisher=body.distributor or attribute(pubdata, "name") or holder or attribute(doc_id, "regsrc") or None,
            authors=body.authors,
            language=xml_tree.language_of(find(root, "body", "body.content"), find(root, "body"), root),
            url=attribute(pubdata, "ex-ref") or None,
            guid=subject or own or None,
            rights=rights,
            version=attribute(find(data, "du-key"), "version", "generation") or None,
            replaces=correction if correction and correction != own else None,
            byline=body.byline or None,
            dateline=body.dateline or None,
            captions=body.captions,
            corrections=tuple(filter(None, (attribute(c, "info") for c in find_all(data, "correction")))),
            details=agency.details(
                byline=body.bylines,
                ednote=(*messages, *body.notes),
                genres=_genres(head),
                located=tuple(attribute(e, "city", "state-prov", "county-dist") for e in find_all(data, "evloc")),
                photographers=body.photographers,
                slugline=(attribute(find(data, "du-key"), "key"), attribute(find(data, "fixture"), "fix-id")),
                subheadlines=body.subheadlines,
                subjects=_subjects(head, data),
                urgency=attribute(find(data, "urgency"), "ed-urg"),
                expires=agency.moment(attribute(find(data, "date.expire"), "norm")),
            ),
        ),
        body,
        _kind(head),
        status,
        _embargo(data),
    )


def _times(root: Element, head: Element | None, data: Element | None) -> tuple[str | None, str | None]:
    """When it was published, by the first element that says so, and when it was last revised."""
    published = (
        attribute(find(data, "date.issue"), "norm"),
        attribute(find(head, "pubdata"), "date.publication"),
        attribute(find(data, "date.release"), "norm"),
        attribute(find(body_head(root), "dateline", "story.date"), "norm"),
    )
    return agency.times(published, reversed([attribute(e, "norm") for e in find_all(head, "revision-history")]))


def read_body(root: Element) -> Body:
    """The body of an element `nitf`; all empty where it has none."""
    head, content = body_head(root), find(root, "body", "body.content")
    hedline = find(head, "hedline")
    headline = text_of(find(hedline, "hl1"))
    bylines = list(find_all(head, "byline"))
    dateline = find(head, "dateline")
    media = list(descendants(content, "media"))
    notes = [*find_all(head, "note"), *find_all(hedline, "note"), *descendants(content, "note")]
    return Body(
        headline=headline or text_of(hedline),
        subheadlines=texts(find_all(hedline, "hl2")),
        byline="; ".join(filter(None, map(_byline, bylines))),
        bylines=tuple(filter(None, (_signature(b) for b in bylines))),
        authors=_authors(bylines),
        dateline=text_of(dateline),
        distributor=text_of(find(head, "distributor")),
        rights=texts(find_all(head, "rights")),
        notes=texts(notes),
        captions=texts(caption for m in media for caption in descendants(m, "media-caption")),
        photographers=texts(producer for m in media for producer in descendants(m, "media-producer")),
        lines=_lines(head, content, find(root, "body", "body.end")),
    )


def body_head(root: Element) -> Element | None:
    """The element `body.head`."""
    return find(root, "body", "body.head")


def _lines(head: Element | None, content: Element | None, end: Element | None) -> tuple[Line, ...]:
    """The content; the abstract where there is none; then the tagline, which cleaning judges."""
    parts = [_lines_of(content), *(_lines_of(tag) for tag in find_all(end, "tagline"))]
    if not parts[0]:
        parts = [_lines_of(abstract) for abstract in find_all(head, "abstract")]
    return agency.renumber(parts)


def _lines_of(element: Element | None) -> tuple[Line, ...]:
    if element is None:
        return ()
    copied = xml_tree.copy_of(element)
    for inner in list(copied.iter()):
        name = name_of(inner)
        if name in _NO_TEXT:
            xml_tree.take_out(inner)
        elif name in _AS_HTML:
            inner.tag = _AS_HTML[name]
    if not len(copied):
        # Plain text with its own line breaks, as it comes out of old systems.
        return split_lines(printable("".join(map(str, copied.itertext()))), "p")
    return xml_tree.lines_of(copied)


def _authors(bylines: list[Element]) -> tuple[str, ...]:
    """The persons in the bylines; without them cleaning reads the text."""
    return texts(person for byline in bylines for person in descendants(byline, "person"))


def _byline(element: Element) -> str:
    """The byline without the writer's title, unless that is all there is."""
    titles = [text_of(title) for title in find_all(element, "byttl")]
    text = text_of(element)
    for title in titles:
        text = xml_tree.one_line(text.replace(title, " ")) if text != title else text
    return text.strip(" ,;")


def _signature(element: Element) -> str:
    """The byline and the writer's title."""
    byline = _byline(element)
    return ", ".join([byline, *(title for title in texts(find_all(element, "byttl")) if title != byline)])


def _status(data: Element | None) -> tuple[Status, str]:
    """The status, and the other item that it is about where it names one."""
    other = attribute(data, "management-doc-idref")
    about_other = agency.status_of(attribute(data, "management-idref-status")) if other else Status.USABLE
    if about_other is not Status.USABLE:
        return about_other, other
    status = agency.status_of(attribute(data, "management-status"))
    for message in find_all(data, "ed-msg"):
        if status is Status.USABLE:
            kind, info = attribute(message, "msg-type"), attribute(message, "info")
            if _KILL.search(kind) or _KILL.match(info):
                status = Status.CANCELED
            elif _WITHHOLD.match(kind) or _WITHHOLD.match(info):
                status = Status.WITHHELD
    return status, other if status is not Status.USABLE else ""


def _embargo(data: Element | None) -> str | None:
    """The release, where it comes after the issue or the status says embargoed; None where there is no embargo."""
    release, issue = (agency.moment(attribute(find(data, name), "norm")) for name in ("date.release", "date.issue"))
    if attribute(data, "management-status").lower() == "embargoed":
        return release or ""
    # Local times as they stand: one of the two often lacks its zone.
    return release if release and (issue is None or release[:19] > issue[:19]) else None


def _holder(holder: str, year: str) -> str:
    """`2024 Northwind`: some write a whole date where the year belongs."""
    return f"{year[:4]} {holder}" if holder and re.match(r"\d{4}", year) else holder


def _kind(head: Element | None) -> str:
    """`text` but for items that say they are planned, not written."""
    said = attribute(find(head, "tobject"), "tobject.type").lower()
    return "planning" if said in {"planning", "budget", "advisory schedule"} else "news"


def _section(head: Element | None) -> str:
    metas = {attribute(meta, "name").lower(): attribute(meta, "content") for meta in find_all(head, "meta")}
    return metas.get("section", "")


def _genres(head: Element | None) -> tuple[str, ...]:
    kinds = find_all(head, "tobject", "tobject.property")
    return tuple(attribute(kind, "tobject.property.type") for kind in kinds)


def _subjects(head: Element | None, data: Element | None) -> tuple[str, ...]:
    said = []
    for subject in find_all(head, "tobject", "tobject.subject"):
        names = ("detail", "matter", "type", "code", "refnum")
        said.append(attribute(subject, *(f"tobject.subject.{name}" for name in names)))
    for keyword in find_all(data, "key-list", "keyword"):
        said.append(attribute(keyword, "key"))
    return tuple(said)
