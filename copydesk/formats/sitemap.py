"""Sitemaps, news sitemaps and sitemap indexes (sitemaps.org): the addresses of pages, with what is said of each.

They carry no text, so each entry comes out as a page that is still to be fetched, never as an article.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from copydesk.errors import MalformedInput, PageNotFetched
from copydesk.formats.dates import read_date
from copydesk.formats.encoding import decode, printable
from copydesk.formats.opening import Opening
from copydesk.formats.references import number_references
from copydesk.models import Fields, Hints, Parsed

_ROOTS = frozenset(("urlset", "sitemapindex"))

ENTRIES_MAX = 50_000
"""What sitemaps.org allows in one file."""


def matches(opening: Opening) -> bool:
    """True where the first element is a sitemap's."""
    return opening.root in _ROOTS


def is_index(opening: Opening) -> bool:
    """True for a list of sitemaps, which names no page itself."""
    return opening.root == "sitemapindex"


def parse(data: bytes, hints: Hints) -> list[Parsed]:
    """One candidate for each address, in order, each with `PageNotFetched`; `key` is the address.

    A news sitemap gives title, publication, language and time. Raises MalformedInput where nothing can be read.
    """
    subject = hints.filename or hints.url or ""
    decoded = decode(data, None, hints)
    # The declaration names the encoding of the bytes, which are decoded by now.
    text = number_references(decoded.text[decoded.text.find("<") :])[0].encode("utf-8")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, recover=True, remove_comments=True, remove_pis=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MalformedInput(subject, str(error)) from error
    if root is None or _name(root) not in _ROOTS:
        raise MalformedInput(subject, "no element of a sitemap")
    entries = [entry for entry in root if _name(entry) in ("url", "sitemap")]
    if len(entries) > ENTRIES_MAX:
        raise MalformedInput(subject, f"{len(entries):,} entries, the format allows {ENTRIES_MAX:,}")
    warnings = (*decoded.warnings, "ill_formed_xml") if len(parser.error_log) else decoded.warnings
    found = (_entry(entry, decoded.encoding, warnings) for entry in entries)
    return list({parsed.key: parsed for parsed in found if parsed}.values())


def _entry(entry: etree._Element, encoding: str, warnings: tuple[str, ...]) -> Parsed | None:
    said = dict(_texts(entry))
    url = said.get("loc", "")
    if not url:
        return None
    published, modified = read_date(said.get("publication_date", "")), read_date(said.get("lastmod", ""))
    what = "a sitemap" if _name(entry) == "sitemap" else "a page"
    return Parsed(
        format="sitemap",
        lines=(),
        fields=Fields(
            title=said.get("title") or None,
            published_at=published or modified,
            updated_at=modified if published and modified != published else None,
            publisher=said.get("name") or None,
            language=said.get("language") or None,
            url=url,
            guid=url,
        ),
        key=url,
        raw=etree.tostring(entry, encoding="utf-8", with_tail=False),
        encoding=encoding,
        warnings=warnings,
        error=PageNotFetched(url, f"{what} that a sitemap names"),
    )


def _texts(entry: etree._Element) -> Iterator[tuple[str, str]]:
    """Local name and text of the entry's own elements and those of `news:news`; others name images and videos."""
    for element in entry:
        name = _name(element)
        if name in ("news", "publication"):
            # `news` within `news` is nobody's: a level each is enough, and bounds the recursion.
            yield from _texts(element) if _name(entry) in ("url", "news") and name != _name(entry) else ()
        elif name in ("language", "lastmod", "loc", "name", "publication_date", "title"):
            yield name, " ".join(printable(element.text or "").split())


def _name(element: etree._Element) -> str:
    # A mending parser lets names like `:` through, which QName refuses.
    return element.tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(element.tag, str) else ""
