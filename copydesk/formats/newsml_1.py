"""NewsML 1.0 to 1.2: the items of a `NewsML` document, each the fullest text among its components.

Components in the role of a caption, and those of pictures, are not the text. Topic sets and the vocabularies behind
formal names are not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator

from copydesk.errors import MalformedInput
from copydesk.formats import agency, markup, nitf, xml_tree
from copydesk.formats.encoding import printable
from copydesk.formats.opening import Opening
from copydesk.formats.text import split_lines
from copydesk.formats.xml_tree import Element, attribute, descendants, find, find_all, name_of, text_of, texts
from copydesk.models import Fields, Hints, Line, Parsed

# The kinds of items by the media of their content.
_KINDS = {
    "animation": "graphic",
    "audio": "audio",
    "complexdata": "data",
    "graphic": "graphic",
    "photo": "picture",
    "picture": "picture",
    "video": "video",
}


def matches(opening: Opening) -> bool:
    """True where the first element is `NewsML`."""
    return opening.root == "newsml"


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """The items in their order; `key` is None where there is one. Raises MalformedInput where there is none."""
    tree = xml_tree.read_tree(data, hints)
    items = list(find_all(tree.root, "newsitem"))
    if not items:
        raise MalformedInput(hints.filename or hints.url or "", "no item of NewsML")
    found = [_read(item, tree, data if len(items) == 1 else xml_tree.serialise(item), hints) for item in items]
    return found if len(found) == 1 else agency.tell_apart(found)


def _read(item: Element, tree: xml_tree.Tree, raw: bytes, hints: Hints) -> Parsed:
    management = find(item, "newsmanagement")
    status = attribute(find(management, "status"), "formalname")
    contents = [c for c in descendants(item, "contentitem") if not _is_caption(c)]
    body = max((b for c in contents if (b := _nitf_in(c))), key=lambda b: len(b.lines), default=None)
    lines = max([body.lines if body else (), *map(_lines, contents)], key=_size)
    embargo = None
    if status.lower() == "embargoed":
        embargo = text_of(find(management, "statuswillchange", "dateandtime"))
    parsed = Parsed(
        format="newsml_1",
        lines=lines,
        fields=_fields(item, management, body),
        raw=raw,
        encoding=tree.encoding,
        warnings=tree.warnings,
        kind="text" if lines else _media(contents),
    )
    return agency.conclude(parsed, status=agency.status_of(status), embargo_text=embargo, hints=hints)


def _fields(item: Element, management: Element | None, body: nitf.Body | None) -> Fields:
    identifier = find(item, "identification", "newsidentifier")
    own = [text_of(find(identifier, name)) for name in ("providerid", "dateid", "newsitemid")]
    parties = list(descendants(item, "administrativemetadata"))
    published, updated = agency.times(
        (text_of(find(management, "firstcreated")),), (text_of(find(management, "thisrevisioncreated")),)
    )
    bylines = _newslines(item, "byline")
    rights = _newslines(item, "copyrightline", "rightsline")
    holder = next(iter(texts(descendants(item, "copyrightholder"))), "")
    headlines = _newslines(item, "headline")
    return Fields(
        title=(headlines[0] if headlines else "") or (body.headline if body else "") or None,
        published_at=published,
        updated_at=updated,
        publisher=next(_parties(parties, "provider"), "") or (body.distributor if body else "") or own[0] or None,
        authors=() if bylines else (tuple(_parties(parties, "creator")) or (body.authors if body else ())),
        language=_language(item) or xml_tree.language_of(item),
        # The public identifier names the revision too; without it the item has one name for all of them.
        guid=f"urn:newsml:{':'.join(own)}" if own[2] else text_of(find(identifier, "publicidentifier")) or None,
        rights=agency.rights_of(rights[0] if rights else "", holder, rights[1:]),
        version=text_of(find(identifier, "revisionid")) or None,
        byline="; ".join(bylines) or (body.byline if body else "") or None,
        dateline=next(iter(_newslines(item, "dateline")), "") or (body.dateline if body else "") or None,
        captions=(*_captions(item), *(body.captions if body else ())),
        details=agency.details(
            byline=bylines or (body.bylines if body else ()),
            creditline=_newslines(item, "creditline"),
            ednote=texts(find_all(management, "instruction")),
            keywords=_newslines(item, "keywordline"),
            slugline=_newslines(item, "slugline"),
            subheadlines=_newslines(item, "subheadline"),
            subjects=(
                attribute(e, "formalname") for e in descendants(item, "subject", "subjectmatter", "subjectdetail")
            ),
            urgency=attribute(find(management, "urgency"), "formalname"),
        ),
    )


def _newslines(item: Element, *names: str) -> tuple[str, ...]:
    return texts(line for lines in descendants(item, "newslines") for line in descendants(lines, *names))


def _parties(metadata: list[Element], role: str) -> Iterator[str]:
    for element in (party for one in metadata for party in find_all(one, role, "party")):
        if name := attribute(element, "formalname") or text_of(element):
            yield name


def _language(item: Element) -> str | None:
    tags = (attribute(e, "formalname") for e in descendants(item, "language"))
    return next((tag for tag in tags if tag.replace("-", "").isalnum() and tag.isascii() and len(tag) <= 20), None)


def _captions(item: Element) -> tuple[str, ...]:
    captions = (c for c in descendants(item, "contentitem") if _is_caption(c))
    return tuple(text for c in captions if (text := " ".join(line.text for line in _lines(c))))


def _is_caption(content: Element) -> bool:
    """True for the content of a component whose role says so."""
    roles = (attribute(find(above, "role"), "formalname").lower() for above in content.iterancestors())
    return any("caption" in role for role in roles)


def _media(contents: list[Element]) -> str:
    stated = (attribute(find(content, "mediatype"), "formalname").lower() for content in contents)
    return next((_KINDS[kind] for kind in stated if kind in _KINDS), "text")


def _is_text(content: Element) -> bool:
    return attribute(find(content, "mediatype"), "formalname").lower() in ("", "text")


def _nitf_in(content: Element) -> nitf.Body | None:
    inner = next((e for data in descendants(content, "datacontent") for e in data if name_of(e) == "nitf"), None)
    return nitf.read_body(inner) if inner is not None and _is_text(content) else None


def _lines(content: Element) -> tuple[Line, ...]:
    data = find(content, "datacontent")
    if data is None or not _is_text(content) or find(content, "encoding") is not None:
        return ()
    shown = [find(e, "body") if name_of(e) == "html" else e for e in data if name_of(e) != "nitf"]
    if len(data):
        return agency.renumber(xml_tree.lines_of(e) for e in shown if e is not None)
    text = printable("".join(map(str, data.itertext())))
    is_html = "html" in attribute(find(content, "format"), "formalname").lower()
    return markup.lines_from_html(text) if is_html or "</p>" in text.lower() else split_lines(text, "p")


def _size(lines: tuple[Line, ...]) -> int:
    return sum(len(line.text) for line in lines)
