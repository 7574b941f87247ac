"""Cleans stored inputs again by the rules of now: what would change, and on request the change itself.

A re-cleaning is no revision: the article's current one gets the new text, fields and pieces in place. Consumers are
told (`recleaned`) where the content is another; the search index follows that event. What a sender said stays: names,
address, version, embargo. Articles that would be none any more, and those whose input is not kept, are only counted.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from copydesk import pipeline
from copydesk.cleaning import Rules
from copydesk.dedupe.sketch import pack, sketch
from copydesk.delivery import restoring, settlement
from copydesk.errors import InputError
from copydesk.formats import Parser
from copydesk.models import Document, Hints, IdentityKey, Parsed, RawItem
from copydesk.queue.likeness_index import Keyed
from copydesk.storage import articles, identities, outbox, raws, recleaning, sketches
from copydesk.storage.articles import NewRevision
from copydesk.storage.connection import Connection, bounded_transaction
from copydesk.storage.identities import KeyState
from copydesk.storage.recleaning import FIELDS, StoredArticle

# Of one transaction: 100 ms at 3 KB a text, and half a second of cleaning before it.
SLICE = 100

# A difference here is a change of the content; the others are what is said of it.
_CONTENT = frozenset(FIELDS) - {"language", "dateline", "zone_unknown", "pieces", "warnings", "encoding"}

EVENT = "recleaned"


class Result(StrEnum):
    """What cleaning again comes to for one article."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    """The content is another."""
    RESTATED = "restated"
    """The content is the same, and what is said of it (pieces, language, warnings, …) is not."""
    NO_ARTICLE = "no_article"
    """By these rules its input holds no article."""
    NO_INPUT = "no_input"
    """Its input is not kept, or cannot be read any more."""
    OVERTAKEN = "overtaken"
    """A revision came meanwhile."""


@dataclass(frozen=True, slots=True)
class Recleaned:
    """One article cleaned again."""

    stored: StoredArticle
    result: Result
    fields: tuple[str, ...] = ()
    """That differ."""
    document: Document | None = None
    reason: str = ""


class _Overtaken(Exception):
    def __init__(self, article_ids: set[str]) -> None:
        super().__init__(article_ids)
        self.article_ids = article_ids


def compare(stored: StoredArticle, document: Document) -> tuple[Result, tuple[str, ...]]:
    """How a document differs from the stored one, and in which fields. Pure."""
    made = document.model_dump(mode="json", include=set(FIELDS))
    differing = tuple(name for name in FIELDS if made[name] != stored.fields[name])
    if _CONTENT.intersection(differing):
        return Result.CHANGED, differing
    return (Result.RESTATED if differing else Result.UNCHANGED), differing


def clean_again(connection: Connection, found: Sequence[StoredArticle], rules: Rules, parse: Parser) -> list[Recleaned]:
    """Clean the inputs of articles again, each input once; in the order of the articles. Changes nothing.

    Raises `DatabaseUnavailable`.
    """
    by_input: dict[tuple[str, str, str], list[StoredArticle]] = defaultdict(list)
    for stored in found:
        by_input[stored.raw_sha256, stored.received_at.isoformat(), repr(_hints_of(stored))].append(stored)
    results: dict[str, Recleaned] = {}
    for of_input in by_input.values():
        with connection.transaction():
            data = raws.load(connection, of_input[0].raw_sha256)
        results |= {one.stored.article_id: one for one in _of_input(of_input, data, rules, parse)}
    return [results[stored.article_id] for stored in found]


def _of_input(found: Sequence[StoredArticle], data: bytes | None, rules: Rules, parse: Parser) -> list[Recleaned]:
    if data is None:
        return [Recleaned(stored, Result.NO_INPUT, reason="its input is not kept") for stored in found]
    item = RawItem(data, found[0].source, found[0].received_at, _hints_of(found[0]))
    try:
        candidates = pipeline.read(item, rules, parse)
    except InputError as error:
        return [Recleaned(stored, Result.NO_INPUT, reason=str(error)) for stored in found]
    by_hash: dict[str, list[Parsed]] = defaultdict(list)
    for candidate in candidates:
        by_hash[hashlib.sha256(candidate.raw).hexdigest()].append(candidate)
    return [_of_candidate(stored, candidates, by_hash, item, rules) for stored in found]


def _of_candidate(
    stored: StoredArticle,
    candidates: Sequence[Parsed],
    by_hash: Mapping[str, Sequence[Parsed]],
    item: RawItem,
    rules: Rules,
) -> Recleaned:
    own = by_hash.get(stored.item_sha256) or [c for c in candidates if stored.guid and c.fields.guid == stored.guid]
    if not own:
        return Recleaned(stored, Result.NO_INPUT, reason="its item is not found in its input any more")
    # Of entries that are the same byte for byte, the one with its address.
    chosen = next((c for c in own if c.fields.url == stored.url), own[0])
    processed = pipeline.process_one(chosen, item, rules)
    if processed.document is None:
        return Recleaned(stored, Result.NO_ARTICLE, reason=processed.reason)
    result, fields = compare(stored, processed.document)
    if result is Result.UNCHANGED and stored.rules_version != processed.document.rules_version:
        # Nothing but the note which rules it was cleaned by.
        return Recleaned(stored, result, (), processed.document)
    return Recleaned(stored, result, fields, processed.document if fields else None)


def _hints_of(stored: StoredArticle) -> Hints:
    said = Hints.model_validate(stored.hints or {})
    return said.model_copy(update={"filename": stored.name, "url": said.url or stored.url})


def apply(
    connection: Connection, recleaned: Sequence[Recleaned], deadline_s: float
) -> tuple[list[Recleaned], list[tuple[int, Keyed]]]:
    """Write what differs in one transaction, beside running workers; repeating it is harmless.

    Returns the articles with what became of them, and the sketches that the likeness index is to have. Raises
    `DatabaseUnavailable`.
    """
    written = {one.stored.article_id: one for one in recleaned if one.document is not None}
    late: set[str] = set()
    drawn: list[tuple[int, Keyed]] = []
    while written:
        try:
            with bounded_transaction(connection, "reclean", deadline_s):
                drawn = _write(connection, list(written.values()))
            break
        except _Overtaken as error:
            late |= error.article_ids
            written = {i: one for i, one in written.items() if i not in late}
    return [replace(one, result=Result.OVERTAKEN) if one.stored.article_id in late else one for one in recleaned], drawn


def _write(connection: Connection, recleaned: Sequence[Recleaned]) -> list[tuple[int, Keyed]]:
    """Locks as the writer does: keys, sketches, articles. Raises `_Overtaken` where an article is another by now."""
    changed = [one for one in recleaned if one.result is Result.CHANGED]
    texts = {
        key: KeyState(one.stored.article_id, True, one.stored.item_sha256) for one in changed for key in _text(one)
    }
    identities.take(connection, texts)
    drawn = _redraw(connection, changed)
    current = articles.load_current(connection, sorted(one.stored.article_id for one in recleaned))
    late = {
        one.stored.article_id
        for one in recleaned
        if (held := current.get(one.stored.article_id)) is None
        or (held.current_number, held.content_sha256) != (one.stored.revision, one.stored.content_sha256)
    }
    if late:
        raise _Overtaken(late)
    articles.rewrite(connection, [_revision(one) for one in recleaned])
    outbox.add(connection, [_event(one.stored) for one in changed if not one.stored.is_withdrawn])
    return drawn


def _redraw(connection: Connection, changed: Sequence[Recleaned]) -> list[tuple[int, Keyed]]:
    new = {}
    for one in changed:
        if one.document and {"title", "body"}.intersection(one.fields):
            stored = one.stored
            document = settlement.document_id(stored.ingest_id, stored.item_id, stored.received_at)
            new[document] = sketch(one.document.title, one.document.body)
    return restoring.numbered(sketches.redraw(connection, {document: pack(own) for document, own in new.items()}))


def _text(one: Recleaned) -> list[IdentityKey]:
    return [key for key in one.document.keys if key.kind == "text"] if one.document else []


def _revision(one: Recleaned) -> NewRevision:
    stored, document = one.stored, one.document
    assert document is not None  # noqa: S101 - the caller writes no other
    return NewRevision(
        stored.article_id,
        stored.revision,
        True,
        stored.source,
        stored.name,
        document,
        stored.raw_sha256,
        None,
        stored.received_at,
        stored.article_id,
    )


def _event(stored: StoredArticle) -> dict[str, object]:
    return {
        "event": EVENT,
        "article_id": stored.article_id,
        "revision": stored.revision,
        "ingest_id": stored.ingest_id,
        "item_id": stored.item_id,
        "due_at": stored.embargo_until.isoformat() if stored.embargo_until else None,
    }


def slice_after(connection: Connection, after: str, source: str | None, deadline_s: float) -> list[StoredArticle]:
    """The next articles behind an id. Raises `DatabaseUnavailable`."""
    with bounded_transaction(connection, "reclean", deadline_s):
        return recleaning.articles_after(connection, after, source, SLICE)
