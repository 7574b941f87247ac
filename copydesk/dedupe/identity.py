"""Identity: the names under which a document can be met again, and what a meeting means.

Likeness of texts without a common name is not decided here.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from copydesk.dedupe.codepoints import JOINING, POINTS, counts, tables
from copydesk.dedupe.likeness import DEFAULT, likeness
from copydesk.dedupe.urls import canonical_url
from copydesk.errors import ItemConflict
from copydesk.models import Held, IdentityKey, KeyKind, Outcome, Verdict

# Under this many letters and digits a body alone is not telling ("More follows."), so the headline counts too.
SHORT_BODY = 200

# A longer name (a URL full of parameters) is kept as its beginning and a hash: Postgres indexes at most 2,704 bytes.
KEY_BYTES_MAX = 1500
_KEY_BYTES_KEPT = 200

_VERSION = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18}){0,5}")

# Strongest first. Each but `text` is scoped to its source.
VERSIONED = ("document", "guid", "url", "name")


def identity_keys(
    *,
    source: str,
    title: str | None,
    body: Iterable[str],
    item_id: str | None = None,
    document_id: str | None = None,
    guid: str | None = None,
    alias: str | None = None,
    url: str | None = None,
    name: str | None = None,
) -> tuple[IdentityKey, ...]:
    """Every key of a document, strongest first; the text's own key is always there."""
    scoped: tuple[tuple[KeyKind, str | None], ...] = (
        ("item", item_id),
        ("document", document_id),
        ("guid", guid),
        ("url", canonical_url(url) if url else None),
        # What a feed's item keeps when its address changes its host: a guid of our own making, hence after the address.
        ("guid", alias),
        ("name", name),
    )
    keys = [IdentityKey(kind=kind, value=_scope(source, value)) for kind, value in scoped if value]
    return (*keys, IdentityKey(kind="text", value=text_sha256(title, body)))


def guid_key(source: str, guid: str) -> IdentityKey:
    """The key of an item that its sender names, without the item itself."""
    return IdentityKey(kind="guid", value=_scope(source, guid))


def text_sha256(title: str | None, body: Iterable[str]) -> str:
    """Hash of the letters and digits of a body, with the headline where the body is short.

    White space, punctuation, case and width do not count, so a copy set by another printer is the same text.
    """
    paragraphs = tuple(body)
    letters = _letters("".join(paragraphs))
    if len(letters) < SHORT_BODY:
        headline = _letters(title or "")
        # Without any letter (a row of stars, emoji) only the signs themselves can tell.
        signs = "" if headline or letters else "".join("".join(paragraphs).split())
        letters = f"{headline}\n{letters}{signs}"
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


def judge(
    keys: Sequence[IdentityKey],
    held: Mapping[IdentityKey, Held],
    *,
    item_sha256: str,
    content_sha256: str,
    received_at: datetime,
    body: tuple[str, ...],
    version: str | None = None,
) -> Verdict:
    """Decide what a document is from the keys it shares with stored articles.

    `held` has an entry for each key that an article holds. The strongest key that settles the matter wins; the
    reason names it. `version` is the sender's number under the first guid.
    """
    own_guid = next((key for key in keys if key.kind == "guid"), None)
    for key in keys:
        known = held.get(key)
        if known is None:
            continue
        if key.kind == "item":
            return _same_item(known, item_sha256)
        if key.kind == "text":
            return Verdict(Outcome.DUPLICATE, known.article_id, "the text is the same, letter for letter")
        verdict = _same_name(
            key, known, item_sha256=item_sha256, content_sha256=content_sha256, received_at=received_at, body=body
        )
        if verdict and verdict.outcome is Outcome.REVISED and key == own_guid:
            verdict = _in_order(verdict, version, known.version)
        if verdict is not None:
            return verdict
    return Verdict(Outcome.STORED, None, "no stored article has its identity or its text")


def _same_item(known: Held, item_sha256: str) -> Verdict:
    if known.item_sha256 == item_sha256:
        return Verdict(Outcome.UNCHANGED, known.article_id, "item: handed over before, unchanged")
    conflict = ItemConflict()
    return Verdict(Outcome.REJECTED, None, f"item: {conflict}", code=conflict.code)


def _same_name(
    key: IdentityKey,
    known: Held,
    *,
    item_sha256: str,
    content_sha256: str,
    received_at: datetime,
    body: tuple[str, ...],
) -> Verdict | None:
    if known.item_sha256 == item_sha256:
        return Verdict(Outcome.UNCHANGED, known.article_id, f"{key.kind}: the same bytes as before")
    if not known.owned:
        return None
    if known.content_sha256 == content_sha256:
        return Verdict(Outcome.UNCHANGED, known.article_id, f"{key.kind}: other bytes, the same content")
    scores: dict[str, float] = {}
    if key.kind == "name":
        jaccard, containment = likeness(body, known.body)
        scores = {"jaccard": round(jaccard, 3), "containment": round(containment, 3)}
        if jaccard < DEFAULT.jaccard and containment < DEFAULT.containment:
            return None
    if received_at < known.received_at:
        reason = f"{key.kind}: a changed text, received before the current one"
        return Verdict(Outcome.REVISED, known.article_id, reason, is_current=False, scores=scores)
    return Verdict(Outcome.REVISED, known.article_id, f"{key.kind}: a changed text", scores=scores)


def _in_order(verdict: Verdict, version: str | None, known: str | None) -> Verdict:
    """The sender's numbers say which version is newer, whenever they come; without them the time of receipt does."""
    order = compare_versions(version, known)
    if not order:
        return verdict
    what = "newer" if order > 0 else "older"
    reason = f"guid: version {version} is {what} than {known}"
    return Verdict(Outcome.REVISED, verdict.article_id, reason, is_current=order > 0, scores=verdict.scores)


def compare_versions(one: str | None, other: str | None) -> int:
    """-1, 0 or 1; 0 where one of them is no number, or numbers with points between."""
    numbers = [[int(part) for part in text.split(".")] for text in (one, other) if text and _VERSION.fullmatch(text)]
    if len(numbers) < 2 or numbers[0] == numbers[1]:
        return 0
    return 1 if numbers[0] > numbers[1] else -1


def _scope(source: str, value: str) -> str:
    scoped = f"{source}\n{value}"
    data = scoped.encode("utf-8", "surrogatepass")
    if len(data) <= KEY_BYTES_MAX:
        return scoped
    return f"{data[:_KEY_BYTES_KEPT].decode('utf-8', 'ignore')}…{hashlib.sha256(data).hexdigest()}"


def _letters(text: str) -> str:
    if text.isascii():  # a twentieth of the time
        return text.lower().encode("ascii").translate(None, _ASCII_SIGNS).decode("ascii")
    points, table = _points(text), tables()
    letters = table.letters.take(points, mode="clip")
    if letters.max(initial=0) == JOINING or points.max(initial=0) >= POINTS:
        folded = unicodedata.normalize("NFKC", text).casefold()
        points = _points(folded)
        if points.max(initial=0) >= POINTS:
            return "".join(filter(counts, folded))
        letters = np.where(table.is_letter.take(points), points, 0)
    return letters.compress(letters != 0).tobytes().decode("utf-32-le", "surrogatepass")


def _points(text: str) -> NDArray[np.uint32]:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


_ASCII_SIGNS = bytes(point for point in range(128) if not chr(point).isalnum())
