"""Bytes to documents: formats, then cleaning, then identity, composed. No I/O, no clock."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from copydesk import cleaning, formats
from copydesk.cleaning import Rules
from copydesk.dedupe.identity import guid_key, identity_keys
from copydesk.errors import InputError
from copydesk.formats import Parser
from copydesk.models import Cleaned, Document, Hints, IdentityKey, Parsed, RawItem, Status, Withdrawal


@dataclass(frozen=True, slots=True)
class Processed:
    """What came of one article candidate: a document, or the reason why it is no article."""

    key: str | None
    """Its name within its container; None where the item itself is the document."""
    document: Document | None
    reason: str = ""
    withdrawal: Withdrawal | None = None
    """The sender's word that this item is not to be shown."""
    error: InputError | None = None
    """Why it could not be read; None where it was, and is no article."""


def process(
    item: RawItem, rules: Rules, *, item_id: str | None = None, parse: Parser = formats.parse
) -> list[Processed]:
    """Every article candidate of an item, in its order; [] for a container that is empty.

    `item_id` is the sender's id for this delivery, where it chose one. Raises `InputError` when the item as a whole
    cannot be read. `parse` stands in for `formats.parse` where that runs under limits.
    """
    return [process_one(candidate, item, rules, item_id) for candidate in read(item, rules, parse)]


def read(item: RawItem, rules: Rules, parse: Parser = formats.parse) -> list[Parsed]:
    """Every article candidate of an item as its format has it. Raises `InputError`."""
    return parse(item.data, _hinted(item, rules))


def _hinted(item: RawItem, rules: Rules) -> Hints:
    """The item's hints, with what its source's profile says of its encoding, its columns and its pages."""
    profile = rules.profile_for_source(item.source)
    known = {
        "encoding": profile.encoding,
        "fields": dict(profile.fields) or None,
        "page": {part: list(selectors) for part, selectors in profile.page} or None,
    }
    # The encoding of a profile is forced: it is written where senders declare a wrong one.
    wanted = {n: v for n, v in known.items() if v and (n == "encoding" or getattr(item.hints, n) is None)}
    return item.hints.model_copy(update=wanted) if wanted else item.hints


def clean(parsed: Parsed, item: RawItem, rules: Rules) -> Cleaned:
    """Clean one candidate as its sender's profile says; what the candidate itself states stands over it."""
    if parsed.reason:
        return cleaning.refuse(parsed)
    cleaned = cleaning.clean(
        parsed,
        profile=rules.profile_for_source(item.source),
        rules=rules,
        received_at=item.received_at,
        hints=item.hints,
    )
    return cleaning.apply_structure(cleaned, parsed, rules)


def process_one(parsed: Parsed, item: RawItem, rules: Rules, item_id: str | None = None) -> Processed:
    """What comes of one candidate of an item."""
    if parsed.error:
        return Processed(parsed.key, None, str(parsed.error), error=parsed.error)
    if parsed.status is not Status.USABLE:
        return Processed(parsed.key, None, parsed.reason, _withdrawal(parsed, item.source))
    cleaned = clean(parsed, item, rules)
    if not cleaned.is_article:
        return Processed(parsed.key, None, cleaned.reason or "it holds no article")
    # What the sender says of an item is said of a container, not of each article in it.
    sent = item.hints if parsed.key is None else Hints()
    url = parsed.fields.url or sent.url
    keys = identity_keys(
        source=item.source,
        title=cleaned.title,
        body=cleaned.body,
        item_id=item_id if parsed.key is None else None,
        document_id=sent.document_id,
        # A guid that several entries of a feed share is no identity; their keys tell them apart.
        guid=parsed.fields.guid if parsed.is_position or parsed.key is None else parsed.key,
        alias=parsed.alias,
        url=url,
        name=parsed.name or sent.filename,
    )
    if parsed.fields.replaces:
        # Behind its own name: a correction that has been seen before is known by that.
        other = guid_key(item.source, parsed.fields.replaces)
        place = next((i for i, key in enumerate(keys) if key.kind not in ("item", "document", "guid")), len(keys))
        keys = (*keys[:place], other, *keys[place:])
    return Processed(parsed.key, _document(parsed, cleaned, rules, source=item.source, url=url, keys=keys))


def _withdrawal(parsed: Parsed, source: str) -> Withdrawal:
    return Withdrawal(
        keys=(guid_key(source, parsed.fields.guid or ""),),
        is_final=parsed.status is Status.CANCELED,
        version=parsed.fields.version,
        reason=parsed.reason,
    )


def _document(
    parsed: Parsed, cleaned: Cleaned, rules: Rules, *, source: str, url: str | None, keys: tuple[IdentityKey, ...]
) -> Document:
    fields = parsed.fields
    content: dict[str, object] = {
        "title": cleaned.title,
        "section": cleaned.section,
        "published_at": cleaned.published_at,
        "updated_at": cleaned.updated_at,
        "publisher": cleaned.publisher,
        "authors": cleaned.authors,
        "credits": cleaned.credits,
        "rights": cleaned.rights,
        "captions": cleaned.captions,
        "corrections": cleaned.corrections,
        "body": cleaned.body,
    }
    stated = {"details": dict(fields.details), "embargo_until": fields.embargo_until}
    hashed = content | {name: value for name, value in stated.items() if value}
    return Document(
        **content,
        **stated,
        version=fields.version,
        format=parsed.format,
        url=url,
        guid=fields.guid,
        language=cleaned.language,
        zone_unknown=cleaned.zone_unknown,
        dateline=cleaned.dateline,
        pieces=cleaned.pieces,
        encoding=parsed.encoding,
        warnings=(*parsed.warnings, *cleaned.warnings),
        rules_version=rules.version_for(rules.profile_for_source(source)),
        item_sha256=_sha256(parsed.raw),
        content_sha256=_sha256(json.dumps(hashed, sort_keys=True, default=list).encode()),
        keys=keys,
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
