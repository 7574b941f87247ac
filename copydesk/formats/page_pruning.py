"""Takes out of a page's tree, before its main text is looked for, what its markup says is no story.

Menus, share bars, related stories, sign-up boxes, comments, advertisements, pictures with their captions, hidden
elements: told by element, by class, id and role, and by how much of their text is links. Nothing is judged by words
of the text, and nothing is taken that holds a large share of the page's prose, whatever it is called: class names of
wrappers lie. Captions are handed back, since they are data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from lxml.html import HtmlElement

_ALWAYS = frozenset(
    (
        "audio", "button", "canvas", "iframe", "input", "link", "noscript", "object", "script", "select", "style",
        "svg", "template", "textarea", "video",
    )
)  # fmt: skip
_USUALLY = frozenset(("aside", "dialog", "footer", "form", "menu", "nav"))
"""Elements that go unless they hold much prose: forms and asides wrap whole pages on some sites."""
_ROLES = frozenset(("alert", "banner", "complementary", "contentinfo", "dialog", "navigation", "search", "toolbar"))
_MOST_PROSE = 0.2
"""Share of the page's prose that an element may hold and still go."""
_PROSE = 80
"""Characters, links aside, from which a paragraph is prose."""
_LINK_SHARE = 0.8
_FEWEST_LINKS = 2
_HEADLINE_WORDS = 4
"""A paragraph that is one link of so many words or more, and no sentence, is the headline of another story."""

# Whole words of a class or id, split at signs and at capitals. From common usage and from pages of the open
# sets; the weight of each alone was not measured.
_WORDS = frozenset(
    (
        "ad", "ads", "adslot", "advert", "advertisement", "advertising", "advertorial", "affiliate",
        "authorbio", "authorbox", "authorinfo", "banner", "bio", "biobox", "biography", "breadcrumb",
        "breadcrumbs", "byline", "bylines", "caption", "captions", "chartbeat", "clickbait", "comment",
        "commenting", "commentlist", "comments", "cookie", "cookiebanner", "cookies", "copyright", "credit",
        "credits", "crosslinks", "datawrapper", "dateline", "disclaimer", "disqus", "donate", "donation",
        "embedbox", "fbcomments", "feedback", "figcaption", "flyout", "followus", "footer", "footnote", "gdpr",
        "hashtags", "infobox", "inlinepromo", "jp-relatedposts", "keywords", "leaderboard", "livefyre", "login",
        "mailinglist", "masthead", "metadata", "mostpopular", "mostread", "mostviewed", "nav", "navbar",
        "navigation", "newsletter", "newsletters", "outbrain", "pagination", "paginator", "playlist", "podcast",
        "popular", "popup", "postmeta", "print", "promo", "promobox", "promotion", "promotions", "pulledquote",
        "pullquote", "pushnotification", "rating", "readmore", "readnext", "recirc", "recirculation",
        "recommend", "recommendation", "recommendations", "recommended", "related", "relatedarticles",
        "relatedcontent", "relatedlinks", "relatednews", "relatedposts", "relatedstories", "relatedtopics",
        "reporter", "seealso", "share", "sharebar", "sharebuttons", "sharedaddy", "sharethis", "sharetools",
        "sharing", "sidebar", "signup", "skiplink", "skiplinks", "social", "socialbar", "socialmedia",
        "socials", "sponsor", "sponsored", "subscribe", "survey", "taboola", "tagcloud", "taglist", "tags",
        "teaser", "teasers", "timestamp", "toolbar", "tooltip", "topics", "trending", "utility", "widget",
        "zergnet",
    )
)  # fmt: skip
# Two words that stand beside one another.
_PAIRS = frozenset(
    (
        "about-author", "also-like", "also-read", "article-list", "article-meta", "article-tags",
        "article-topics", "author-bio", "author-bios", "author-box", "author-card", "author-details",
        "author-info", "author-profile", "card-list", "editors-picks", "email-capture", "entry-meta",
        "follow-us", "further-reading", "image-caption", "image-credit", "inline-link", "keep-reading",
        "key-points", "latest-news", "link-list", "links-list", "list-links", "meta-data", "more-from",
        "more-in", "more-news", "more-on", "more-stories", "most-popular", "most-read", "most-viewed",
        "next-article", "next-post", "next-up", "other-news", "photo-caption", "photo-credit", "post-date",
        "post-meta", "post-nav", "post-navigation", "post-tags", "privacy-box", "privacy-modal", "read-also",
        "read-more", "read-next", "reading-time", "see-also", "similar-articles", "story-list", "story-meta",
        "tag-list", "top-stories", "up-next", "video-player", "watch-next", "you-may",
    )
)  # fmt: skip
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CAPTION_CLASS = re.compile(r"caption|bildunterschrift|legende|cutline", re.IGNORECASE)
_SENTENCE_END = tuple('.!?…。！？"”’»」)')
_INLINE_BLOCKS = frozenset(("blockquote", "dd", "li", "p", "td"))
_INLINE = frozenset(("a", "abbr", "b", "em", "i", "rp", "rt", "ruby", "span", "strong"))
"""Part of their sentence in a paragraph of prose, whatever their class."""
_CONTAINERS = frozenset(
    ("article", "div", "dl", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "section", "span", "strong", "table", "ul")
)
_ROOTS = frozenset(("article", "body", "h1", "head", "html", "main", "title"))
"""Never taken: what holds the page, and its headline."""


@dataclass(slots=True)
class _Weight:
    """Characters under one element."""

    text: int = 0
    linked: int = 0
    prose: int = 0
    links: int = 0


def prune(tree: HtmlElement) -> tuple[str, ...]:
    """Remove from `tree`, in place, all that is no story by its markup; the captions taken, in reading order."""
    for element in list(tree.iter(*_ALWAYS)):
        if element.getparent() is not None:
            element.drop_tree()
    weights = _weigh(tree)
    total = weights[tree].prose
    captions: dict[str, None] = {}
    gone: set[HtmlElement] = set()
    for element in list(tree.iter("*")):
        parent = element.getparent()
        if parent is None or element.tag in _ROOTS:
            continue
        if parent in gone:
            gone.add(element)
            continue
        if element.tag in _INLINE and weights[parent].prose and parent.tag in _INLINE_BLOCKS:
            continue
        if weights[element].prose > _MOST_PROSE * total and element.tag != "figure":
            continue
        if _is_aside(element, weights[element]):
            gone.add(element)
            if total and element.tag in ("figcaption", "figure"):
                captions.update(dict.fromkeys(_captions(element)))
            element.drop_tree()
    return tuple(captions)


def _weigh(tree: HtmlElement) -> dict[HtmlElement, _Weight]:
    """The weight of every element of the tree, from the leaves up."""
    elements = list(tree.iter("*"))
    weights = {element: _Weight() for element in elements}
    for element in reversed(elements):
        weight = weights[element]
        own = len((element.text or "").strip()) + sum(len((child.tail or "").strip()) for child in element)
        weight.text += own
        if element.tag == "a":
            weight.linked, weight.links, weight.prose = weight.text, 1, 0
        elif element.tag in _INLINE_BLOCKS:
            free = weight.text - weight.linked
            weight.prose = max(weight.prose, free if free >= _PROSE else 0)
        elif own >= _PROSE:
            weight.prose += own
        parent = element.getparent()
        if parent is not None and element is not tree:
            above = weights[parent]
            above.text += weight.text
            above.linked += weight.linked
            above.prose += weight.prose
            above.links += weight.links
    return weights


def _is_aside(element: HtmlElement, weight: _Weight) -> bool:
    tag = element.tag
    if tag in _USUALLY or tag == "figcaption":
        return True
    if tag == "figure":
        return next(element.iter("blockquote"), None) is None
    if element.get("role") in _ROLES or _is_hidden(element):
        return True
    if _is_named_aside(element):
        return True
    return tag in _CONTAINERS and _is_link_list(element, weight)


def _is_hidden(element: HtmlElement) -> bool:
    style = element.get("style")
    return "hidden" in element.attrib or (style is not None and _HIDDEN.search(style) is not None)


def _is_named_aside(element: HtmlElement) -> bool:
    return any(name and _names_aside(name) for name in (element.get("class"), element.get("id")))


def _names_aside(name: str) -> bool:
    for single in name.split():
        words = [word.lower() for word in _SPLIT.split(single) if word]
        if not _WORDS.isdisjoint(words):
            return True
        if any(f"{one}-{two}" in _PAIRS for one, two in pairwise(words)):
            return True
    return False


def _is_link_list(element: HtmlElement, weight: _Weight) -> bool:
    """Several links and little else, or one link that is the headline of another story."""
    if not weight.links or weight.prose or weight.linked < _LINK_SHARE * weight.text:
        return False
    if weight.links >= _FEWEST_LINKS:
        return element.tag in ("div", "ol", "section", "ul", "table")
    if element.tag not in ("div", "li", "p"):
        return False
    text = " ".join(element.text_content().split())
    return len(text.split()) >= _HEADLINE_WORDS and not text.endswith(_SENTENCE_END)


def _captions(element: HtmlElement) -> Sequence[str]:
    """The captions under an element that goes: of figures, and of elements that call themselves so."""
    found = [
        part
        for part in element.iter("figcaption", "div", "p", "span")
        if part.tag == "figcaption" or _CAPTION_CLASS.search(part.get("class") or "")
    ]
    outer = [part for part in found if not any(above in found for above in part.iterancestors())]
    return [text for part in outer if (text := " ".join(part.text_content().split()))]
