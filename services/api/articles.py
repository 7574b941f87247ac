"""The routes that read articles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import FastAPI, Query, Request, Response
from pydantic import AwareDatetime
from starlette.responses import Response as PlainResponse

from copydesk.dedupe.difference import changes
from copydesk.storage import raws, reading
from copydesk.storage.connection import Connection
from copydesk.storage.reading import Filters
from services.api.article_schemas import (
    Article,
    Changes,
    Difference,
    Gone,
    Listed,
    Page,
    ParagraphChange,
    Revision,
    RevisionRow,
    Revisions,
    Sighting,
    Sightings,
)
from services.api.database import Database
from services.api.deletion import find, gone
from services.api.problems import Refused
from services.api.responses import AWAY, GONE, MISSING, SAME, Responses
from services.api.tags import tagged

T = TypeVar("T")

LIMIT_MAX = 500

_ONE: Responses = {**SAME, **MISSING, **GONE, **AWAY}

Text = Annotated[str | None, Query(max_length=2000, pattern=r"^[^\x00]+$")]
_Moment = Annotated[AwareDatetime | None, Query(description="ISO 8601 with an offset.")]
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
_Position = Annotated[int | None, Query(ge=0, le=2**63 - 1, description="`next` of the answer before; 0 to begin.")]


def add_articles(app: FastAPI, database: Database) -> None:
    """Add every route that reads articles."""
    _add_lists(app, database)
    _add_one(app, database)
    _add_revisions(app, database)


def _add_lists(app: FastAPI, database: Database) -> None:
    @app.get("/v1/articles", response_model=Page | Changes, summary="List articles", responses=AWAY)
    async def list_articles(
        *,
        source: Text = None,
        language: Text = None,
        publisher: Text = None,
        url: Text = None,
        published_from: _Moment = None,
        published_to: _Moment = None,
        received_from: _Moment = None,
        received_to: _Moment = None,
        before: Annotated[UUID | None, Query(description="`next` of the page before.")] = None,
        changed_since: _Position = None,
        limit: Limit = 50,
    ) -> Page | Changes:
        """Newest first; with `changed_since`, in the order of their latest change, and none is ever missed."""
        filters = Filters(source, language, publisher, url, published_from, published_to, received_from, received_to)
        if changed_since is not None:
            if before is not None:
                raise Refused(422, "invalid_request", "before and changed_since do not go together")
            return await _changes(database, filters, changed_since, limit)
        start = str(before) if before else None
        found = await database.ask(lambda c: reading.newest(c, filters, before=start, limit=limit + 1))
        following = found[limit - 1]["id"] if len(found) > limit else None
        return Page(articles=[Listed(**row) for row in found[:limit]], next=following)


async def _changes(database: Database, filters: Filters, position: int, limit: int) -> Changes:
    found = await database.ask(lambda c: reading.changes(c, filters, position=position, limit=limit))
    return Changes(
        articles=[Listed(**row) for row in found.articles], gone=[Gone(**row) for row in found.gone], next=found.next
    )


def _add_one(app: FastAPI, database: Database) -> None:
    @app.get("/v1/articles/{article_id}", response_model=Article, summary="Read an article", responses=_ONE)
    async def get_article(request: Request, article_id: UUID) -> Response:
        found = await _ask(database, article_id, reading.article)
        return tagged(request, Article(**found))

    @app.get(
        "/v1/articles/{article_id}/raw",
        summary="The input as it came",
        response_class=PlainResponse,
        responses={**_ONE, 200: {"content": {"application/octet-stream": {}}, "description": "The bytes."}},
    )
    async def get_raw(article_id: UUID) -> Response:
        def load(connection: Connection, wanted: str) -> bytes | None:
            found = reading.article(connection, wanted)
            return raws.load(connection, found["raw_sha256"]) if found else None

        data = await _ask(database, article_id, load)
        # Somebody else's bytes: never to be run or shown as a page of this host.
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    @app.get("/v1/articles/{article_id}/sightings", summary="Where else it was seen", responses=_ONE)
    async def get_sightings(article_id: UUID) -> Sightings:
        def load(connection: Connection, wanted: str) -> list[reading.Fields] | None:
            return reading.sightings(connection, wanted) if reading.article(connection, wanted) else None

        return Sightings(sightings=[Sighting(**row) for row in await _ask(database, article_id, load)])


def _add_revisions(app: FastAPI, database: Database) -> None:
    @app.get("/v1/articles/{article_id}/revisions", summary="Its revisions", responses=_ONE)
    async def get_revisions(article_id: UUID) -> Revisions:
        found = await _ask(database, article_id, lambda c, i: reading.revisions(c, i) or None)
        return Revisions(revisions=[RevisionRow(**row) for row in found])

    @app.get(
        "/v1/articles/{article_id}/revisions/{number}",
        response_model=Revision,
        summary="Read a revision",
        responses=_ONE,
    )
    async def get_revision(request: Request, article_id: UUID, number: int) -> Response:
        found = await _ask(database, article_id, lambda c, i: reading.revision(c, i, _column(number)))
        return tagged(request, Revision(**found))

    @app.get("/v1/articles/{article_id}/diff", summary="What changed between two revisions", responses=_ONE)
    async def get_difference(
        article_id: UUID,
        before: Annotated[int, Query(ge=1, description="The older revision.")],
        after: Annotated[int, Query(ge=1, description="The newer one.")],
    ) -> Difference:
        def load(connection: Connection, wanted: str) -> Difference | None:
            old = reading.revision(connection, wanted, _column(before))
            new = reading.revision(connection, wanted, _column(after))
            if not old or not new:
                return None
            told = [
                ParagraphChange(kind=c.kind, before=c.before, after=c.after) for c in changes(old["body"], new["body"])
            ]
            return Difference(
                id=wanted, before=before, after=after, title_before=old["title"], title_after=new["title"], changes=told
            )

        return await _ask(database, article_id, load)


async def _ask(database: Database, article_id: UUID, question: Callable[[Connection, str], T | None]) -> T:
    wanted = str(article_id)
    found = await database.ask(lambda connection: question(connection, wanted))
    if found is None:
        if tombstone := await database.ask(lambda connection: find(connection, wanted)):
            raise gone(tombstone)
        raise Refused(404, "unknown_article", f"there is no such article, or not in this revision: {wanted}")
    return found


def _column(number: int) -> int:
    """As a Postgres integer; beyond, no revision has it."""
    return max(-1, min(number, 2**31 - 1))
