"""What a page says about itself outside its text: JSON-LD, Open Graph and meta elements, in that order of trust.

Explicit statements only. Guesses from the visible text (bylines, date lines) belong to the main-text extractor and
to cleaning. Reads a parsed tree; changes nothing in it.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from lxml.html import HtmlElement

from copydesk.formats.markup import text_from_html
from copydesk.formats.page_authors import find_authors
from copydesk.formats.page_dates import find_dates
from copydesk.formats.page_head import read_head
from copydesk.formats.page_title import find_title, name_site
from copydesk.models import Fields

_ARTICLE_TYPES = frozenset(
    (
        "AnalysisNewsArticle",
        "AdvertiserContentArticle",
        "Article",
        "AskPublicNewsArticle",
        "BackgroundNewsArticle",
        "BlogPosting",
        "LiveBlogPosting",
        "NewsArticle",
        "OpinionNewsArticle",
        "Report",
        "ReportageNewsArticle",
        "ReviewNewsArticle",
        "ScholarlyArticle",
        "SocialMediaPosting",
        "TechArticle",
    )
)
# Names of meta elements (name, property or itemprop) by field, the most trusted first.
_META: Mapping[str, tuple[str, ...]] = {
    "title": ("og:title", "parsely-title", "sailthru.title", "dc.title", "dcterms.title", "twitter:title", "headline"),
    "publisher": (
        "og:site_name",
        "article:publisher_name",
        "dc.publisher",
        "dcterms.publisher",
        "publisher",
        "application-name",
    ),
    "section": ("article:section", "og:article:section", "parsely-section", "section"),
    "url": ("og:url",),
    "rights": ("dc.rights", "dcterms.rights", "copyright", "rights"),
}
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_NODES_READ = 5_000
"""Bound on a page's JSON-LD; product lists run to hundreds of nodes."""


def read_metadata(tree: HtmlElement, url: str | None) -> Fields:
    """The fields that a page states; `url` is where it was found, used only where it names no address itself."""
    data = _article(tree)
    meta = _meta(tree)
    publisher = _clean(_name(data.get("publisher"))) or _first(meta, "publisher")
    address = _canonical(tree) or _first(meta, "url") or _text(data.get("url")) or url
    section = _clean(_text(data.get("articleSection"))) or _first(meta, "section")
    title = find_title(
        tree, _clean(data.get("headline")), _first(meta, "title"), name_site(publisher, address, section)
    )
    head = read_head(tree, title)
    published, updated = find_dates(head, _text(data.get("datePublished")), _text(data.get("dateModified")), meta)
    return Fields(
        title=title,
        section=section,
        published_at=published,
        updated_at=updated,
        publisher=publisher,
        authors=find_authors(
            tree, head, stated=data.get("author") or data.get("creator"), meta=meta, publisher=publisher
        ),
        language=_language(tree, data, meta),
        url=address,
        rights=tuple(filter(None, (_clean(_text(data.get("copyrightNotice"))) or _first(meta, "rights"),))),
    )


def _article(tree: HtmlElement) -> Mapping[str, Any]:
    """The first JSON-LD node that is an article, its references resolved one step; empty where there is none."""
    nodes: list[dict[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" in (script.get("type") or "").lower() and script.text:
            nodes.extend(_nodes(_load(script.text)))
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    for node in nodes:
        types = node.get("@type")
        if not _ARTICLE_TYPES.isdisjoint(types if isinstance(types, list) else [types]) and _is_whole(node):
            return {key: _resolve(value, by_id) for key, value in node.items()}
    return {}


def _is_whole(node: Mapping[str, Any]) -> bool:
    """A node that only points to an article (a list item, a related story) has neither of these."""
    return bool(node.get("headline") or node.get("datePublished") or node.get("author"))


def _load(text: str) -> Any:
    """JSON as pages write it: in a comment or CDATA section, with line breaks in strings, with a comma too many."""
    stripped = (
        re.sub(r"^\s*(?:<!--|//<!\[CDATA\[|<!\[CDATA\[|/\*.*?\*/)|(?:-->|//\]\]>|\]\]>)\s*$", "", text)
        .strip()
        .rstrip(";")
    )
    for attempt in (stripped, re.sub(r",\s*([}\]])", r"\1", stripped)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object under a JSON value, outer ones first."""
    waiting = deque([value])
    for _ in range(_NODES_READ):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _resolve(value: Any, by_id: Mapping[str, dict[str, Any]]) -> Any:
    if isinstance(value, dict) and isinstance(value.get("@id"), str) and "name" not in value:
        return by_id.get(value["@id"], value)
    if isinstance(value, list):
        return [_resolve(item, by_id) if isinstance(item, dict) else item for item in value]
    return value


def _meta(tree: HtmlElement) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta", "time"):
        content = element.get("content") or (element.get("datetime") if element.tag == "time" else None)
        if not content or not content.strip():
            continue
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            key = (element.get(attribute) or "").strip().lower()
            if key:
                found.setdefault(key, []).append(content.strip())
    return found


def _all(meta: Mapping[str, list[str]], field: str) -> list[str]:
    return [value for name in _META[field] for value in meta.get(name, ())]


def _first(meta: Mapping[str, list[str]], field: str) -> str | None:
    return next((clean for value in _all(meta, field) if (clean := _clean(value))), None)


def _name(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return _text(value.get("name")) if isinstance(value, dict) else _text(value)


def _text(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, str) and value.strip() else None


def _clean(value: Any) -> str | None:
    text = _text(value)
    return (text_from_html(text) or None) if text else None


def _language(tree: HtmlElement, data: Mapping[str, Any], meta: Mapping[str, list[str]]) -> str | None:
    root = tree.getroottree().getroot()
    stated = (
        root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or root.get("xml:lang"),
        _text(data.get("inLanguage")),
        *meta.get("og:locale", ()),
        *meta.get("content-language", ()),
    )
    for tag in stated:
        if tag and _LANGUAGE.fullmatch(tag.strip()):
            return str(tag).strip().replace("_", "-")
    return None


def _canonical(tree: HtmlElement) -> str | None:
    for link in tree.iter("link"):
        href = (link.get("href") or "").strip()
        if "canonical" in (link.get("rel") or "").lower().split() and href.startswith(("http://", "https://")):
            return str(href)
    return None
