"""The route that finds articles by their words."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import FastAPI, Query
from pydantic import BaseModel, Field

from copydesk.delivery import finding
from copydesk.errors import InvalidQuery
from copydesk.storage.connection import Connection
from services.api.article_schemas import Listed
from services.api.articles import Limit, Text
from services.api.database import Database
from services.api.problems import Refused
from services.api.responses import AWAY


class Found(Listed):
    """An article that a search found."""

    snippets: list[str] = Field(
        description="Where it was found, as HTML: escaped, the words in `<mark>`. Empty where only the title or a "
        "place far behind the beginning has them."
    )


class Results(BaseModel):
    """What a search found."""

    articles: list[Found]
    next: str | None = Field(description="`before` of the next page, newest first; null on the last one.")


def add_search(app: FastAPI, database: Database) -> None:
    """Add the route."""

    @app.get("/v1/search", summary="Find articles by their words", responses=AWAY)
    async def find(
        *,
        q: Annotated[str, Query(min_length=1, description='Words, "a phrase", -without, this OR that.')],
        language: Text = None,
        source: Text = None,
        order: Annotated[
            Literal["relevance", "newest"], Query(description="Relevance looks at the newest 2,000 of the found.")
        ] = "relevance",
        before: Annotated[UUID | None, Query(description="`next` of the page before; newest first only.")] = None,
        limit: Limit = 20,
    ) -> Results:
        """Forms of a word are found by its language's rules; in Chinese, Japanese, Korean and Thai any piece."""
        if before is not None and order == "relevance":
            raise Refused(422, "invalid_request", "before goes with order=newest")

        def ask(connection: Connection) -> list[Found]:
            found = finding.find(
                connection,
                q,
                language=language,
                source=source,
                by_relevance=order == "relevance",
                before=str(before) if before else None,
                limit=limit + 1,
            )
            return [Found(**row, snippets=snippets) for row, snippets in found]

        try:
            found = await database.ask(ask)
        except InvalidQuery as error:
            raise Refused(422, error.code, str(error)) from error
        following = found[limit - 1].id if len(found) > limit and order == "newest" else None
        return Results(articles=found[:limit], next=following)
