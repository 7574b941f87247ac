"""The routes that delete an article, show its tombstone and lift its ban."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Query, Request, Response
from pydantic import AfterValidator

from copydesk.storage import deletions, reading
from copydesk.storage.connection import Connection
from copydesk.storage.deletions import Deletion
from services.api.access import who
from services.api.article_schemas import Article, Tombstone
from services.api.database import Database
from services.api.problems import Refused
from services.api.responses import AWAY, MATCHED, MISSING, SAME
from services.api.tags import IfMatch, check_match, tagged


def _said(reason: str) -> str:
    if not reason.strip():
        raise ValueError("say why")
    return reason.strip()


Reason = Annotated[
    str,
    AfterValidator(_said),
    Query(
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Why. It stays, and is shown to who asks for the article.",
        examples=["Ruling 12 of 4 May"],
    ),
]


def add_deletion(app: FastAPI, database: Database) -> None:
    """Add the routes."""

    @app.delete(
        "/v1/articles/{article_id}",
        response_model=Tombstone,
        summary="Delete an article for good",
        responses={**MATCHED, **MISSING, **AWAY},
    )
    async def delete_article(request: Request, article_id: UUID, reason: Reason, if_match: IfMatch = None) -> Response:
        """Its texts, revisions and inputs go. A tombstone stays, and what comes of it again is `suppressed`."""
        wanted, by = str(article_id), who(request)

        def delete(connection: Connection) -> Deletion | None:
            with connection.transaction():
                if if_match is not None and (found := reading.article(connection, wanted)):
                    check_match(if_match, Article(**found))
                return deletions.delete(connection, wanted, reason=reason, by=by)

        return tagged(request, _tombstone(wanted, await database.ask(delete)))

    @app.get(
        "/v1/articles/{article_id}/deletion",
        response_model=Tombstone,
        summary="Why and when an article was deleted",
        responses={**SAME, **MISSING, **AWAY},
    )
    async def get_deletion(request: Request, article_id: UUID) -> Response:
        wanted = str(article_id)
        return tagged(request, _tombstone(wanted, await database.ask(lambda c: find(c, wanted))))

    @app.delete(
        "/v1/articles/{article_id}/deletion",
        response_model=Tombstone,
        summary="Let a deleted article come again",
        responses={**MISSING, **AWAY},
    )
    async def lift_deletion(request: Request, article_id: UUID) -> Response:
        """Its text is gone; what comes of it from now on is stored as an article of its own."""
        wanted, by = str(article_id), who(request)

        def lift(connection: Connection) -> Deletion | None:
            with connection.transaction():
                return deletions.lift(connection, wanted, by=by)

        return tagged(request, _tombstone(wanted, await database.ask(lift)))


def find(connection: Connection, article_id: str) -> Deletion | None:
    """The tombstone of an article, None when it was not deleted."""
    with connection.transaction():
        return deletions.find(connection, article_id)


def gone(found: Deletion) -> Refused:
    """410 for who asks for a deleted article."""
    return Refused(
        410,
        "deleted_article",
        f"The article was deleted: {found.reason}",
        reason=found.reason,
        deleted_at=found.deleted_at.isoformat(),
    )


def _tombstone(article_id: str, found: Deletion | None) -> Tombstone:
    if found is None:
        raise Refused(404, "unknown_article", f"there is no such article, or it was not deleted: {article_id}")
    return Tombstone(is_banned=found.lifted_at is None, **found._asdict())
