"""A client of the HTTP door: documents in, articles and changes out.

Typed, in two forms with the same methods: `Client` and `AsyncClient`. It knows the door's addresses and JSON, and
nothing of storage, queues or cleaning.

    with Client("http://127.0.0.1:8040", key="cd_….…") as desk:
        desk.send("Headline\\n\\nThe story.", source="partner")
        for change in desk.changes(since=position):
            position = change.position
"""

from copydesk.client.asynchronous import AsyncClient
from copydesk.client.errors import (
    ArticleDeleted,
    ClientError,
    DoorUnavailable,
    NotAllowed,
    NotFound,
    NotStoredYet,
    RequestRefused,
    UnexpectedAnswer,
)
from copydesk.client.synchronous import Client
from copydesk.client.values import (
    Accepted,
    AcceptedItem,
    Article,
    ArticleOutcome,
    Cause,
    Changed,
    Counted,
    Difference,
    Document,
    Found,
    Gone,
    Letter,
    Listed,
    ParagraphChange,
    Removed,
    Revision,
    RevisionListed,
    Settled,
    Sighting,
    Stored,
    Tombstone,
)
from copydesk.models import Hints, Outcome

__all__ = [
    "Accepted",
    "AcceptedItem",
    "Article",
    "ArticleDeleted",
    "ArticleOutcome",
    "AsyncClient",
    "Cause",
    "Changed",
    "Client",
    "ClientError",
    "Counted",
    "Difference",
    "Document",
    "DoorUnavailable",
    "Found",
    "Gone",
    "Hints",
    "Letter",
    "Listed",
    "NotAllowed",
    "NotFound",
    "NotStoredYet",
    "Outcome",
    "ParagraphChange",
    "Removed",
    "RequestRefused",
    "Revision",
    "RevisionListed",
    "Settled",
    "Sighting",
    "Stored",
    "Tombstone",
    "UnexpectedAnswer",
]
